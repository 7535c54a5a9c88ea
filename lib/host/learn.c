#include "host/learn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "core/json.h"
#include "core/learn.h"
#include "host/hostops.h"
#include "host/sysrec.h"

#define TICK_MS 100
_Static_assert((int)PST_SYSREC_BY_EXEC == (int)PST_LEARN_EXEC && (int)PST_SYSREC_PHASES == (int)PST_LEARN_PHASES,
	       "the recorder's phases are the recording's");
#define STOP_MS 10000 /* after SIGTERM, before SIGKILL: as engines do */

/* What the child that launches tells us: init's pid, then how it ended. */
struct word {
	bool end;
	int rc, status;
	pid_t init;
	struct pst_err err;
};

struct run {
	const struct pst_learning *l;
	struct pst_sysrec rec;
	pid_t child, init;
	int up, go, sig;
	sigset_t mask;
	bool ended;
	struct word last;
};

static uint64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* In the child: the container waits, verified. */
static int made(void *ctx, pid_t init, struct pst_err *err)
{
	const struct run *r = ctx;
	char byte;
	const struct word w = {.init = init};
	if (pst_host->write(r->up, &w, sizeof w) != (ssize_t)sizeof w || pst_host->read(r->go, &byte, 1) != 1)
		return pst_fail(err, PST_E_STATE, "", "the learner is gone");
	return PST_OK;
}

static void child(const struct pst_global *g, struct run *r)
{
	struct word w = {.end = true};
	struct pst_launch_job *j = r->l->job;
	j->made = made;
	j->made_ctx = r;
	w.rc = pst_launch_run(g, j, &w.status, &w.err);
	_exit(pst_host->write(r->up, &w, sizeof w) == (ssize_t)sizeof w ? 0 : 1);
}

static int start(const struct pst_global *g, struct run *r, struct pst_err *err)
{
	int up[2], go[2];
	if (pst_host->pipe2(up, O_CLOEXEC) != 0 || pst_host->pipe2(go, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	r->child = pst_host->fork();
	if (r->child < 0)
		return pst_fail_sys(err, "cannot fork");
	if (r->child == 0) {
		r->up = up[1];
		r->go = go[0];
		child(g, r);
	}
	r->up = up[0];
	r->go = go[1];
	pst_fd_close(up[1]);
	pst_fd_close(go[0]);
	return PST_OK;
}

/* One word of the child, or its death. */
static int hear(struct run *r, struct pst_err *err)
{
	struct word w;
	const ssize_t n = pst_host->read(r->up, &w, sizeof w);
	if (n != (ssize_t)sizeof w) {
		r->ended = true;
		return pst_fail(err, PST_E_STATE, "", "the launch died");
	}
	r->last = w;
	r->ended = w.end;
	if (w.end && w.rc != PST_OK) {
		*err = w.err;
		return w.rc;
	}
	return PST_OK;
}

static int signals(struct run *r, struct pst_err *err)
{
	sigset_t s;
	sigemptyset(&s);
	sigaddset(&s, SIGUSR1);
	sigaddset(&s, SIGINT);
	sigaddset(&s, SIGTERM);
	if (pst_host->sigprocmask(SIG_BLOCK, &s, &r->mask) != 0)
		return pst_fail_sys(err, "cannot block signals");
	r->sig = pst_host->signalfd(-1, &s, SFD_CLOEXEC | SFD_NONBLOCK);
	return r->sig >= 0 ? PST_OK : pst_fail_sys(err, "cannot take signals");
}

/* Sleep up to `ms`; which signal came (0: none). The child's end is noted. */
static int doze(struct run *r, unsigned ms, int *sig, struct pst_err *err)
{
	struct signalfd_siginfo si;
	struct pollfd p[2] = {{.fd = r->sig, .events = POLLIN}, {.fd = r->up, .events = POLLIN}};
	*sig = 0;
	if (pst_host->poll(p, 2, (int)ms) < 0 && errno != EINTR)
		return pst_fail_sys(err, "cannot wait");
	if ((p[0].revents & POLLIN) != 0 && pst_host->read(r->sig, &si, sizeof si) == (ssize_t)sizeof si)
		*sig = (int)si.ssi_signo;
	return p[1].revents != 0 ? hear(r, err) : PST_OK;
}

static int enter_net(pid_t init)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/ns/net", (int)init);
	const int fd = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	return fd < 0 ? -1 : pst_host->setns(fd, CLONE_NEWNET);
}

static int wait_status(pid_t pid)
{
	int st = 0;
	pid_t got;
	do
		got = pst_host->waitpid(pid, &st, 0);
	while (got < 0 && errno == EINTR);
	return WIFSIGNALED(st) ? 128 + WTERMSIG(st) : WEXITSTATUS(st);
}

/* Does the port answer inside the container's network? A child, for a thread has one
 * network namespace. */
static bool port_answers(const struct run *r)
{
	const pid_t pid = pst_host->fork();
	if (pid == 0) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->l->port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		const int fd = enter_net(r->init) == 0 ? pst_host->socket(AF_INET, SOCK_STREAM, 0) : -1;
		_exit(fd >= 0 && pst_host->connect(fd, (struct sockaddr *)&a, sizeof a) == 0 ? 0 : 1);
	}
	return pid > 0 && wait_status(pid) == 0;
}

static bool file_is_there(const struct run *r)
{
	char root[64];
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	snprintf(root, sizeof root, "/proc/%d/root", (int)r->init);
	pst_auto_fd dir = pst_host->openat(AT_FDCWD, root, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	pst_auto_fd fd = dir < 0 ? -1 : pst_host->openat2(dir, r->l->path, &how, sizeof how);
	return fd >= 0;
}

/* How many different calls there were. */
static int different(const struct run *r, size_t *ret, struct pst_err *err)
{
	static struct pst_sysrec_count v[PST_SYSREC_CALLS];
	const int rc = pst_sysrec_read(&r->rec, PST_LEARN_START, v, err);
	*ret = 0;
	for (size_t i = 0; rc == PST_OK && i < PST_SYSREC_CALLS; i++)
		*ret += v[i].n > 0;
	return rc;
}

struct quiet {
	size_t calls;
	uint64_t since;
};

static int is_ready(struct run *r, struct quiet *q, int sig, bool *ret, struct pst_err *err)
{
	size_t calls = 0;
	int rc = PST_OK;
	switch (r->l->ready) {
	case PST_READY_TCP:
		*ret = port_answers(r);
		break;
	case PST_READY_FILE:
		*ret = file_is_there(r);
		break;
	case PST_READY_TOLD:
		*ret = sig == SIGUSR1;
		break;
	case PST_READY_QUIET:
		if (r->l->record)
			rc = different(r, &calls, err);
		if (calls != q->calls || q->since == 0)
			*q = (struct quiet){.calls = calls, .since = now_ms()};
		*ret = now_ms() - q->since >= r->l->quiet_ms;
		break;
	}
	return rc;
}

static int await_ready(struct run *r, bool *ret, struct pst_err *err)
{
	const uint64_t end = now_ms() + r->l->patience_ms;
	struct quiet q = {0};
	*ret = false;
	while (!*ret && !r->ended) {
		int sig;
		int rc = doze(r, TICK_MS, &sig, err);
		if (rc == PST_OK && !r->ended)
			rc = is_ready(r, &q, sig, ret, err);
		if (rc != PST_OK)
			return rc;
		if (sig == SIGINT || sig == SIGTERM)
			return pst_fail(err, PST_E_STATE, "", "stopped before the workload was ready");
		if (!*ret && now_ms() > end) {
			pst_fail(err, PST_E_STATE, "", "the workload was not ready within %u s",
				 r->l->patience_ms / 1000);
			return pst_err_cure(err, "tell with --ready how that shows, or give it more with "
					    "--patience");
		}
	}
	return PST_OK;
}

/* The environment with one variable more; in a child that is about to exec. */
static char **more_env(char *var)
{
	size_t n = 0;
	while (environ[n] != NULL)
		n++;
	char **v = calloc(n + 2, sizeof *v);
	if (v != NULL) {
		memcpy(v, environ, n * sizeof *v);
		v[n] = var;
	}
	return v;
}

static int exercise(struct run *r, int *ret, struct pst_err *err)
{
	const pid_t pid = pst_host->fork();
	if (pid < 0)
		return pst_fail_sys(err, "cannot fork");
	if (pid == 0) {
		char init[48];
		char *const argv[] = {(char *)(uintptr_t)"sh", (char *)(uintptr_t)"-c",
				      (char *)(uintptr_t)r->l->exercise, NULL};
		snprintf(init, sizeof init, "POSTERN_INIT=%d", (int)r->init);
		char **env = more_env(init);
		(void)pst_host->sigprocmask(SIG_SETMASK, &r->mask, NULL);
		if (enter_net(r->init) == 0 && env != NULL)
			(void)pst_host->execve("/bin/sh", argv, env);
		_exit(127);
	}
	*ret = wait_status(pid);
	return PST_OK;
}

static int serve(struct run *r, struct pst_learned *out, struct pst_err *err)
{
	if (r->ended)
		return PST_OK;
	int rc = r->l->record ? pst_sysrec_phase(&r->rec, PST_LEARN_SERVING, err) : PST_OK;
	if (rc == PST_OK && r->l->exercise != NULL)
		return exercise(r, &out->exercised, err);
	const uint64_t end = r->l->seconds == 0 ? UINT64_MAX : now_ms() + r->l->seconds * UINT64_C(1000);
	while (rc == PST_OK && !r->ended && now_ms() < end) {
		int sig;
		rc = doze(r, TICK_MS, &sig, err);
		if (sig == SIGINT || sig == SIGTERM)
			break;
	}
	return rc;
}

/* End what was launched, as an engine's stop does. */
static int stop(struct run *r, struct pst_err *err)
{
	int rc = PST_OK, sig;
	const uint64_t end = now_ms() + STOP_MS;
	bool killed = false;
	if (!r->ended && r->l->record)
		rc = pst_sysrec_phase(&r->rec, PST_LEARN_END, err);
	if (!r->ended)
		(void)pst_host->kill(r->child, SIGTERM);
	while (rc == PST_OK && !r->ended) {
		rc = doze(r, TICK_MS, &sig, err);
		if (!killed && now_ms() > end) {
			(void)pst_host->kill(r->init, SIGKILL);
			killed = true;
		}
	}
	return rc;
}

static int collect(struct run *r, json_t *rec, struct pst_err *err)
{
	static struct pst_sysrec_count v[PST_SYSREC_CALLS];
	static struct pst_sysrec_args a[PST_SYSREC_ARGS];
	struct pst_sysrec_faults f;
	size_t n = 0;
	int rc = PST_OK;
	for (unsigned ph = 0; rc == PST_OK && ph < PST_LEARN_PHASES; ph++) {
		rc = pst_sysrec_read(&r->rec, ph, v, err);
		for (unsigned nr = 0; rc == PST_OK && nr < PST_SYSREC_CALLS; nr++) {
			char comm[17] = "";
			memcpy(comm, v[nr].comm, 16);
			if (v[nr].n > 0)
				rc = pst_learn_call(rec, (enum pst_learn_phase)ph, nr, v[nr].n, comm, err);
		}
	}
	if (rc == PST_OK)
		rc = pst_sysrec_args(&r->rec, a, &n, err);
	for (size_t i = 0; rc == PST_OK && i < n; i++)
		rc = pst_learn_args(rec, a[i].nr, (uint32_t[]){a[i].a, a[i].b, a[i].c}, err);
	if (rc == PST_OK)
		rc = pst_sysrec_faults(&r->rec, &f, err);
	if (rc == PST_OK && f.args_lost > 0)
		rc = pst_learn_incomplete(rec, "more different arguments than the recorder keeps", err);
	if (rc == PST_OK && f.tasks_lost > 0)
		rc = pst_learn_incomplete(rec, "more threads by exec at one time than the recorder can tell apart", err);
	if (rc == PST_OK && f.foreign > 0)
		rc = pst_learn_incomplete(rec, "calls of 32-bit programs, or of numbers without a name", err);
	return rc;
}

/* Of a container that runs: init's pid, as its runtime tells. */
static int find_init(const struct pst_global *g, const char *id, pid_t *ret, struct pst_err *err)
{
	const char *const argv[] = {"state", id, NULL};
	struct pst_container_info info = {0};
	pst_auto_buf out = {0};
	pst_auto_json *j = NULL;
	int status = 0;
	uint64_t pid = 0;
	int rc = pst_container_info(g, id, &info, err);
	if (rc == PST_OK)
		rc = pst_container_capture(g, info.runtime_root, argv, &out, &status, err);
	pst_container_info_done(&info);
	if (rc == PST_OK && status != 0)
		return pst_fail(err, PST_E_STATE, "", "there is no container %s", id);
	if (rc == PST_OK)
		rc = pst_json_parse(pst_buf_cstr(&out), out.len, "state", &pst_json_oci, &j, err);
	if (rc == PST_OK && (!pst_json_u64(json_object_get(j, "pid"), &pid) || pid == 0 || pid > INT32_MAX))
		rc = pst_fail(err, PST_E_STATE, "", "container %s does not run", id);
	*ret = (pid_t)pid;
	return rc;
}

static int launch(const struct pst_global *g, struct run *r, struct pst_learned *out,
		  struct pst_err *err)
{
	bool ready = false;
	int rc = start(g, r, err);
	if (rc == PST_OK)
		rc = signals(r, err);
	if (rc == PST_OK)
		rc = hear(r, err);
	r->init = r->last.init;
	if (rc == PST_OK && r->l->record)
		rc = pst_sysrec_open(r->init, &r->rec, err);
	if (rc == PST_OK && pst_host->write(r->go, "y", 1) != 1)
		rc = pst_fail_sys(err, "cannot start the workload");
	if (rc == PST_OK)
		rc = await_ready(r, &ready, err);
	/* A job may end before anything says that it is ready; a server may not. */
	if (rc == PST_OK && !ready && (r->l->ready != PST_READY_QUIET || r->l->exercise != NULL)) {
		pst_fail(err, PST_E_STATE, "", "the workload ended with status %d before it was ready",
			 r->last.status);
		rc = pst_err_cure(err, "run it with `postern launch` first");
	}
	if (rc == PST_OK)
		rc = serve(r, out, err);
	/* Closed, it tells a child that waits still that we failed. */
	pst_fd_close(PST_TAKE_FD(r->go));
	struct pst_err why = {0};
	const int stopped = r->child > 0 ? stop(r, &why) : PST_OK;
	if (r->child > 0)
		(void)wait_status(r->child);
	if (rc == PST_OK && stopped != PST_OK) {
		*err = why;
		rc = stopped;
	}
	out->status = r->last.status;
	return rc;
}

static int watch(const struct pst_global *g, struct run *r, struct pst_learned *out,
		 struct pst_err *err)
{
	int rc = signals(r, err);
	if (rc == PST_OK)
		rc = find_init(g, r->l->id, &r->init, err);
	if (rc == PST_OK)
		rc = pst_sysrec_open(r->init, &r->rec, err);
	return rc == PST_OK ? serve(r, out, err) : rc;
}

int pst_learn_run(const struct pst_global *g, const struct pst_learning *l, struct pst_learned *ret,
		  struct pst_err *err)
{
	struct run r = {.l = l, .rec = PST_SYSREC_NONE, .up = -1, .go = -1, .sig = -1};
	struct pst_learned out = {0};
	int rc = l->job != NULL ? launch(g, &r, &out, err) : watch(g, &r, &out, err);
	if (rc == PST_OK && l->record) {
		out.recording = pst_learn_new(l->title);
		rc = out.recording == NULL ? pst_fail_nomem(err) : collect(&r, out.recording, err);
	}
	if (rc == PST_OK && l->record && l->id != NULL)
		rc = pst_learn_incomplete(out.recording, "the container's start was not seen", err);
	pst_sysrec_close(&r.rec);
	pst_fd_close(r.up);
	pst_fd_close(r.go);
	if (r.sig >= 0)
		(void)pst_host->sigprocmask(SIG_SETMASK, &r.mask, NULL);
	pst_fd_close(r.sig);
	if (rc != PST_OK) {
		pst_learned_done(&out);
		return rc;
	}
	*ret = out;
	return PST_OK;
}

void pst_learned_done(struct pst_learned *r)
{
	json_decref(r->recording);
	*r = (struct pst_learned){0};
}
