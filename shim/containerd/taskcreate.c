/* Create and Start of a container. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/events.h"
#include "containerd/hold.h"
#include "containerd/job.h"
#include "containerd/task.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

#define DEFAULT_ROOT "/run/containerd/runc"

/* Does the id make a path part and a word of a command line? */
static bool plain_id(const char *id)
{
	const size_t n = strlen(id);
	if (n == 0 || n > 128 || id[0] == '-' || id[0] == '.')
		return false;
	return strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-+") == n;
}

static char *runtime_root(const struct pst_shim_options *o)
{
	char *root = NULL;
	const char *base = o->root != NULL ? o->root : DEFAULT_ROOT;
	return asprintf(&root, "%s/%s", base, pst_service.namespace_) < 0 ? NULL : root;
}

/* The request's rootfs and io, as the event repeats them: a copy, as the request goes. */
static int keep_event(struct pst_task *t, const Pst__CreateTaskRequest *q, struct pst_err *err)
{
	Pst__TaskIO io = PST__TASK_IO__INIT;
	Pst__TaskCreate e = PST__TASK_CREATE__INIT;
	io.stdin = q->stdin;
	io.stdout = q->stdout;
	io.stderr = q->stderr;
	io.terminal = q->terminal;
	e.container_id = q->id;
	e.bundle = q->bundle;
	e.n_rootfs = q->n_rootfs;
	e.rootfs = q->rootfs;
	e.io = &io;
	uint8_t *packed = malloc(pst__task_create__get_packed_size(&e));
	if (packed != NULL)
		t->announce = pst__task_create__unpack(NULL, pst__task_create__pack(&e, packed), packed);
	free(packed);
	return t->announce != NULL ? PST_OK : pst_fail_nomem(err);
}

static int fill_task(struct pst_task *t, const Pst__CreateTaskRequest *q, struct pst_err *err)
{
	int rc = PST_OK;
	if (q->options != NULL)
		rc = pst_options_decode(q->options->type_url, q->options->value.data,
					q->options->value.len, &t->opt, err);
	if (rc != PST_OK)
		return rc;
	t->id = strdup(q->id);
	t->bundle = strdup(q->bundle);
	t->root = runtime_root(&t->opt);
	t->init.in = strdup(q->stdin);
	t->init.out = strdup(q->stdout);
	t->init.err = strdup(q->stderr);
	t->init.terminal = q->terminal;
	t->init.status = PST_STATUS_CREATED;
	t->init.task = t;
	if (t->id == NULL || t->bundle == NULL || t->root == NULL || t->init.in == NULL ||
	    t->init.out == NULL || t->init.err == NULL)
		return pst_fail_nomem(err);
	rc = keep_event(t, q, err);
	if (rc != PST_OK)
		return rc;
	return pst_options_store(t->bundle, &t->opt, t->root, err);
}

static int open_stdio(struct pst_task *t, struct pst_err *err)
{
	const struct pst_procio_want w = {
		.in = t->init.in,
		.out = t->init.out,
		.err = t->init.err,
		.terminal = t->init.terminal,
		.uid = t->opt.io_uid,
		.gid = t->opt.io_gid,
		.id = t->id,
		.namespace_ = pst_service.namespace_,
	};
	return pst_procio_open(&w, &t->init.io, err);
}

#define MOUNT_FLAG "--rootfs-mount="

/* One mount as a word of the command line: flag, type, source, options. To be freed. */
static char *mount_word(const Pst__Mount *m)
{
	size_t len = sizeof MOUNT_FLAG + strlen(m->type) + strlen(m->source) + 3;
	for (size_t i = 0; i < m->n_options; i++)
		len += strlen(m->options[i]) + 1;
	char *s = malloc(len);
	if (s == NULL)
		return NULL;
	char *at = stpcpy(s, MOUNT_FLAG);
	at = stpcpy(stpcpy(at, m->type), ",");
	at = stpcpy(stpcpy(at, m->source), ",");
	for (size_t i = 0; i < m->n_options; i++)
		at = stpcpy(stpcpy(at, i > 0 ? "," : ""), m->options[i]);
	return s;
}

struct words {
	struct pst_args a;
	char pid_file[512];
	char *mounts[16]; /* of the root file system */
	size_t nmounts;
};

static void words_done(struct words *w)
{
	for (size_t i = 0; i < w->nmounts; i++)
		free(w->mounts[i]);
}

static int add_mounts(struct words *w, const Pst__CreateTaskRequest *q, struct pst_err *err)
{
	if (q->n_rootfs > PST_NELEM(w->mounts))
		return pst_fail(err, PST_E_SPEC, "", "more than %zu mounts for a root file system",
				PST_NELEM(w->mounts));
	for (size_t i = 0; i < q->n_rootfs; i++) {
		const Pst__Mount *m = q->rootfs[i];
		if (m->target[0] != '\0')
			return pst_fail(err, PST_E_SPEC, "",
					"a mount below the root file system (%.100s) is not supported",
					m->target);
		if (strchr(m->type, ',') != NULL || strchr(m->source, ',') != NULL)
			return pst_fail(err, PST_E_SPEC, "", "the source of a mount holds a comma: %.100s",
					m->source);
		char *word = mount_word(m);
		if (word == NULL)
			return pst_fail_nomem(err);
		w->mounts[w->nmounts++] = word;
		pst_args_add(&w->a, word);
	}
	return PST_OK;
}

static int create_words(struct words *w, const struct pst_task *t, const Pst__CreateTaskRequest *q,
			struct pst_err *err)
{
	const char *console = pst_procio_console_socket(t->init.io);
	pst_args_begin(&w->a, t);
	pst_args_add(&w->a, "create");
	pst_args_add(&w->a, "--bundle");
	pst_args_add(&w->a, t->bundle);
	pst_args_add(&w->a, "--pid-file");
	snprintf(w->pid_file, sizeof w->pid_file, "%s/init.pid", t->bundle);
	pst_args_add(&w->a, w->pid_file);
	pst_args_add(&w->a, "--hold");
	pst_args_add(&w->a, "3");
	pst_args_add(&w->a, "--hold-look");
	if (console != NULL) {
		pst_args_add(&w->a, "--console-socket");
		pst_args_add(&w->a, console);
	}
	if (t->opt.no_pivot_root)
		pst_args_add(&w->a, "--no-pivot");
	if (t->opt.no_new_keyring)
		pst_args_add(&w->a, "--no-new-keyring");
	const int rc = add_mounts(w, q, err);
	pst_args_add(&w->a, t->id);
	return rc;
}

/* Killed or refused after it was made: nothing of it may stay. */
static void undo_create(struct pst_call *c, struct pst_task *t, const struct pst_err *err)
{
	static const int none[3] = {-1, -1, -1};
	struct pst_args a;
	struct pst_err why = {0};
	pst_call_error(c, err);
	pst_args_begin(&a, t);
	pst_args_add(&a, "delete");
	pst_args_add(&a, "--force");
	pst_args_add(&a, t->id);
	const struct pst_job j = {.task = t, .fd = -1, .done = pst_job_ignore};
	if (pst_job_run(&j, &a, none, -1, &why) != PST_OK)
		pst_log("error", "%s: %s", t->id, why.msg);
	pst_task_free(t);
}

static void announce(struct pst_task *t)
{
	t->announce->pid = (uint32_t)t->init.pid;
	pst_events_send("/tasks/create", "containerd.events.TaskCreate", &t->announce->base);
	pst__task_create__free_unpacked(PST_TAKE(t->announce), NULL);
}

static void created(struct pst_job *j, int status)
{
	struct pst_task *t = j->task;
	struct pst_err err = {0};
	Pst__CreateTaskResponse r = PST__CREATE_TASK_RESPONSE__INIT;
	if (status != 0) {
		pst_job_fail(j->call, t, j->log_at, "OCI runtime create failed", status);
		pst_options_forget(t->bundle);
		pst_child_release();
		pst_task_free(t);
		return;
	}
	int rc = pst_hold_take(t, j->fd, &err);
	if (rc == PST_OK && pst_options_deleted(t->bundle))
		rc = pst_fail(&err, PST_E_STATE, "", "container %s was deleted meanwhile", t->id);
	if (rc == PST_OK)
		rc = pst_procio_begin(t->init.io, &err);
	if (rc == PST_OK)
		rc = pst_cgroup_find(t->init.pid, &t->cgroup, &err);
	if (rc != PST_OK) {
		pst_child_release();
		undo_create(j->call, t, &err);
		return;
	}
	t->creating = false;
	t->own_pidns = pst_hold_own_pidns(t->init.pid);
	pst_proc_await(&t->init);
	pst_child_release();
	pst_parts_begin(t);
	announce(t);
	r.pid = (uint32_t)t->init.pid;
	pst_call_reply(j->call, &r.base);
}

static int begin(struct pst_call *c, struct pst_task *t, const Pst__CreateTaskRequest *q,
		 struct pst_err *err)
{
	int fds[3] = {-1, -1, -1};
	int pair[2];
	struct words w = {.nmounts = 0};
	int rc = fill_task(t, q, err);
	if (rc == PST_OK)
		rc = open_stdio(t, err);
	if (rc == PST_OK)
		rc = create_words(&w, t, q, err);
	if (rc == PST_OK && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		rc = pst_fail_sys(err, "cannot make a socket pair");
	if (rc != PST_OK) {
		words_done(&w);
		return rc;
	}
	pst_procio_ends(t->init.io, fds);
	pst_child_hold();
	const struct pst_job j = {.call = c, .task = t, .fd = pair[0], .done = created,
				  .log_at = pst_job_log_size(t)};
	rc = pst_job_run(&j, &w.a, fds, pair[1], err);
	pst_fd_close(pair[1]);
	if (rc != PST_OK) {
		pst_fd_close(pair[0]);
		pst_child_release();
	}
	words_done(&w);
	return rc;
}

void pst_task_create(struct pst_call *c, const void *msg)
{
	const Pst__CreateTaskRequest *q = msg;
	struct pst_err err = {0};
	if (!plain_id(q->id) || q->bundle[0] != '/' || strlen(q->bundle) > 400) {
		pst_call_fail(c, PST_RPC_INVALID_ARGUMENT, "no valid container id or bundle");
		return;
	}
	if (pst_task_find(q->id) != NULL) {
		pst_call_fail(c, PST_RPC_ALREADY_EXISTS, "container %s: already exists", q->id);
		return;
	}
	if (q->checkpoint[0] != '\0') {
		pst_call_fail(c, PST_RPC_UNIMPLEMENTED, "restore from a checkpoint is not supported: "
			      "it carries ids, filters and capabilities that no plan has judged");
		return;
	}
	struct pst_task *t = calloc(1, sizeof *t);
	if (t == NULL) {
		pst_call_fail(c, PST_RPC_RESOURCE_EXHAUSTED, "out of memory");
		return;
	}
	t->gate = -1;
	t->creating = true;
	t->next = pst_service.tasks;
	pst_service.tasks = t;
	if (begin(c, t, q, &err) == PST_OK)
		return;
	pst_call_error(c, &err);
	if (t->bundle != NULL)
		pst_options_forget(t->bundle);
	pst_task_free(t);
}
