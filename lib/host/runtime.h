/*
 * host/runtime.h - find the OCI runtime, know it, run it.
 *
 * The runtime is always started with its absolute path as found and descriptors as
 * inherited (runc's --preserve-fds counts from 3).
 * One variable is added to its environment, PST_RUNTIME_ENV, so that a copy of
 * ourselves in the runtime's place is recognised instead of starting itself for ever.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/runver.h"

/* Holds the pid of the postern that started the runtime. */
#define PST_RUNTIME_ENV "POSTERN_RUNTIME_OF"

/*
 * Absolute path of runtime `name`: taken as it is when it holds a slash (it must
 * then be absolute), else looked up in PATH (execvp(3) rules, relative entries of PATH
 * left out, entries that are this very program skipped: postern may be
 * installed under the name runc). On success *ret_path is malloc'd.
 * PST_E_RUNTIME when there is none, when it is no executable file, or when it is
 * postern itself (same inode, or PST_RUNTIME_ENV says that we were started as one).
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_runtime_find(const char *name, char **ret_path, struct pst_err *err);

/*
 * Know the runtime at `path`: version and whether it has `features`. The answer
 * is kept in `facts.cache` under state_dirfd, keyed by path, device, inode, size
 * and mtime, so that the runtime is not started for it again (some 5 ms each);
 * state_dirfd -1 keeps nothing, and a cache that cannot be written or read is
 * no error. *ret owns its strings: pst_runtime_done.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_runtime_probe(int state_dirfd, const char *path, struct pst_runtime *ret,
		      struct pst_err *err);

struct pst_spawn {
	const char *path;         /* absolute */
	const char *const *argv;  /* NULL-terminated, argv[0] included */
	const char *const *envp;  /* NULL: ours */
	struct pst_buf *out;      /* collect stdout here; NULL: inherit */
	size_t out_max;           /* 0: 16 MiB; more is PST_E_RUNTIME and the child is killed */
	bool quiet;               /* stdin and stderr are /dev/null (probes) */
	const sigset_t *mask;     /* its signal mask; NULL: ours. Who blocked signals for
				     host/sigforward.h gives the mask from before */
	bool die_with_us;         /* PR_SET_PDEATHSIG SIGKILL: it must not go on without us */
	/* Runs in the child just before exec (netns, filter). Non-zero: the child
	 * reports errno and `before_what` to the parent, which fails with PST_E_HOST. */
	int (*before)(void *arg);
	void *before_arg;
	const char *before_what;
};

/*
 * Start it. *ret_pid is the child, to be given to pst_runtime_wait (which also
 * reads `out`) exactly once. A failing exec is PST_E_RUNTIME here, not an exit status.
 */
struct pst_child {
	pid_t pid;
	int out;     /* read end of its stdout, or -1 */
	size_t max;
	struct pst_buf *buf;
};
PST_CHECKED PST_NONNULL(1, 2)
int pst_runtime_spawn(const struct pst_spawn *s, struct pst_child *ret, struct pst_err *err);

/* Collect its output, wait for it. *ret_status as a shell gives it: exit code, or 128 + signal. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_runtime_wait(struct pst_child *c, int *ret_status, struct pst_err *err);

/* Both. */
PST_CHECKED PST_NONNULL(1, 2)
int pst_runtime_run(const struct pst_spawn *s, int *ret_status, struct pst_err *err);

/* Become the runtime: s->before, then exec (out, quiet, mask and die_with_us are ignored).
 * Returns only on failure. */
PST_CHECKED PST_NONNULL(1)
int pst_runtime_exec(const struct pst_spawn *s, struct pst_err *err);
