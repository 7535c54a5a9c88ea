#include "containerd/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

#define CHUNK ((size_t)1 << 20)
#define BULK 65536         /* a splice that moved this much met a full pipe */
#define BULK_PIPE (1 << 18)
#define TURNS 16           /* splices in one go, so that others get theirs */

/* Shared by all: nothing stays in it between two calls. Whole reads of a terminal, which
 * gives 4095 bytes at most (drivers/tty/n_tty.c, N_TTY_BUF_SIZE - 1): no read for a rest. */
static uint8_t scratch[8 * 4095];

static void on_ready(void *ctx, uint32_t events);

static void finish(struct pst_stream *s)
{
	pst_watch_end(&s->w);
	pst_fd_close(PST_TAKE_FD(s->to));
	s->done = true;
	if (s->ended != NULL)
		s->ended(s->ctx);
}

/* Watch this one alone. */
static void watch(struct pst_stream *s, int fd, uint32_t events)
{
	if (s->w.fd == fd)
		return;
	pst_watch_end(&s->w);
	s->w = (struct pst_watch){.fd = fd, .ready = on_ready, .ctx = s};
	if (pst_watch_begin(&s->w, events, NULL) == PST_OK)
		return;
	s->w.fd = -1;
	finish(s);
}

static void wait_source(struct pst_stream *s)
{
	watch(s, s->from, EPOLLIN);
}

static void wait_room(struct pst_stream *s)
{
	watch(s, s->to, EPOLLOUT);
}

/* Nothing moved: is there nothing, or no room? */
static bool source_empty(int fd)
{
	int n = 0;
	return ioctl(fd, FIONREAD, &n) != 0 || n == 0;
}

static void grow(struct pst_stream *s)
{
	if (s->bulk)
		return;
	s->bulk = true;
	(void)fcntl(s->from, F_SETPIPE_SZ, BULK_PIPE);
	(void)fcntl(s->to, F_SETPIPE_SZ, BULK_PIPE);
}

static void by_splice(struct pst_stream *s)
{
	for (int i = 0; i < TURNS; i++) {
		const ssize_t n = splice(s->from, NULL, s->to, NULL, CHUNK,
					 SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n > 0) {
			if (n >= BULK)
				grow(s);
			/* Less than a pipe holds: it was all, most likely. */
			if (n < 4096)
				break;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || errno != EAGAIN) {
			finish(s);
			return;
		}
		if (!source_empty(s->from)) {
			wait_room(s);
			return;
		}
		break;
	}
	wait_source(s);
}

/* Write what waits; false if some still does. */
static bool flush(struct pst_stream *s)
{
	while (s->at < s->ncarry) {
		const ssize_t n = write(s->to, s->carry + s->at, s->ncarry - s->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return false;
		if (n < 0) /* nobody will ever read it */
			s->at = s->ncarry;
		else
			s->at += (size_t)n;
	}
	free(PST_TAKE(s->carry));
	s->at = s->ncarry = 0;
	return true;
}

static bool keep(struct pst_stream *s, const uint8_t *data, size_t len)
{
	s->carry = malloc(len);
	if (s->carry == NULL)
		return false;
	memcpy(s->carry, data, len);
	s->ncarry = len;
	s->at = 0;
	return true;
}

/* Fill the scratch as far as there is something: a terminal gives 4 KiB at a time. */
static ssize_t gather(int fd, bool *end)
{
	size_t n = 0;
	while (n < sizeof scratch) {
		const ssize_t r = read(fd, scratch + n, sizeof scratch - n);
		if (r > 0) {
			n += (size_t)r;
			continue;
		}
		if (r < 0 && errno == EINTR)
			continue;
		/* EIO: every slave of the terminal is closed */
		*end = r == 0 || errno != EAGAIN;
		break;
	}
	return (ssize_t)n;
}

static void by_read(struct pst_stream *s)
{
	bool end = false;
	if (s->carry != NULL && !flush(s)) {
		wait_room(s);
		return;
	}
	const size_t n = (size_t)gather(s->from, &end);
	size_t at = 0;
	while (at < n) {
		const ssize_t w = write(s->to, scratch + at, n - at);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			break;
		at += (size_t)w;
	}
	if (at < n && errno == EAGAIN && keep(s, scratch + at, n - at)) {
		wait_room(s);
		return;
	}
	if (end || at < n)
		finish(s);
	else
		wait_source(s);
}

static void on_ready(void *ctx, uint32_t events)
{
	struct pst_stream *s = ctx;
	/* The destination's other end is gone: a container that closed its stdin. */
	if (s->w.fd == s->to && (events & EPOLLERR) != 0 && !s->by_read) {
		finish(s);
		return;
	}
	if (s->by_read)
		by_read(s);
	else
		by_splice(s);
}

int pst_stream_begin(struct pst_stream *s, struct pst_err *err)
{
	s->done = false;
	s->w = (struct pst_watch){.fd = s->from, .ready = on_ready, .ctx = s};
	const int rc = pst_watch_begin(&s->w, EPOLLIN, err);
	if (rc != PST_OK) {
		s->w.fd = -1;
		s->done = true;
	}
	return rc;
}

void pst_stream_push(struct pst_stream *s)
{
	if (!s->done)
		on_ready(s, 0);
}

void pst_stream_stop(struct pst_stream *s)
{
	pst_watch_end(&s->w);
	pst_fd_close(PST_TAKE_FD(s->from));
	pst_fd_close(PST_TAKE_FD(s->to));
	free(PST_TAKE(s->carry));
	s->done = true;
}
