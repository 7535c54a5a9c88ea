#include "containerd/events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/loop.h"
#include "containerd/task.h"
#include "proto/envelope.pb-c.h"
#include "proto/events.pb-c.h"
#include "proto/ttrpc.h"

#define FIRST_RETRY_MS 200
#define LAST_RETRY_MS 5000
#define REPLY_MS 10000 /* twice what the request asks for */
#define REFUSALS 5     /* an event that is refused so often stands in the way of others */

struct event {
	struct event *next;
	const char *topic;
	const void *about; /* see pst_events_send_few; compared only */
	size_t len;
	uint8_t request[]; /* RpcRequest, packed */
};

static struct {
	struct sockaddr_un addr;
	char *namespace_;
	struct event *first, **end;
	struct pst_watch w;
	struct pst_timer timer; /* until the next try, or for the answer */
	struct pst_ttrpc_reader in;
	uint32_t stream;
	size_t sent; /* bytes of the frame of `first` that went out; header included */
	bool inflight;
	unsigned delay, refused;
	struct pst_timer patience;
	void (*drained)(void *ctx);
	void *drained_ctx;
} ev = {.w = {.fd = -1}};

static void kick(void);

int pst_events_open(const char *address, const char *namespace_, struct pst_err *err)
{
	if (strncmp(address, "unix://", 7) == 0)
		address += 7;
	ev.addr.sun_family = AF_UNIX;
	if (strlen(address) >= sizeof ev.addr.sun_path)
		return pst_fail(err, PST_E_SPEC, "", "the events address is too long: %s", address);
	memcpy(ev.addr.sun_path, address, strlen(address) + 1);
	ev.namespace_ = strdup(namespace_);
	ev.end = &ev.first;
	ev.delay = FIRST_RETRY_MS;
	return ev.namespace_ == NULL ? pst_fail_nomem(err) : PST_OK;
}

static void disconnect(void)
{
	const int fd = ev.w.fd;
	pst_watch_end(&ev.w);
	pst_fd_close(fd);
	pst_ttrpc_done(&ev.in);
	ev.inflight = false;
	ev.sent = 0;
	ev.stream = 0;
}

static void again(void *ctx)
{
	(void)ctx;
	if (ev.inflight)
		disconnect();
	kick();
}

static void later(void)
{
	disconnect();
	ev.timer.fire = again;
	pst_timer_set(&ev.timer, ev.delay);
	ev.delay = ev.delay * 2 > LAST_RETRY_MS ? LAST_RETRY_MS : ev.delay * 2;
}

static void tell_drained(void *ctx)
{
	(void)ctx;
	void (*done)(void *) = ev.drained;
	ev.drained = NULL;
	pst_timer_stop(&ev.patience);
	if (done != NULL)
		done(ev.drained_ctx);
}

static void acknowledged(void)
{
	struct event *e = ev.first;
	ev.first = e->next;
	if (ev.first == NULL)
		ev.end = &ev.first;
	free(e);
	pst_timer_stop(&ev.timer);
	ev.inflight = false;
	ev.sent = 0;
	ev.refused = 0;
	ev.delay = FIRST_RETRY_MS;
	if (ev.first == NULL)
		tell_drained(NULL);
	else
		kick();
}

static void on_response(void)
{
	if (ev.in.h.type != PST_TTRPC_RESPONSE || ev.in.h.stream != ev.stream || !ev.inflight)
		return;
	Pst__RpcResponse *r = pst__rpc_response__unpack(NULL, ev.in.nbody, ev.in.body);
	const int code = r == NULL ? PST_RPC_INTERNAL : r->status == NULL ? 0 : r->status->code;
	if (r != NULL)
		pst__rpc_response__free_unpacked(r, NULL);
	const bool passing = code == PST_RPC_UNAVAILABLE || code == PST_RPC_DEADLINE_EXCEEDED ||
			     code == PST_RPC_CANCELED;
	if (code != 0 && (passing || ++ev.refused < REFUSALS)) {
		later();
		return;
	}
	if (code != 0)
		pst_log("error", "containerd refused the event %s %d times (code %d): it is dropped", ev.first->topic,
			REFUSALS, code);
	acknowledged();
}

static void on_ready(void *ctx, uint32_t events)
{
	uint8_t piece[1024];
	(void)ctx;
	if ((events & EPOLLOUT) != 0) {
		pst_watch_change(&ev.w, EPOLLIN);
		kick();
	}
	if (ev.w.fd < 0 || (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0)
		return;
	const ssize_t n = recv(ev.w.fd, piece, sizeof piece, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		/* Lost while idle: nothing to do before the next event. */
		if (ev.first != NULL)
			later();
		else
			disconnect();
		return;
	}
	size_t at = 0;
	while (at < (size_t)n && ev.w.fd >= 0) {
		size_t used = 0;
		const enum pst_ttrpc_got got = pst_ttrpc_take(&ev.in, piece + at, (size_t)n - at, &used);
		at += used;
		if (got == PST_TTRPC_FRAME)
			on_response();
		else if (got != PST_TTRPC_MORE)
			later();
		if (got == PST_TTRPC_FRAME)
			pst_ttrpc_next(&ev.in);
	}
}

static bool connect_now(void)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	ev.w = (struct pst_watch){.fd = fd, .ready = on_ready};
	if (connect(fd, (const struct sockaddr *)&ev.addr, sizeof ev.addr) != 0 ||
	    pst_watch_begin(&ev.w, EPOLLIN, NULL) != PST_OK) {
		pst_fd_close(fd);
		ev.w.fd = -1;
		return false;
	}
	return true;
}

/* The frame of the first event from ev.sent on. 1: all out; 0: not yet; -1: lost. */
static int push(void)
{
	const struct event *e = ev.first;
	uint8_t head[PST_TTRPC_HEADER];
	const struct pst_ttrpc_header h = {.length = (uint32_t)e->len, .stream = ev.stream,
					   .type = PST_TTRPC_REQUEST};
	pst_ttrpc_emit(&h, head);
	while (ev.sent < PST_TTRPC_HEADER + e->len) {
		const bool in_head = ev.sent < PST_TTRPC_HEADER;
		const uint8_t *from = in_head ? head + ev.sent : e->request + ev.sent - PST_TTRPC_HEADER;
		const size_t len = in_head ? PST_TTRPC_HEADER - ev.sent
					   : e->len + PST_TTRPC_HEADER - ev.sent;
		const ssize_t n = send(ev.w.fd, from, len,
				       MSG_DONTWAIT | MSG_NOSIGNAL | (in_head ? MSG_MORE : 0));
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		ev.sent += (size_t)n;
	}
	return 1;
}

/* Move on: connect, send, or wait. */
static void kick(void)
{
	if (ev.first == NULL || (ev.inflight && ev.sent >= PST_TTRPC_HEADER + ev.first->len))
		return;
	if (ev.w.fd < 0 && !connect_now()) {
		later();
		return;
	}
	if (!ev.inflight) {
		ev.inflight = true;
		ev.stream += ev.stream == 0 ? 1 : 2;
		ev.timer.fire = again;
		pst_timer_set(&ev.timer, REPLY_MS);
	}
	const int r = push();
	if (r < 0)
		later();
	else if (r == 0)
		pst_watch_change(&ev.w, EPOLLIN | EPOLLOUT);
}

static struct event *pack(const char *topic, const char *type, const ProtobufCMessage *event)
{
	static char key[] = "containerd-namespace-ttrpc";
	static char service[] = "containerd.services.events.ttrpc.v1.Events";
	static char method[] = "Forward";
	struct timespec now;
	Pst__Timestamp at = PST__TIMESTAMP__INIT;
	Pst__Any any = PST__ANY__INIT;
	Pst__EventEnvelope env = PST__EVENT_ENVELOPE__INIT;
	Pst__ForwardRequest fwd = PST__FORWARD_REQUEST__INIT;
	Pst__KeyValue ns = PST__KEY_VALUE__INIT;
	Pst__KeyValue *metadata[] = {&ns};
	Pst__RpcRequest q = PST__RPC_REQUEST__INIT;
	clock_gettime(CLOCK_REALTIME, &now);
	at.seconds = now.tv_sec;
	at.nanos = (int32_t)now.tv_nsec;
	any.type_url = (char *)(uintptr_t)type;
	any.value.len = protobuf_c_message_get_packed_size(event);
	any.value.data = malloc(any.value.len + 1);
	env.timestamp = &at;
	env.namespace_ = ev.namespace_;
	env.topic = (char *)(uintptr_t)topic;
	env.event = &any;
	fwd.envelope = &env;
	ns.key = key;
	ns.value = ev.namespace_;
	q.service = service;
	q.method = method;
	q.timeout_nano = 5000000000;
	q.metadata = metadata;
	q.n_metadata = 1;
	struct event *e = NULL;
	if (any.value.data != NULL) {
		(void)protobuf_c_message_pack(event, any.value.data);
		q.payload.len = pst__forward_request__get_packed_size(&fwd);
		q.payload.data = malloc(q.payload.len);
	}
	if (q.payload.data != NULL) {
		(void)pst__forward_request__pack(&fwd, q.payload.data);
		const size_t len = pst__rpc_request__get_packed_size(&q);
		e = malloc(sizeof *e + len);
		if (e != NULL) {
			*e = (struct event){.topic = topic, .len = len};
			(void)pst__rpc_request__pack(&q, e->request);
		}
	}
	free(q.payload.data);
	free(any.value.data);
	return e;
}

static void queue(const char *topic, const char *type, const ProtobufCMessage *event, const void *about)
{
	struct event *e = pack(topic, type, event);
	if (e == NULL)
		return;
	e->about = about;
	const bool idle = ev.first == NULL;
	*ev.end = e;
	ev.end = &e->next;
	if (idle)
		kick();
}

void pst_events_send(const char *topic, const char *type, const ProtobufCMessage *event)
{
	queue(topic, type, event, NULL);
}

bool pst_events_send_few(const char *topic, const char *type, const ProtobufCMessage *event, const void *about,
			 unsigned most)
{
	unsigned n = 0;
	for (const struct event *e = ev.first; e != NULL; e = e->next)
		n += e->about == about;
	if (n < most)
		queue(topic, type, event, about);
	return n < most;
}

bool pst_events_pending(void)
{
	return ev.first != NULL;
}

void pst_events_drain(unsigned ms, void (*done)(void *ctx), void *ctx)
{
	ev.drained = done;
	ev.drained_ctx = ctx;
	ev.patience.fire = tell_drained;
	pst_timer_set(&ev.patience, ev.first == NULL ? 0 : ms);
}
