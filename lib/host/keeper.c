#include "host/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "core/limitwatch.h"
#include "host/beside.h"
#include "host/denials.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/runtime.h"

#define ANSWER_MS 1000 /* a keeper under load answers in microseconds */
#define WATCH_MS 65000 /* it may have to add up the container's own layer (shim/keeper/size.c) */

static const char *const sockets[] = {"listener.sock", "keeper.sock"};

/* A socket's address below an open directory: short, whatever the directory's path. */
static void address(const struct pst_state *st, const char *name, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(a->sun_path, sizeof a->sun_path, "/proc/self/fd/%d/%s", st->fd, name);
}

static int listen_at(const struct pst_state *st, const char *name, int *ret, struct pst_err *err)
{
	struct sockaddr_un a;
	address(st, name, &a);
	pst_auto_fd fd = pst_host->socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot make a socket");
	if (pst_host->unlinkat(st->fd, name, 0) != 0 && errno != ENOENT)
		return pst_fail_sys(err, "cannot remove the old %s", name);
	if (pst_host->bind(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    pst_host->fchmodat(st->fd, name, 0600) != 0 || pst_host->listen(fd, 64) != 0)
		return pst_fail_sys(err, "cannot listen at %s", name);
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

/* What the child puts in its place before it becomes the keeper. */
struct place {
	int fd[4];
	int hostns;
};

static int settle(void *arg)
{
	struct place *p = arg;
	const int n = (int)PST_NELEM(p->fd);
	if (p->hostns >= 0 && pst_host->setns(p->hostns, CLONE_NEWNS) != 0)
		return -1;
	/* Out of the way first: one may stand where another is to go. */
	for (int i = 0; i < n; i++) {
		p->fd[i] = pst_host->fcntl(p->fd[i], F_DUPFD_CLOEXEC, PST_KEEPER_DIR + n);
		if (p->fd[i] < 0)
			return -1;
	}
	for (int i = 0; i < n; i++)
		if (pst_host->dup3(p->fd[i], PST_KEEPER_DIR + i, 0) < 0)
			return -1;
	return 0;
}

int pst_keeper_name(const struct pst_state *st, const char *file, pid_t pid, struct pst_err *err)
{
	char text[PST_PROCID_TEXT];
	struct pst_procid id;
	int rc = pst_procid_of(pid, &id, err);
	if (rc != PST_OK)
		return rc;
	pst_procid_print(&id, text);
	return pst_io_replace(st->fd, file, text, strlen(text), 0600, err);
}

static int spawn(struct pst_statedir *sd, const struct pst_state *st, int hostns,
		 struct pst_err *err)
{
	static const char *const no_env[] = {NULL};
	pst_auto_free char *program = pst_beside("postern-keeper");
	if (program == NULL) {
		pst_fail(err, PST_E_HOST, "", "the program postern-keeper is not installed, or not "
			 "root's alone to write");
		return pst_err_cure(err, "install it beside postern, or set /denials/record to false");
	}
	const char *const argv[] = {"postern-keeper", st->key, NULL};
	pst_auto_fd listener = -1;
	pst_auto_fd ask = -1;
	/* Opened anew: ours carries the container's lock (flock(2)), and a copy of it would
	 * hold that for as long as the keeper lives. */
	pst_auto_fd dir = pst_host->openat(st->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int denials;
	if (dir < 0)
		return pst_fail_sys(err, "cannot open the container's directory");
	int rc = pst_statedir_sub(sd, PST_DIR_DENIALS, &denials, err);
	if (rc == PST_OK)
		rc = listen_at(st, sockets[0], &listener, err);
	if (rc == PST_OK)
		rc = listen_at(st, sockets[1], &ask, err);
	if (rc != PST_OK)
		return rc;
	struct place place = {.fd = {dir, listener, ask, denials}, .hostns = hostns};
	const struct pst_spawn s = {
		.path = program,
		.argv = argv,
		.envp = no_env,
		.quiet = true,
		.before = settle,
		.before_arg = &place,
		.before_what = "hand the sockets over",
	};
	struct pst_child child = {.out = -1};
	rc = pst_runtime_spawn(&s, &child, err);
	return rc == PST_OK ? pst_keeper_name(st, "keeper", child.pid, err) : rc;
}

int pst_keeper_start(struct pst_statedir *sd, const struct pst_state *st, const char *rules,
		     int hostns, struct pst_err *err)
{
	pst_denials_prune(sd);
	const int rc = pst_io_replace(st->fd, "denials.rules", rules, strlen(rules), 0600, err);
	return rc == PST_OK ? spawn(sd, st, hostns, err) : rc;
}

int pst_keeper_profile(const struct pst_state *st, char *out, size_t size, struct pst_err *err)
{
	static const char key[] = "profile\t";
	pst_auto_buf text = {0};
	const int rc = pst_io_read_file(st->fd, "denials.rules", PST_BUF_CAP / 2, &text, err);
	if (rc != PST_OK)
		return rc;
	/* Headers stand before the rules, one a line. */
	const char *at = pst_buf_cstr(&text);
	while (*at != '\0' && strncmp(at, key, sizeof key - 1) != 0) {
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	const char *value = *at == '\0' ? "" : at + sizeof key - 1;
	const size_t len = strcspn(value, "\n");
	if (len == 0 || len >= size)
		return pst_fail(err, PST_E_STATE, "", "denials.rules names no profile");
	memcpy(out, value, len);
	out[len] = '\0';
	return PST_OK;
}

int pst_keeper_ask(const struct pst_state *st, enum pst_keeper_ask what, struct pst_err *err)
{
	struct sockaddr_un a;
	const char byte = (char)what;
	char answer = 0;
	const int patience = what == PST_KEEPER_WATCH ? WATCH_MS : ANSWER_MS;
	address(st, sockets[1], &a);
	pst_auto_fd fd = pst_host->socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot make a socket");
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (pst_host->connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
	    pst_host->write(fd, &byte, 1) != 1 || pst_host->poll(&p, 1, patience) != 1 ||
	    pst_host->read(fd, &answer, 1) != 1)
		return pst_fail(err, PST_E_STATE, "", "the keeper of the container does not answer");
	if (answer != PST_LIMITWATCH_CANNOT)
		return PST_OK;
	pst_fail(err, PST_E_HOST, "", "the size of the container's own layer is limited, and it cannot be measured");
	return pst_err_cure(err, "see whether its root file system can be read within a minute, keep it on btrfs "
			    "with quotas, or leave the limit out");
}

static bool read_name(const struct pst_state *st, const char *file, struct pst_procid *ret)
{
	char text[PST_PROCID_TEXT];
	return pst_io_read_small(st->fd, file, text, sizeof text) > 0 &&
	       pst_procid_parse(text, ret);
}

bool pst_keeper_named(const struct pst_state *st, const char *file, pid_t *ret)
{
	struct pst_procid id, self;
	if (!read_name(st, file, &id) || pst_procid_self(&self, NULL) != PST_OK ||
	    pst_procid_alive(&id, &self) != PST_ALIVE)
		return false;
	*ret = id.pid;
	return true;
}

/* Wait for its end, killing it when the time is over. */
static int await_end(const struct pst_state *st, bool asked, struct pst_err *err)
{
	pid_t pid;
	if (!pst_keeper_named(st, "keeper", &pid))
		return PST_OK;
	pst_auto_fd fd = pst_host->pidfd_open(pid, 0);
	if (fd < 0)
		return errno == ESRCH ? PST_OK : pst_fail_sys(err, "cannot watch the keeper");
	pid_t again;
	if (!pst_keeper_named(st, "keeper", &again))
		return PST_OK;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (!asked || pst_host->poll(&p, 1, ANSWER_MS) != 1) {
		if (pst_host->pidfd_send_signal(fd, SIGKILL) != 0 && errno != ESRCH)
			return pst_fail_sys(err, "cannot end the keeper");
		(void)pst_host->poll(&p, 1, ANSWER_MS);
	}
	return PST_OK;
}

int pst_keeper_stop(const struct pst_state *st, struct pst_err *err)
{
	struct pst_procid id;
	int status;
	const bool asked = pst_keeper_ask(st, PST_KEEPER_QUIT, NULL) == PST_OK;
	const int rc = await_end(st, asked, err);
	/* Ours to reap when it was us who started it; otherwise no child of that number. */
	if (read_name(st, "keeper", &id))
		(void)pst_host->waitpid(id.pid, &status, WNOHANG);
	return rc;
}

int pst_keeper_ensure(struct pst_statedir *sd, const struct pst_state *st, struct pst_err *err)
{
	if (pst_keeper_ask(st, PST_KEEPER_PING, NULL) == PST_OK)
		return PST_OK;
	pst_auto_fd lock = pst_host->openat(st->fd, "keeper.lock", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (lock < 0 || pst_host->flock(lock, LOCK_EX) != 0)
		return pst_fail_sys(err, "cannot lock the container's keeper");
	/* Somebody may have replaced it while we waited. */
	if (pst_keeper_ask(st, PST_KEEPER_PING, NULL) == PST_OK)
		return PST_OK;
	const int rc = await_end(st, false, err);
	return rc == PST_OK ? spawn(sd, st, -1, err) : rc;
}
