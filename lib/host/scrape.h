/*
 * host/scrape.h - a small HTTP listener for a scraper.
 *
 * One thread. At most 16 connections, five seconds each whatever they do, one request a
 * connection; when all places are taken, one that has not asked yet makes room. A page is made at
 * most once a second, however many ask.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"

/* Append the page; an error becomes status 500 and `note` is called with it. */
struct pst_scrape {
	int (*page)(void *ctx, struct pst_buf *out, struct pst_err *err);
	void (*note)(void *ctx, const struct pst_err *err);
	void *ctx;
};

/*
 * Listen at "[ADDRESS:]PORT": 127.0.0.1 where no address is given; IPv6 in square brackets; no
 * names. PST_E_USAGE, PST_E_HOST. *ret_fd is owned by the caller.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_scrape_listen(const char *where, int *ret_fd, struct pst_err *err);

/* Serve until a signal ends the process; returns only when that is impossible. */
PST_CHECKED PST_NONNULL(2)
int pst_scrape_serve(int fd, const struct pst_scrape *s, struct pst_err *err);
