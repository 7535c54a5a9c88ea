/*
 * The size of the container's own layer, where the file system enforces none: looked at,
 * and above the limit the container is killed.
 *
 * Every second the free space of the file system is read, one call. Only when it has gone
 * down does a child of ours walk the tree and add up, at the lowest priority, and mostly for no
 * longer than a fiftieth of the time since the last walk (WALK_SHARE). So the answers to
 * denied calls do not wait for it, and a layer of a million files costs no more than one of
 * ten. A container cannot buy time by many files: when more space has gone than it may still
 * take, the next walk is not put off, and none is for longer than LONGEST_REST_MS.
 * Files that were deleted and are still open are not seen (statfs(2) sees them, but
 * not whose they are).
 *
 * What was there at the start is added up before the container may run. A layer that cannot be
 * measured is one that is too large.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
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
#define HURRY_SHARE 2   /* likewise, when the limit may be passed already */
#define LONGEST_REST_MS 300000
#define START_MS 60000  /* for the walk the container's start waits for (host/keeper.c) */
#define STALE_MS 600000 /* without an end of a walk that is due: unmeasured */
#define DEEPEST 1000    /* directories in one another; what is deeper counts as too much, and cannot
			 * be what was there at the start */
#define TOO_MUCH (UINT64_C(1) << 60)
#define SLACK_BYTES (UINT64_C(1) << 20) /* of free space that others use up */

static struct {
	int root;          /* the tree; -1: nothing to watch */
	int out;           /* of the walking child, -1: none walks */
	pid_t child;
	uint64_t limit, base;
	bool grown, based; /* what was there at the start does not count; is known */
	uint64_t free;     /* bytes, at the last walk */
	uint64_t left;     /* bytes the container could still take then */
	uint64_t tick, walked, began; /* ms */
	uint64_t took;     /* ms, of the last walk */
	uint64_t owed;     /* ms: since when a walk is due that has not ended; 0: none */
	int home;
	char source[512];
} s = {.root = -1, .out = -1};

/* Gone meanwhile, or another kind of file by now; else what is there was not counted. */
static bool vanished(void)
{
	return errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
}

/*
 * Bytes of everything below an open directory, up to `cap`. What is mounted there is not the
 * layer's; a subvolume of btrfs is. A file with several names is counted once in all: they
 * all lie in the tree. In the child: what cannot be looked at ends it, without an answer.
 */
static uint64_t add_up(int dfd, uint64_t cap, unsigned depth)
{
	uint64_t sum = 0;
	DIR *d = depth == 0 ? NULL : fdopendir(dfd);
	if (d == NULL && depth != 0)
		_exit(1);
	if (d == NULL) {
		pst_fd_close(dfd);
		return TOO_MUCH;
	}
	for (const struct dirent *e = readdir(d); e != NULL && sum <= cap; e = readdir(d)) {
		struct statx st;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (statx(dirfd(d), e->d_name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
			  STATX_TYPE | STATX_NLINK | STATX_BLOCKS, &st) != 0) {
			if (!vanished())
				_exit(1);
			continue;
		}
		if ((st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0)
			continue;
		const uint64_t bytes = st.stx_blocks * 512;
		if (!S_ISDIR(st.stx_mode)) {
			sum += st.stx_nlink > 1 ? bytes / st.stx_nlink : bytes;
			continue;
		}
		sum += bytes;
		const int sub = openat(dirfd(d), e->d_name,
				       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (sub >= 0)
			sum += add_up(sub, cap - (sum < cap ? sum : cap), depth - 1);
		else if (!vanished())
			_exit(1);
	}
	(void)closedir(d);
	return sum;
}

/* In the child: nobody waits for us, and nobody is to notice. Not in the idle class of
 * ioprio_set(2): who keeps the disk busy would keep us from ever ending. */
static void walk(int to, uint64_t cap)
{
	const struct rlimit files = {DEEPEST + 64, DEEPEST + 64};
	/* The listeners above all: the kernel is to see that we died, not that a copy lives. */
	if (dup2(s.root, 0) < 0 || dup2(to, 1) < 0 || syscall(SYS_close_range, 2, ~0U, 0) != 0)
		_exit(1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)alarm(STALE_MS / 1000);
	(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setpriority(PRIO_PROCESS, 0, 19);
	(void)syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 7); /* best effort, the lowest */
	const int top = openat(0, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		_exit(1);
	const uint64_t sum = add_up(top, cap, DEEPEST);
	(void)!write(1, &sum, sizeof sum);
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
	if (s.owed == 0)
		s.owed = s.began;
	if (pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	s.child = fork();
	if (s.child == 0)
		walk(pipe[1], s.grown && !s.based ? TOO_MUCH : s.base + s.limit);
	pst_fd_close(pipe[1]);
	if (s.child < 0)
		pst_fd_close(pipe[0]);
	else
		s.out = pipe[0];
}

/* The size at the start outlives us: whoever takes our place must not begin anew. */
static bool keep_base(uint64_t bytes)
{
	char text[32];
	pst_auto_fd fd = openat(s.home, "size.base", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	const int n = snprintf(text, sizeof text, "%" PRIu64 "\n", bytes);
	s.base = bytes;
	s.based = fd >= 0 && write(fd, text, (size_t)n) == n;
	return s.based;
}

/* The child's answer; false: it gave none. */
static bool answer(uint64_t *ret)
{
	const bool whole = s.out >= 0 && read(s.out, ret, sizeof *ret) == (ssize_t)sizeof *ret;
	pst_fd_close(PST_TAKE_FD(s.out));
	if (s.child > 0 && !whole)
		(void)kill(s.child, SIGKILL);
	if (s.child > 0)
		(void)waitpid(s.child, NULL, 0);
	s.child = 0;
	s.walked = now_ms();
	s.took = s.walked - s.began;
	if (whole)
		s.owed = 0;
	return whole;
}

/* The container's start waits for this. */
static bool measure_start(void)
{
	uint64_t sum = 0;
	begin_walk();
	struct pollfd p = {.fd = s.out, .events = POLLIN};
	if (s.out >= 0)
		(void)poll(&p, 1, START_MS);
	return answer(&sum) && sum < TOO_MUCH && keep_base(sum);
}

bool size_begin(int home, const char *watch)
{
	char path[PST_LIMITWATCH_MAX], text[32] = "";
	const char *limit = pst_limitwatch_find(watch, "limit", "disk-size");
	const char *tree = pst_limitwatch_find(watch, "tree", "disk-size");
	const char *source = limit == NULL ? NULL : strchr(limit, '\t');
	const char *at = tree == NULL ? NULL : strchr(tree, '\t');
	if (source == NULL || at == NULL)
		return true;
	s.home = home;
	s.limit = strtoull(limit, NULL, 10);
	s.grown = strncmp(tree, "grown", 5) == 0;
	snprintf(s.source, sizeof s.source, "%.*s", (int)strcspn(source + 1, "\n"), source + 1);
	snprintf(path, sizeof path, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
	s.root = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (s.root < 0)
		return false;
	pst_auto_fd fd = openat(home, "size.base", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0) {
		s.base = strtoull(text, NULL, 10);
		s.based = true;
	}
	if (s.grown && !s.based)
		return measure_start();
	begin_walk();
	s.tick = now_ms() + TICK_MS;
	return true;
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

/* How long to rest between walks, with `is` bytes free. */
static uint64_t rest(uint64_t is)
{
	if (s.free > is && s.free - is >= s.left)
		return s.took * HURRY_SHARE;
	return s.took * WALK_SHARE < LONGEST_REST_MS ? s.took * WALK_SHARE : LONGEST_REST_MS;
}

static bool stale(void)
{
	return s.owed != 0 && now_ms() - s.owed >= STALE_MS;
}

enum size_found size_look(void)
{
	const uint64_t now = now_ms(), since = now - s.walked, is = free_bytes();
	s.tick = now + TICK_MS;
	if (stale())
		return SIZE_UNKNOWN;
	if (s.owed == 0 && since < rest(is))
		return SIZE_FINE;
	if (s.owed != 0 || is + SLACK_BYTES < s.free || since >= REST_MS)
		begin_walk();
	else if (is > s.free)
		s.free = is; /* somebody gave some back: what is taken from here on counts */
	return SIZE_FINE;
}

enum size_found size_walked(uint64_t *ret_bytes)
{
	uint64_t sum;
	if (!answer(&sum))
		return stale() ? SIZE_UNKNOWN : SIZE_FINE;
	*ret_bytes = s.grown ? (sum > s.base ? sum - s.base : 0) : sum;
	s.left = *ret_bytes < s.limit ? s.limit - *ret_bytes : 0;
	return *ret_bytes > s.limit ? SIZE_ABOVE : SIZE_FINE;
}

uint64_t size_limit(const char **ret_source)
{
	*ret_source = s.source;
	return s.limit;
}
