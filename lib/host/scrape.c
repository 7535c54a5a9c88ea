#include "host/scrape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/httpreq.h"
#include "host/hostops.h"

#define PLACES 16
#define LIFE_MS 5000
#define FRESH_MS 1000 /* a page is good for */

/* A page that connections share while they send it. */
struct page {
	unsigned users;
	bool failed;
	struct pst_buf text;
};

struct conn {
	int fd;           /* -1: a free place */
	uint64_t born;    /* ms */
	char head[PST_HTTP_HEAD_MAX + 1];
	size_t len;       /* of the head */
	char answer[512]; /* status and headers, and short bodies */
	size_t answer_len;
	struct page *page; /* behind it; NULL: none */
	size_t sent;
};

struct server {
	const struct pst_scrape *how;
	struct conn v[PLACES];
	struct page *last; /* the newest, counted among its users */
	uint64_t made;
};

static uint64_t now_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static int bad_place(const char *where, struct pst_err *err)
{
	pst_fail(err, PST_E_USAGE, "", "--listen is no address and port: \"%s\"", where);
	return pst_err_cure(err, "write PORT, 127.0.0.1:PORT or [::1]:PORT");
}

static bool parse(const char *where, struct sockaddr_storage *a, socklen_t *len)
{
	char addr[64] = "127.0.0.1";
	uint64_t port;
	const char *colon = strrchr(where, ':');
	const char *digits = colon == NULL ? where : colon + 1;
	struct sockaddr_in *v4 = (void *)a;
	struct sockaddr_in6 *v6 = (void *)a;
	if (!pst_num_parse(digits, 10, UINT16_MAX, &port) || port == 0)
		return false;
	if (colon != NULL && colon != where)
		snprintf(addr, sizeof addr, "%.*s", (int)(colon - where), where);
	const size_t n = strlen(addr);
	*a = (struct sockaddr_storage){0};
	if (addr[0] == '[' && addr[n - 1] == ']') {
		addr[n - 1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*len = sizeof *v6;
		return inet_pton(AF_INET6, addr + 1, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	*len = sizeof *v4;
	return inet_pton(AF_INET, addr, &v4->sin_addr) == 1;
}

int pst_scrape_listen(const char *where, int *ret_fd, struct pst_err *err)
{
	struct sockaddr_storage a;
	socklen_t len;
	const int on = 1;
	if (!parse(where, &a, &len))
		return bad_place(where, err);
	pst_auto_fd fd = pst_host->socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot make a socket");
	/* A restart finds connections of the last run waiting for their end (tcp(7)). */
	if (pst_host->setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
	    pst_host->bind(fd, (struct sockaddr *)&a, len) != 0 || pst_host->listen(fd, 16) != 0)
		return pst_fail_sys(err, "cannot listen at %s", where);
	*ret_fd = PST_TAKE_FD(fd);
	return PST_OK;
}

static void page_drop(struct page **p)
{
	if (*p != NULL && --(*p)->users == 0) {
		pst_buf_done(&(*p)->text);
		free(*p);
	}
	*p = NULL;
}

static void conn_end(struct conn *c)
{
	pst_fd_close(PST_TAKE_FD(c->fd));
	page_drop(&c->page);
}

/* A page not older than a second; NULL without memory. */
static struct page *fresh_page(struct server *s)
{
	struct pst_err err = {0};
	if (s->last != NULL && now_ms() - s->made < FRESH_MS)
		return s->last;
	page_drop(&s->last);
	s->last = calloc(1, sizeof *s->last);
	if (s->last == NULL)
		return NULL;
	s->last->users = 1;
	s->made = now_ms();
	if (s->how->page(s->how->ctx, &s->last->text, &err) != PST_OK || !pst_buf_ok(&s->last->text)) {
		s->last->failed = true;
		s->how->note(s->how->ctx, &err);
	}
	return s->last;
}

static void answer(struct server *s, struct conn *c, enum pst_http what)
{
	static const char root[] = "postern: see /metrics\n";
	const char *status = pst_http_status(what);
	const char *body = what == PST_HTTP_ROOT ? root : "";
	size_t len = strlen(body);
	if (what == PST_HTTP_METRICS || what == PST_HTTP_METRICS_HEAD) {
		struct page *p = fresh_page(s);
		if (p == NULL || p->failed) {
			status = "500 Internal Server Error";
		} else {
			len = p->text.len;
			if (what == PST_HTTP_METRICS) {
				p->users++;
				c->page = p;
			}
		}
	}
	const int n = snprintf(c->answer, sizeof c->answer,
			       "HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
			       "Content-Length: %zu\r\n%sConnection: close\r\n\r\n%s",
			       status, len, what == PST_HTTP_METHOD ? "Allow: GET, HEAD\r\n" : "", body);
	c->answer_len = (size_t)n;
}

static void take(struct server *s, struct conn *c)
{
	const ssize_t n = pst_host->read(c->fd, c->head + c->len, sizeof c->head - 1 - c->len);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_end(c);
		return;
	}
	c->len += (size_t)n;
	const enum pst_http what = pst_http_judge(c->head, c->len);
	if (what != PST_HTTP_MORE)
		answer(s, c, what);
}

/* The answer, then the page; the end of it is the connection's. */
static void give(struct conn *c)
{
	const size_t page_len = c->page == NULL ? 0 : c->page->text.len;
	while (c->sent < c->answer_len + page_len) {
		const bool head = c->sent < c->answer_len;
		const size_t at = head ? c->sent : c->sent - c->answer_len;
		struct iovec v = {.iov_base = head ? c->answer + at : c->page->text.data + at,
				  .iov_len = (head ? c->answer_len : page_len) - at};
		const struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
		const ssize_t n = pst_host->sendmsg(c->fd, &m, MSG_NOSIGNAL);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			break;
		c->sent += (size_t)n;
	}
	conn_end(c);
}

/* A free place, or that of the oldest that has not asked yet; NULL: all are being served. */
static struct conn *place(struct server *s)
{
	struct conn *best = NULL;
	for (size_t i = 0; i < PLACES; i++) {
		struct conn *c = &s->v[i];
		if (c->fd < 0)
			return c;
		if (c->answer_len == 0 && (best == NULL || c->born < best->born))
			best = c;
	}
	if (best != NULL)
		conn_end(best);
	return best;
}

static bool has_room(const struct server *s)
{
	for (size_t i = 0; i < PLACES; i++)
		if (s->v[i].fd < 0 || s->v[i].answer_len == 0)
			return true;
	return false;
}

static void welcome(struct server *s, int listener)
{
	const int fd = pst_host->accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct conn *c = fd < 0 ? NULL : place(s);
	if (c == NULL) {
		pst_fd_close(fd);
		return;
	}
	*c = (struct conn){.fd = fd, .born = now_ms()};
}

/* End those whose time is over; ms until the next one's is, -1: there is none. */
static int end_late(struct server *s)
{
	int next = -1;
	const uint64_t now = now_ms();
	for (size_t i = 0; i < PLACES; i++) {
		struct conn *c = &s->v[i];
		if (c->fd >= 0 && now - c->born >= LIFE_MS)
			conn_end(c);
		if (c->fd >= 0 && (next < 0 || (int)(c->born + LIFE_MS - now) < next))
			next = (int)(c->born + LIFE_MS - now);
	}
	return next;
}

int pst_scrape_serve(int fd, const struct pst_scrape *how, struct pst_err *err)
{
	pst_auto_free struct server *s = calloc(1, sizeof *s);
	if (s == NULL)
		return pst_fail_nomem(err);
	s->how = how;
	for (size_t i = 0; i < PLACES; i++)
		s->v[i].fd = -1;
	for (;;) {
		struct pollfd p[PLACES + 1];
		const int patience = end_late(s);
		for (size_t i = 0; i < PLACES; i++)
			p[i] = (struct pollfd){.fd = s->v[i].fd,
					       .events = s->v[i].answer_len > 0 ? POLLOUT : POLLIN};
		p[PLACES] = (struct pollfd){.fd = has_room(s) ? fd : -1, .events = POLLIN};
		if (pst_host->poll(p, PLACES + 1, patience) < 0 && errno != EINTR)
			return pst_fail_sys(err, "cannot wait for scrapers");
		for (size_t i = 0; i < PLACES; i++) {
			struct conn *c = &s->v[i];
			if (c->fd < 0 || p[i].revents == 0)
				continue;
			if (c->answer_len == 0)
				take(s, c);
			if (c->fd >= 0 && c->answer_len > 0)
				give(c);
		}
		if ((p[PLACES].revents & POLLIN) != 0)
			welcome(s, fd);
	}
}
