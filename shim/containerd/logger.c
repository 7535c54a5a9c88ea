#include "containerd/logger.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/loop.h"

#define ARGS_MAX 64
#define GRACE_MS 10000
#define TERM_MS 12000

struct pst_logger {
	struct pst_child child;
	struct pst_timer timer;
	bool ending, gone, told;
	int ready; /* it says on this that it is; kept open so that its write works */
};

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	const char l = (char)(c | 32);
	return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

/* Percent decoding in place; '+' is a blank in a query. */
static void decode(char *s)
{
	char *to = s;
	for (; *s != '\0'; s++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to++ = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
		} else {
			*to++ = *s == '+' ? ' ' : *s;
		}
	}
	*to = '\0';
}

static bool has(char *const argv[], size_t n, const char *key)
{
	for (size_t i = 1; i < n; i += 2)
		if (strcmp(argv[i], key) == 0)
			return true;
	return false;
}

/* The words of the query, in `text`, which is cut up. */
static int words(char *text, char *argv[ARGS_MAX], struct pst_err *err)
{
	static char empty[] = "";
	size_t n = 1;
	char *query = strchr(text, '?');
	argv[0] = text;
	if (query != NULL)
		*query++ = '\0';
	for (char *p = query; p != NULL && *p != '\0';) {
		char *next = strchr(p, '&');
		if (next != NULL)
			*next++ = '\0';
		char *value = strchr(p, '=');
		if (value != NULL)
			*value++ = '\0';
		else
			value = empty;
		decode(p);
		if (value != empty)
			decode(value);
		if (n + 3 > ARGS_MAX)
			return pst_fail(err, PST_E_SPEC, "", "too many arguments for a logging program");
		if (!has(argv, n, p)) {
			argv[n++] = p;
			argv[n++] = value;
		}
		p = next;
	}
	argv[n] = NULL;
	decode(text);
	return text[0] == '/' ? PST_OK : pst_fail(err, PST_E_SPEC, "", "not an absolute path: %.200s", text);
}

PST_NORETURN static void become(char *const argv[], char *const env[], int null, const int fds[3])
{
	(void)dup2(null, 0);
	(void)dup2(null, 1);
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], 3 + i) < 0)
			_exit(127);
	(void)syscall(SYS_close_range, 6u, ~0u, 0u);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, pst_loop_mask(), NULL);
	execve(argv[0], argv, env);
	_exit(127);
}

static void ended(void *ctx, int status)
{
	struct pst_logger *l = ctx;
	(void)status;
	l->gone = true;
	if (!l->ending)
		return;
	pst_timer_stop(&l->timer);
	pst_fd_close(l->ready);
	free(l);
}

static void enough(void *ctx)
{
	struct pst_logger *l = ctx;
	(void)kill(l->child.pid, l->told ? SIGKILL : SIGTERM);
	if (!l->told)
		pst_timer_set(&l->timer, TERM_MS);
	l->told = true;
}

/* At 8 or above: the moves to 3, 4 and 5 must not tread on them. */
static int high(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 8);
}

static int spawn(char *const argv[], char *const env[], int out, int err_fd, struct pst_logger *l,
		 struct pst_err *err)
{
	int ready[2];
	if (pipe2(ready, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	l->ready = ready[0];
	pst_auto_fd word = ready[1];
	pst_auto_fd a = high(out);
	pst_auto_fd b = high(err_fd);
	pst_auto_fd c = high(word);
	pst_auto_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const int fds[3] = {a, b, c};
	if (access(argv[0], X_OK) != 0)
		return pst_fail_sys(err, "cannot run the logging program %s", argv[0]);
	const pid_t pid = a < 0 || b < 0 || c < 0 || null < 0 ? -1 : vfork();
	if (pid == 0)
		become(argv, env, null, fds);
	if (pid < 0)
		return pst_fail_sys(err, "cannot start the logging program");
	l->child = (struct pst_child){.pid = pid, .ended = ended, .ctx = l};
	pst_child_await(&l->child);
	return PST_OK;
}

int pst_logger_start(const char *uri, const char *id, const char *namespace_, int out, int err_fd,
		     struct pst_logger **ret, struct pst_err *err)
{
	char *argv[ARGS_MAX];
	char id_env[320];
	char ns_env[320];
	char *const env[] = {id_env, ns_env, NULL};
	pst_auto_free char *text = strdup(strstr(uri, "://") + 3);
	pst_auto_free struct pst_logger *l = calloc(1, sizeof *l);
	if (text == NULL || l == NULL)
		return pst_fail_nomem(err);
	l->ready = -1;
	snprintf(id_env, sizeof id_env, "CONTAINER_ID=%s", id);
	snprintf(ns_env, sizeof ns_env, "CONTAINER_NAMESPACE=%s", namespace_);
	int rc = words(text, argv, err);
	if (rc == PST_OK)
		rc = spawn(argv, env, out, err_fd, l, err);
	if (rc == PST_OK)
		*ret = PST_TAKE(l);
	else
		pst_fd_close(l->ready);
	return rc;
}

void pst_logger_end(struct pst_logger *l)
{
	if (l == NULL)
		return;
	l->ending = true;
	if (l->gone) {
		pst_fd_close(l->ready);
		free(l);
		return;
	}
	l->timer.fire = enough;
	l->timer.ctx = l;
	pst_timer_set(&l->timer, GRACE_MS);
}
