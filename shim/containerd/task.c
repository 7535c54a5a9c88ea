/* The tasks of this shim, and the table of the service's methods. */
#include "containerd/task.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/service.h"
#include "proto/events.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"

struct pst_service pst_service;

struct pst_task *pst_task_find(const char *id)
{
	struct pst_task *t = pst_service.tasks;
	while (t != NULL && strcmp(t->id, id) != 0)
		t = t->next;
	return t;
}

struct pst_proc *pst_task_exec(struct pst_task *t, const char *exec_id)
{
	struct pst_proc *p = t->execs;
	while (p != NULL && strcmp(p->id, exec_id) != 0)
		p = p->next;
	return p;
}

struct pst_proc *pst_task_proc(struct pst_call *c, const char *id, const char *exec_id)
{
	struct pst_task *t = pst_task_find(id);
	/* One that is being created is not there yet: it may still fail. */
	if (t == NULL || t->creating) {
		pst_call_fail(c, PST_RPC_NOT_FOUND, "container not created: %s: not found", id);
		return NULL;
	}
	struct pst_proc *p = exec_id[0] == '\0' ? &t->init : pst_task_exec(t, exec_id);
	if (p == NULL)
		pst_call_fail(c, PST_RPC_NOT_FOUND, "process does not exist %s: not found", exec_id);
	return p;
}

void pst_proc_free_fields(struct pst_proc *p)
{
	pst_child_forget(&p->child);
	pst_procio_free(PST_TAKE(p->io));
	if (p->deleter != NULL)
		pst_call_fail(PST_TAKE(p->deleter), PST_RPC_NOT_FOUND, "container deleted: not found");
	for (struct pst_waiter *w = p->waiters, *next; w != NULL; w = next) {
		next = w->next;
		pst_call_fail(w->call, PST_RPC_NOT_FOUND, "process deleted: not found");
		free(w);
	}
	free(p->id);
	free(p->in);
	free(p->out);
	free(p->err);
	free(p->spec);
}

void pst_exec_free(struct pst_proc *p)
{
	struct pst_proc **at = &p->task->execs;
	while (*at != NULL && *at != p)
		at = &(*at)->next;
	if (*at == p)
		*at = p->next;
	pst_proc_free_fields(p);
	p->gone = p->starting;
	if (!p->gone)
		free(p);
}

static void unlink_task(struct pst_task *t)
{
	struct pst_task **at = &pst_service.tasks;
	while (*at != NULL && *at != t)
		at = &(*at)->next;
	if (*at == t)
		*at = t->next;
	if (pst_service.tasks == NULL)
		pst_service_empty();
}

void pst_task_release(struct pst_task *t)
{
	if (--t->jobs > 0 || !t->gone)
		return;
	pst_options_done(&t->opt);
	free(t->root);
	free(t->bundle);
	free(t->id);
	free(t);
}

void pst_task_free(struct pst_task *t)
{
	unlink_task(t);
	while (t->execs != NULL)
		pst_exec_free(t->execs);
	pst_proc_free_fields(&t->init);
	if (t->announce != NULL)
		pst__task_create__free_unpacked(t->announce, NULL);
	pst_parts_end(t);
	pst_cgroup_done(&t->cgroup);
	pst_timer_stop(&t->late);
	pst_timer_stop(&t->hold_end);
	pst_child_forget(&t->held);
	pst_fd_close(PST_TAKE_FD(t->gate));
	/* A call that still runs for it looks at what is left. */
	t->gone = true;
	t->jobs++;
	pst_task_release(t);
}

void pst_log(const char *level, const char *fmt, ...)
{
	char line[512];
	int n = snprintf(line, sizeof line, "level=%s msg=\"postern: ", level);
	va_list ap;
	va_start(ap, fmt);
	const int more = vsnprintf(line + n, sizeof line - (size_t)n - 3, fmt, ap);
	va_end(ap);
	n += more < 0 ? 0 : more;
	if (n > (int)sizeof line - 4)
		n = (int)sizeof line - 4;
	for (int i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ')
			line[i] = ' ';
	line[n++] = '"';
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, (size_t)n);
}

void pst_call_error(struct pst_call *c, const struct pst_err *err)
{
	static const struct {
		int code, rpc;
	} map[] = {
		{PST_E_SPEC, PST_RPC_INVALID_ARGUMENT},
		{PST_E_POLICY, PST_RPC_PERMISSION_DENIED},
		{PST_E_EXHAUSTED, PST_RPC_RESOURCE_EXHAUSTED},
		{PST_E_STATE, PST_RPC_FAILED_PRECONDITION},
		{PST_E_NOMEM, PST_RPC_RESOURCE_EXHAUSTED},
	};
	int rpc = PST_RPC_UNKNOWN;
	for (size_t i = 0; i < PST_NELEM(map); i++)
		if (map[i].code == err->code)
			rpc = map[i].rpc;
	pst_call_fail(c, rpc, "%s%s%s", err->msg, err->cure[0] != '\0' ? "; " : "", err->cure);
}

static void shut_down(struct pst_call *c, const void *msg)
{
	(void)msg;
	/* Another connection may be about to Create; when it is not, its end ends us (server.c). */
	if (pst_service.tasks == NULL && pst_serve_connections() < 2)
		pst_service_end();
	pst_call_reply(c, NULL);
}

struct method {
	const char *name;
	const ProtobufCMessageDescriptor *request;
	void (*handle)(struct pst_call *c, const void *msg);
};

static const struct method methods[] = {
	{"Checkpoint", &pst__checkpoint_task_request__descriptor, pst_task_checkpoint},
	{"CloseIO", &pst__close_iorequest__descriptor, pst_task_close_io},
	{"Connect", &pst__connect_request__descriptor, pst_task_connect},
	{"Create", &pst__create_task_request__descriptor, pst_task_create},
	{"Delete", &pst__delete_request__descriptor, pst_task_delete},
	{"Exec", &pst__exec_process_request__descriptor, pst_task_exec_add},
	{"Kill", &pst__kill_request__descriptor, pst_task_kill},
	{"Pause", &pst__pause_request__descriptor, pst_task_pause},
	{"Pids", &pst__pids_request__descriptor, pst_task_pids},
	{"ResizePty", &pst__resize_pty_request__descriptor, pst_task_resize},
	{"Resume", &pst__resume_request__descriptor, pst_task_resume},
	{"Shutdown", &pst__shutdown_request__descriptor, shut_down},
	{"Start", &pst__start_request__descriptor, pst_task_start},
	{"State", &pst__state_request__descriptor, pst_task_state},
	{"Stats", &pst__stats_request__descriptor, pst_task_stats},
	{"Update", &pst__update_task_request__descriptor, pst_task_update},
	{"Wait", &pst__wait_request__descriptor, pst_task_wait},
};

void pst_service_call(struct pst_call *c, const char *service, const char *method,
		      const uint8_t *payload, size_t len)
{
	if (strcmp(service, "containerd.task.v2.Task") != 0 &&
	    strcmp(service, "containerd.task.v3.Task") != 0) {
		pst_call_fail(c, PST_RPC_UNIMPLEMENTED, "service %s", service);
		return;
	}
	const struct method *m = NULL;
	for (size_t i = 0; m == NULL && i < PST_NELEM(methods); i++)
		if (strcmp(methods[i].name, method) == 0)
			m = &methods[i];
	if (m == NULL) {
		pst_call_fail(c, PST_RPC_UNIMPLEMENTED, "method %s", method);
		return;
	}
	ProtobufCMessage *msg = protobuf_c_message_unpack(m->request, NULL, len, payload);
	if (msg == NULL) {
		pst_call_fail(c, PST_RPC_INVALID_ARGUMENT, "%s: the request is no valid message", method);
		return;
	}
	m->handle(c, msg);
	protobuf_c_message_free_unpacked(msg, NULL);
}
