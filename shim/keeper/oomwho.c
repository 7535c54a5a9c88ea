/* Who used most, and whom the kernel killed. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "keeper.h"

#define LOG_BYTES (64 * 1024) /* of the log's end: a report with some 500 processes */
#define READ_ALL 3            /* syslog(2) SYSLOG_ACTION_READ_ALL */
#define LOOK_MAX 512          /* processes looked at: some 5 ms */

static void look_at_memory(pid_t pid, size_t page, struct pst_oom_task *best)
{
	char path[64], text[128];
	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *resident = strchr(text, ' ');
	const uint64_t bytes = resident == NULL ? 0 : strtoull(resident + 1, NULL, 10) * page;
	if (bytes <= best->bytes)
		return;
	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	pst_auto_fd comm = open(path, O_RDONLY | O_CLOEXEC);
	n = comm < 0 ? -1 : read(comm, text, sizeof text - 1);
	if (n <= 0)
		return;
	text[n - 1] = '\0'; /* the newline */
	*best = (struct pst_oom_task){.pid = (uint64_t)pid, .bytes = bytes};
	snprintf(best->name, sizeof best->name, "%.15s", text);
}

void oom_largest(int dfd, struct pst_oom_task *ret)
{
	char piece[4096];
	ssize_t n;
	pid_t pid = 0;
	unsigned seen = 0;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	*ret = (struct pst_oom_task){0};
	pst_auto_fd fd = openat(dfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (piece[i] >= '0' && piece[i] <= '9') {
				pid = pid * 10 + piece[i] - '0';
				continue;
			}
			if (pid > 0 && seen++ < LOOK_MAX)
				look_at_memory(pid, page, ret);
			pid = 0;
		}
}

bool oom_report(const char *path, struct pst_oom_report *ret)
{
	bool found = false;
	char *text = mmap(NULL, LOG_BYTES + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (text == MAP_FAILED)
		return false;
	const int n = klogctl(READ_ALL, text, LOG_BYTES);
	if (n > 0) {
		text[n] = '\0';
		found = pst_oomlog_find(text, path, (size_t)sysconf(_SC_PAGESIZE), ret);
	}
	(void)munmap(text, LOG_BYTES + 1);
	return found;
}
