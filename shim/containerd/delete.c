/* `delete`: called after every container's end, and for what a dead server left. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/args.h"
#include "containerd/find.h"
#include "containerd/options.h"
#include "containerd/socket.h"
#include "proto/task.pb-c.h"

#define WORDS_MAX 24

extern char **environ;

static ssize_t slurp(const char *path, char *buf, size_t size)
{
	pst_auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	const ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	if (n >= 0)
		buf[n] = '\0';
	return n;
}

/* postern's global flags, a word a line, as the server wrote them at Create. */
static size_t read_words(char *text, const char *words[WORDS_MAX])
{
	size_t n = 0;
	for (char *line; n < WORDS_MAX && (line = strsep(&text, "\n")) != NULL;)
		if (line[0] != '\0')
			words[n++] = line;
	return n;
}

static int run(const char *const argv[], struct pst_err *err)
{
	int st;
	pst_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const pid_t pid = vfork();
	if (pid == 0) {
		/* stdout is the answer */
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		execve(argv[0], (char *const *)(uintptr_t)argv, environ);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &st, 0) != pid)
		return pst_fail_sys(err, "cannot run %s", argv[0]);
	if (!WIFEXITED(st) || WEXITSTATUS(st) != 0)
		return pst_fail(err, PST_E_RUNTIME, "", "%s delete ended with status %d", argv[0],
				WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
	return PST_OK;
}

static int delete_left(const struct pst_shim_args *a, struct pst_err *err)
{
	char text[PST_OPTIONS_MAX];
	const char *words[WORDS_MAX];
	const char *argv[WORDS_MAX + 5];
	size_t n = 0;
	/* First: a Create at work in the server, or one that is on its way to it, sees this, or is
	 * seen by our delete. */
	pst_auto_fd mark = open(PST_DELETED_NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	const int failed = mark < 0 ? errno : 0;
	/* Gone after a Delete: then nothing is left, and most calls end here. */
	if (slurp("postern.options", text, sizeof text) < 0)
		return PST_OK;
	errno = failed;
	if (mark < 0)
		return pst_fail_sys(err, "cannot write the bundle's " PST_DELETED_NAME);
	int rc = pst_shim_postern_path(&argv[n++], err);
	if (rc != PST_OK)
		return rc;
	const size_t nwords = read_words(text, words);
	for (size_t i = 0; i < nwords; i++)
		argv[n++] = words[i];
	argv[n++] = "delete";
	argv[n++] = "--force";
	argv[n++] = a->id;
	argv[n] = NULL;
	rc = run(argv, err);
	if (rc == PST_OK)
		(void)unlink("postern.options");
	return rc;
}

/* The socket of a server that died; another container of the pod may still use it. */
static void drop_socket(void)
{
	char text[160];
	if (slurp("address", text, sizeof text) > 8 && strncmp(text, "unix:///", 8) == 0)
		pst_socket_drop(text + 7, false);
}

static int answer(struct pst_err *err)
{
	char text[32];
	uint8_t out[64];
	struct timespec now;
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__DeleteResponse r = PST__DELETE_RESPONSE__INIT;
	clock_gettime(CLOCK_REALTIME, &now);
	at.seconds = now.tv_sec;
	at.nanos = (int32_t)now.tv_nsec;
	r.pid = slurp("init.pid", text, sizeof text) > 0 ? (uint32_t)strtoul(text, NULL, 10) : 0;
	r.exit_status = 137;
	r.exited_at = &at;
	const size_t len = pst__delete_response__pack(&r, out);
	return write(STDOUT_FILENO, out, len) == (ssize_t)len ? PST_OK
							       : pst_fail_sys(err, "cannot answer");
}

int pst_shim_delete(const struct pst_shim_args *a, struct pst_err *err)
{
	/* The folder beside ours: containerd runs us in the bundle, which is the same. */
	if (a->bundle != NULL && chdir(a->bundle) != 0 && errno != ENOENT)
		return pst_fail_sys(err, "cannot enter bundle %s", a->bundle);
	const int rc = delete_left(a, err);
	while (umount2("rootfs", MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	drop_socket();
	return rc == PST_OK ? answer(err) : rc;
}
