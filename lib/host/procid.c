#include "host/procid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "host/hostops.h"
#include "host/io.h"

/* Cut the first word off *s (one space divides); NULL at the end. */
static char *word(char **s)
{
	char *w = *s;
	if (w == NULL)
		return NULL;
	char *sp = strchr(w, ' ');
	*s = sp == NULL ? NULL : sp + 1;
	if (sp != NULL)
		*sp = '\0';
	return w;
}

/* State letter and start time out of a line of proc_pid_stat(5). The name of
 * the program stands in parentheses and may hold any byte, ')' and ' ' too. */
static bool parse_stat(char *line, char *state, uint64_t *start)
{
	char *rest = strrchr(line, ')');
	if (rest == NULL || rest[1] != ' ')
		return false;
	rest += 2;
	const char *w = word(&rest); /* field 3 */
	if (w == NULL || w[0] == '\0')
		return false;
	*state = w[0];
	for (int field = 4; field <= 22; field++)
		w = word(&rest);
	return w != NULL && pst_num_parse(w, 10, UINT64_MAX, start);
}

/* 0, or -1 with errno; EINVAL when /proc says something else than a stat line. */
static int read_stat(pid_t pid, char *state, uint64_t *start)
{
	char path[32], line[1024];
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	if (pst_io_read_small(AT_FDCWD, path, line, sizeof line) < 0)
		return -1;
	if (parse_stat(line, state, start))
		return 0;
	errno = EINVAL;
	return -1;
}

static int read_boot(char out[PST_BOOTID_LEN + 1], struct pst_err *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	char text[PST_BOOTID_LEN + 8];
	if (pst_io_read_small(AT_FDCWD, path, text, sizeof text) < 0)
		return pst_fail_sys(err, "cannot read %s", path);
	if (strspn(text, "0123456789abcdef-") != PST_BOOTID_LEN)
		return pst_fail(err, PST_E_HOST, "", "%s holds no boot id", path);
	memcpy(out, text, PST_BOOTID_LEN);
	out[PST_BOOTID_LEN] = '\0';
	return PST_OK;
}

int pst_procid_of(pid_t pid, struct pst_procid *out, struct pst_err *err)
{
	struct pst_procid p = {.pid = pid};
	struct stat st;
	char state;
	const int rc = read_boot(p.boot, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->fstatat(AT_FDCWD, "/proc/self/ns/pid", &st, 0) != 0)
		return pst_fail_sys(err, "cannot look at our pid namespace");
	p.pidns = st.st_ino;
	if (read_stat(pid, &state, &p.start) != 0) {
		if (errno == ENOENT)
			errno = ESRCH;
		return pst_fail_sys(err, "cannot read the start time of process %ld", (long)pid);
	}
	*out = p;
	return PST_OK;
}

int pst_procid_self(struct pst_procid *out, struct pst_err *err)
{
	return pst_procid_of(getpid(), out, err);
}

enum pst_alive pst_procid_alive(const struct pst_procid *p, const struct pst_procid *self)
{
	char state;
	uint64_t start;
	if (strcmp(p->boot, self->boot) != 0)
		return PST_DEAD;
	if (p->pidns != self->pidns)
		return PST_ALIVE_UNKNOWN;
	if (read_stat(p->pid, &state, &start) != 0)
		return errno == ENOENT || errno == ESRCH ? PST_DEAD : PST_ALIVE_UNKNOWN;
	return start != p->start || state == 'Z' || state == 'X' ? PST_DEAD : PST_ALIVE;
}

void pst_procid_print(const struct pst_procid *p, char out[PST_PROCID_TEXT])
{
	snprintf(out, PST_PROCID_TEXT, "%s %llu %ld %llu", p->boot, (unsigned long long)p->pidns,
		 (long)p->pid, (unsigned long long)p->start);
}

bool pst_procid_parse(const char *text, struct pst_procid *out)
{
	char buf[PST_PROCID_TEXT];
	const int n = snprintf(buf, sizeof buf, "%s", text);
	if (n < 0 || (size_t)n >= sizeof buf)
		return false;

	struct pst_procid p = {0};
	uint64_t pid;
	char *rest = buf;
	const char *boot = word(&rest), *ns = word(&rest), *num = word(&rest), *start = rest;
	if (start == NULL || strlen(boot) != PST_BOOTID_LEN ||
	    strspn(boot, "0123456789abcdef-") != PST_BOOTID_LEN ||
	    !pst_num_parse(ns, 10, UINT64_MAX, &p.pidns) ||
	    !pst_num_parse(num, 10, INT32_MAX, &pid) || pid == 0 ||
	    !pst_num_parse(start, 10, UINT64_MAX, &p.start))
		return false;
	memcpy(p.boot, boot, PST_BOOTID_LEN + 1);
	p.pid = (pid_t)pid;
	*out = p;
	return true;
}
