/*
 * core/httpreq.h - the little of HTTP that a scraper needs: GET /metrics. Pure.
 *
 * RFC 9112. Only the request line is read; the rest of the head is waited for and passed
 * over, and a body is never taken.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"

#define PST_HTTP_HEAD_MAX 4096 /* a longer request is refused */

enum pst_http {
	PST_HTTP_MORE,        /* the head is not whole yet */
	PST_HTTP_METRICS,     /* 200 */
	PST_HTTP_METRICS_HEAD,/* 200 without its body */
	PST_HTTP_ROOT,        /* 200: a page that says where to look */
	PST_HTTP_NOT_FOUND,   /* 404 */
	PST_HTTP_METHOD,      /* 405 */
	PST_HTTP_BAD,         /* 400 */
	PST_HTTP_LONG,        /* 431 */
};

/* What the `len` bytes that came so far ask for. */
PST_CHECKED PST_NONNULL(1) enum pst_http pst_http_judge(const char *head, size_t len);

/* "200 OK", "404 Not Found", ... */
PST_CHECKED const char *pst_http_status(enum pst_http h);
