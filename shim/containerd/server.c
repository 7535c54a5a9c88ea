/* The server's life: from the inherited socket to the last event. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "containerd/args.h"
#include "containerd/events.h"
#include "containerd/find.h"
#include "containerd/loop.h"
#include "containerd/service.h"
#include "containerd/socket.h"
#include "containerd/task.h"

/* A server without a task ends after so long: containerd died between `start` and Create,
 * or between Delete and Shutdown. One of 1.6 that comes back connects, and leaves it at that. */
#define ALONE_MS 60000
/* The same when nobody is connected any more. */
#define LEFT_MS 5000
/* Events nobody takes keep it for at most so many times ALONE_MS. */
#define EVENTS_ROUNDS 10
/* Shutdown waits as long as containerd's own shims for events on their way. */
#define EVENTS_MS 5000

static const char *socket_path;
static struct pst_timer alone;
static struct pst_watch word = {.fd = -1};

/* From here on a `start` of the same name makes a new server: one that found this still
 * listening would send containerd to a process about to end. */
static void retire(void)
{
	if (socket_path != NULL) {
		pst_socket_drop(PST_TAKE(socket_path), true);
		pst_serve_no_more();
	}
}

/* Containers that `delete` has ended in a containerd's name that did not ask us. */
static void drop_deleted(void)
{
	struct pst_task *next;
	for (struct pst_task *t = pst_service.tasks; t != NULL; t = next) {
		next = t->next;
		if (t->init.status == PST_STATUS_STOPPED && !t->init.deleting &&
		    pst_options_deleted(t->bundle))
			pst_task_free(t);
	}
}

static void look_around(void *ctx)
{
	static unsigned rounds;
	(void)ctx;
	if (pst_serve_connections() == 0)
		drop_deleted();
	if (pst_service.tasks != NULL)
		return; /* asked again when the last one goes */
	if (pst_events_pending() && ++rounds < EVENTS_ROUNDS)
		pst_timer_set(&alone, ALONE_MS);
	else
		pst_loop_stop();
}

static void all_left(void)
{
	pst_timer_set(&alone, LEFT_MS);
}

void pst_service_empty(void)
{
	pst_timer_set(&alone, pst_serve_connections() == 0 ? LEFT_MS : ALONE_MS);
}

/* `start` has ended: with a byte its answer is out; without one it was killed, and nobody
 * knows where we are. */
static void heard(void *ctx, uint32_t events)
{
	char byte;
	(void)events;
	const ssize_t n = read(PST_WORD_FD, &byte, 1);
	pst_watch_end(&word);
	close(PST_WORD_FD);
	if (n != 1 && pst_serve_connections() == 0)
		look_around(ctx);
}

static void sent(void *ctx)
{
	(void)ctx;
	pst_serve_flush(1000);
	pst_loop_stop();
}

void pst_service_end(void)
{
	retire();
	pst_events_drain(EVENTS_MS, sent, NULL);
}

int pst_shim_serve(const struct pst_shim_args *args, struct pst_err *err)
{
	/* Inherited, and not to be inherited again. */
	if (fcntl(PST_LISTEN_FD, F_SETFD, FD_CLOEXEC) != 0 ||
	    fcntl(PST_WORD_FD, F_SETFD, FD_CLOEXEC) != 0)
		return pst_fail_sys(err, "no socket to serve on: only `start` starts the server");
	int rc = pst_loop_open(err);
	pst_service.namespace_ = args->namespace_;
	if (rc == PST_OK)
		rc = pst_shim_postern_path(&pst_service.postern, err);
	if (rc == PST_OK)
		rc = pst_events_open(args->ttrpc_address, args->namespace_, err);
	if (rc == PST_OK)
		rc = pst_serve_open(PST_LISTEN_FD, pst_service_call, all_left, err);
	word.fd = PST_WORD_FD;
	word.ready = heard;
	if (rc == PST_OK)
		rc = pst_watch_begin(&word, EPOLLIN, err);
	if (rc != PST_OK)
		return rc;
	if (chdir("/") != 0)
		return pst_fail_sys(err, "cannot leave the bundle");
	alone.fire = look_around;
	pst_timer_set(&alone, ALONE_MS);
	socket_path = args->socket_path;
	pst_loop_run();
	retire();
	return PST_OK;
}
