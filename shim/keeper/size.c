/*
 * The size of the container's own layer, where the file system enforces none: looked at,
 * and above the limit the container is killed.
 *
 * Every second the free space of the file system is read, one call. Only when it has gone
 * down does a child of ours walk the tree and add up, at the lowest priority, and never
 * longer than a fiftieth of the time since the last walk (WALK_SHARE). So the answers to
 * denied calls do not wait for it, and a layer of a million files costs no more than one of
 * ten. Files that were deleted and are still open are not seen (statfs(2) sees them, but
 * not whose they are).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/limitwatch.h"
#include "keeper.h"

#define TICK_MS 1000
#define REST_MS 60000   /* a walk at least as often, when the tree may have changed at all */
#define WALK_SHARE 50   /* a walk takes at most this part of the time */
#define DEEPEST 1000    /* directories in one another; what is deeper counts as too much */
#define TOO_MUCH (UINT64_C(1) << 60)
#define SLACK_BYTES (UINT64_C(1) << 20) /* of free space that others use up */

static struct {
	int root;          /* the tree; -1: nothing to watch */
	int out;           /* of the walking child, -1: none walks */
	pid_t child;
	uint64_t limit, base;
	bool grown, based; /* what was there at the start does not count; is known */
	uint64_t free;     /* bytes, at the last walk */
	uint64_t tick, walked, began; /* ms */
	uint64_t took;     /* ms, of the last walk */
	int home;
	char source[512];
} s = {.root = -1, .out = -1};

/* Bytes of everything below an open directory, on this file system alone. A file with
 * several names is counted once in all: they all lie in the tree. */
static uint64_t add_up(int dfd, dev_t dev, unsigned depth)
{
	uint64_t sum = 0;
	DIR *d = depth == 0 ? NULL : fdopendir(dfd);
	if (d == NULL) {
		pst_fd_close(dfd);
		return depth == 0 ? TOO_MUCH : 0;
	}
	for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
		struct stat st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || st.st_dev != dev)
			continue;
		const uint64_t bytes = (uint64_t)st.st_blocks * 512;
		if (!S_ISDIR(st.st_mode)) {
			sum += st.st_nlink > 1 ? bytes / st.st_nlink : bytes;
			continue;
		}
		sum += bytes;
		const int sub = openat(dirfd(d), e->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (sub >= 0)
			sum += add_up(sub, dev, depth - 1);
		else if (errno == EMFILE)
			sum = TOO_MUCH;
		if (sum >= TOO_MUCH)
			break;
	}
	(void)closedir(d);
	return sum;
}

/* In the child: nobody waits for us, and nobody is to notice. */
static void walk(int to)
{
	struct stat st;
	uint64_t sum = 0;
	const struct rlimit files = {DEEPEST + 64, DEEPEST + 64};
	/* The listeners above all: the kernel is to see that we died, not that a copy lives. */
	if (dup2(s.root, 0) < 0 || dup2(to, 1) < 0 || syscall(SYS_close_range, 2, ~0U, 0) != 0)
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, 1, 0, 3 << 13); /* idle class, ioprio_set(2) */
	const int top = openat(0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0 && fstat(top, &st) == 0) {
		sum = add_up(top, st.st_dev, DEEPEST);
		(void)!write(1, &sum, sizeof sum);
	}
	_exit(0);
}

static uint64_t free_bytes(void)
{
	struct statvfs v;
	return fstatvfs(s.root, &v) == 0 ? (uint64_t)v.f_bfree * v.f_frsize : 0;
}

static void begin_walk(void)
{
	int pipe[2];
	s.free = free_bytes();
	s.began = now_ms();
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	s.child = fork();
	if (s.child == 0)
		walk(pipe[1]);
	pst_fd_close(pipe[1]);
	if (s.child < 0)
		pst_fd_close(pipe[0]);
	else
		s.out = pipe[0];
}

/* The size at the start outlives us: whoever takes our place must not begin anew. */
static void keep_base(uint64_t bytes)
{
	char text[32];
	pst_auto_fd fd = openat(s.home, "size.base", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const int n = snprintf(text, sizeof text, "%" PRIu64 "\n", bytes);
	(void)!write(fd, text, (size_t)n);
	s.base = bytes;
	s.based = true;
}

void size_begin(int home, const char *watch)
{
	char path[PST_LIMITWATCH_MAX], text[32] = "";
	const char *limit = pst_limitwatch_find(watch, "limit", "disk-size");
	const char *tree = pst_limitwatch_find(watch, "tree", "disk-size");
	const char *source = limit == NULL ? NULL : strchr(limit, '\t');
	const char *at = tree == NULL ? NULL : strchr(tree, '\t');
	if (source == NULL || at == NULL)
		return;
	s.home = home;
	s.limit = strtoull(limit, NULL, 10);
	s.grown = strncmp(tree, "grown", 5) == 0;
	snprintf(s.source, sizeof s.source, "%.*s", (int)strcspn(source + 1, "\n"), source + 1);
	snprintf(path, sizeof path, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
	s.root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	pst_auto_fd fd = openat(home, "size.base", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
		s.base = strtoull(text, NULL, 10);
		s.based = true;
	}
	if (s.root >= 0)
		begin_walk();
	s.tick = now_ms() + TICK_MS;
}

void size_end(void)
{
	pst_fd_close(PST_TAKE_FD(s.root));
	pst_fd_close(PST_TAKE_FD(s.out));
	if (s.child > 0) {
		(void)kill(s.child, SIGKILL);
		(void)waitpid(s.child, NULL, 0);
		s.child = 0;
	}
}

int size_fd(void)
{
	return s.out;
}

int size_due(void)
{
	const uint64_t now = now_ms();
	return s.root < 0 || s.out >= 0 ? -1 : s.tick <= now ? 0 : (int)(s.tick - now);
}

void size_look(void)
{
	const uint64_t now = now_ms(), since = now - s.walked, is = free_bytes();
	s.tick = now + TICK_MS;
	if (since < s.took * WALK_SHARE)
		return;
	if (is + SLACK_BYTES < s.free || since >= REST_MS)
		begin_walk();
	else if (is > s.free)
		s.free = is; /* somebody gave some back: what is taken from here on counts */
}

bool size_walked(uint64_t *ret_bytes, uint64_t *ret_limit, const char **ret_source)
{
	uint64_t sum;
	const bool whole = read(s.out, &sum, sizeof sum) == (ssize_t)sizeof sum;
	pst_fd_close(PST_TAKE_FD(s.out));
	(void)waitpid(s.child, NULL, 0);
	s.child = 0;
	s.walked = now_ms();
	s.took = s.walked - s.began;
	if (!whole)
		return false;
	if (s.grown && !s.based)
		keep_base(sum);
	*ret_bytes = s.grown ? (sum > s.base ? sum - s.base : 0) : sum;
	*ret_limit = s.limit;
	*ret_source = s.source;
	return *ret_bytes > s.limit;
}
