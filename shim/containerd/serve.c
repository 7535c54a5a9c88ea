#include "containerd/serve.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/loop.h"
#include "proto/envelope.pb-c.h"
#include "proto/ttrpc.h"

/* A client that reads no answers is not read from any more above this. */
#define QUEUE_MAX ((size_t)8 << 20)

struct conn {
	struct pst_watch w;
	struct conn *next, *prev;
	struct pst_ttrpc_reader in;
	uint8_t *out; /* answers the socket did not take yet */
	size_t nout;
	uint32_t last; /* highest stream seen */
	unsigned calls; /* unanswered; a dead connection lives on for them */
	bool dead;
};

struct pst_call {
	struct conn *conn;
	uint32_t stream;
};

static struct {
	struct pst_watch listen;
	struct pst_timer retry; /* after a lack of descriptors */
	pst_serve_fn *fn;
	void (*left)(void);
	struct conn *conns;
	unsigned n;
} server = {.listen = {.fd = -1}};

static void release(struct conn *c)
{
	if (c->dead && c->calls == 0)
		free(c);
}

static void hang_up(struct conn *c)
{
	if (c->dead)
		return;
	const int fd = c->w.fd;
	pst_watch_end(&c->w);
	pst_fd_close(fd);
	pst_ttrpc_done(&c->in);
	free(PST_TAKE(c->out));
	c->nout = 0;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		server.conns = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	c->dead = true;
	if (--server.n == 0)
		server.left();
}

static void set_interest(struct conn *c)
{
	const uint32_t in = c->nout < QUEUE_MAX ? (uint32_t)EPOLLIN : 0;
	pst_watch_change(&c->w, in | (c->nout > 0 ? (uint32_t)EPOLLOUT : 0));
}

/* Send, or queue what the socket does not take. */
static void put(struct conn *c, const uint8_t *data, size_t len)
{
	if (c->nout == 0) {
		const ssize_t n = send(c->w.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			hang_up(c);
			return;
		}
		data += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
	if (len == 0)
		return;
	uint8_t *out = realloc(c->out, c->nout + len);
	if (out == NULL) {
		hang_up(c);
		return;
	}
	c->out = out;
	memcpy(c->out + c->nout, data, len);
	c->nout += len;
	set_interest(c);
}

static void write_out(struct conn *c)
{
	const ssize_t n = send(c->w.fd, c->out, c->nout, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			hang_up(c);
		return;
	}
	c->nout -= (size_t)n;
	memmove(c->out, c->out + n, c->nout);
	if (c->nout == 0)
		free(PST_TAKE(c->out));
	set_interest(c);
}

static void answer(struct conn *c, uint32_t stream, const Pst__RpcResponse *r)
{
	const size_t len = pst__rpc_response__get_packed_size(r);
	const struct pst_ttrpc_header h = {.length = (uint32_t)len, .stream = stream,
					   .type = PST_TTRPC_RESPONSE};
	uint8_t *frame = malloc(PST_TTRPC_HEADER + len);
	if (frame == NULL) {
		hang_up(c);
		return;
	}
	pst_ttrpc_emit(&h, frame);
	(void)pst__rpc_response__pack(r, frame + PST_TTRPC_HEADER);
	put(c, frame, PST_TTRPC_HEADER + len);
	free(frame);
}

static void answer_status(struct conn *c, uint32_t stream, int code, char *text)
{
	Pst__RpcStatus st = PST__RPC_STATUS__INIT;
	Pst__RpcResponse r = PST__RPC_RESPONSE__INIT;
	st.code = code;
	st.message = text;
	r.status = &st;
	answer(c, stream, &r);
}

void pst_call_reply(struct pst_call *call, const ProtobufCMessage *m)
{
	struct conn *c = call->conn;
	Pst__RpcResponse r = PST__RPC_RESPONSE__INIT;
	c->calls--;
	if (!c->dead) {
		r.payload.len = m == NULL ? 0 : protobuf_c_message_get_packed_size(m);
		r.payload.data = r.payload.len == 0 ? NULL : malloc(r.payload.len);
		if (r.payload.len > 0 && r.payload.data == NULL)
			hang_up(c);
		else if (r.payload.len > 0)
			(void)protobuf_c_message_pack(m, r.payload.data);
	}
	if (!c->dead)
		answer(c, call->stream, &r);
	free(r.payload.data);
	free(call);
	release(c);
}

void pst_call_fail(struct pst_call *call, int code, const char *fmt, ...)
{
	struct conn *c = call->conn;
	char text[1200];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->calls--;
	if (!c->dead)
		answer_status(c, call->stream, code, text);
	free(call);
	release(c);
}

static void request(struct conn *c, const struct pst_ttrpc_reader *in)
{
	static char bad_stream[] = "stream ids of a client are odd and grow";
	static char bad_request[] = "the frame holds no request";
	static char no_memory[] = "out of memory";
	if ((in->h.stream & 1) == 0 || in->h.stream <= c->last) {
		answer_status(c, in->h.stream, PST_RPC_INVALID_ARGUMENT, bad_stream);
		return;
	}
	c->last = in->h.stream;
	Pst__RpcRequest *q = pst__rpc_request__unpack(NULL, in->nbody, in->body);
	if (q == NULL) {
		answer_status(c, in->h.stream, PST_RPC_INVALID_ARGUMENT, bad_request);
		return;
	}
	struct pst_call *call = malloc(sizeof *call);
	if (call == NULL) {
		answer_status(c, in->h.stream, PST_RPC_RESOURCE_EXHAUSTED, no_memory);
	} else {
		*call = (struct pst_call){.conn = c, .stream = in->h.stream};
		c->calls++;
		server.fn(call, q->service, q->method, q->payload.data, q->payload.len);
	}
	pst__rpc_request__free_unpacked(q, NULL);
}

/* One frame, or part of one. */
static void take(struct conn *c, const uint8_t *data, size_t len)
{
	static char too_big[] = "the message is larger than 4 MiB";
	while (len > 0 && !c->dead) {
		size_t used = 0;
		const enum pst_ttrpc_got got = pst_ttrpc_take(&c->in, data, len, &used);
		data += used;
		len -= used;
		if (got == PST_TTRPC_NOMEM) {
			hang_up(c);
		} else if (got == PST_TTRPC_TOOBIG) {
			answer_status(c, c->in.h.stream, PST_RPC_RESOURCE_EXHAUSTED, too_big);
			pst_ttrpc_next(&c->in);
		} else if (got == PST_TTRPC_FRAME) {
			if (c->in.h.type == PST_TTRPC_REQUEST)
				request(c, &c->in);
			pst_ttrpc_next(&c->in);
		}
	}
}

static void on_ready(void *ctx, uint32_t events)
{
	struct conn *c = ctx;
	uint8_t piece[8192];
	c->calls++; /* it may be hung up meanwhile, but not freed */
	if ((events & EPOLLOUT) != 0 && c->nout > 0)
		write_out(c);
	if (!c->dead && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && c->nout < QUEUE_MAX) {
		const ssize_t n = recv(c->w.fd, piece, sizeof piece, MSG_DONTWAIT);
		if (n > 0)
			take(c, piece, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			hang_up(c);
	} else if (!c->dead && (events & (EPOLLHUP | EPOLLERR)) != 0) {
		hang_up(c);
	}
	c->calls--;
	release(c);
}

static void try_again(void *ctx)
{
	(void)ctx;
	pst_watch_change(&server.listen, EPOLLIN);
}

/* Only whoever we are may command us. */
static bool trusted(int fd)
{
	struct ucred u;
	socklen_t len = sizeof u;
	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) == 0 && u.uid == geteuid() &&
	       u.gid == getegid();
}

static void on_connect(void *ctx, uint32_t events)
{
	(void)ctx;
	(void)events;
	const int fd = accept4(server.listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd < 0) {
		/* Out of descriptors: the waiting client would wake us for ever. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
			pst_watch_change(&server.listen, 0);
			server.retry.fire = try_again;
			pst_timer_set(&server.retry, 100);
		}
		return;
	}
	struct conn *c = trusted(fd) ? calloc(1, sizeof *c) : NULL;
	if (c == NULL) {
		pst_fd_close(fd);
		return;
	}
	c->w = (struct pst_watch){.fd = fd, .ready = on_ready, .ctx = c};
	if (pst_watch_begin(&c->w, EPOLLIN, NULL) != PST_OK) {
		pst_fd_close(fd);
		free(c);
		return;
	}
	c->next = server.conns;
	if (c->next != NULL)
		c->next->prev = c;
	server.conns = c;
	server.n++;
}

int pst_serve_open(int listen_fd, pst_serve_fn *fn, void (*left)(void), struct pst_err *err)
{
	server.fn = fn;
	server.left = left;
	server.listen = (struct pst_watch){.fd = listen_fd, .ready = on_connect};
	return pst_watch_begin(&server.listen, EPOLLIN, err);
}

void pst_serve_no_more(void)
{
	const int fd = server.listen.fd;
	pst_watch_end(&server.listen);
	pst_timer_stop(&server.retry);
	pst_fd_close(fd);
}

unsigned pst_serve_connections(void)
{
	return server.n;
}

void pst_serve_flush(unsigned ms)
{
	struct conn *next;
	for (struct conn *c = server.conns; c != NULL; c = next) {
		next = c->next;
		while (!c->dead && c->nout > 0) {
			struct pollfd p = {.fd = c->w.fd, .events = POLLOUT};
			if (poll(&p, 1, (int)ms) <= 0)
				break;
			c->calls++;
			write_out(c);
			c->calls--;
		}
		release(c);
	}
}
