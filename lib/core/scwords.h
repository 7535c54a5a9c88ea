/*
 * core/scwords.h - argument conditions and answers of a filter in words.
 *
 * Pure. Socket families, types and protocols, clone flags, personalities and a few
 * requests have names (linux/socket.h, linux/sched.h, linux/personality.h,
 * asm-generic/ioctls.h); what has none is written as numbers.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "core/cube.h"
#include "core/sctable.h"

/*
 * Append the boxes as one line, "family AF_INET or AF_INET6, type SOCK_STREAM,
 * protocol 0 or TCP; family AF_UNIX": conditions that differ in the values of one
 * argument are put together. "any arguments" for a box without condition, "nothing"
 * for an empty list.
 */
PST_NONNULL(1, 4)
void pst_scwords_boxes(const struct pst_sc *sc, const struct pst_box v[], size_t n,
		       struct pst_buf *out);

/* Append what the caller of a call sees: "EPERM", "ENOSYS", "SIGSYS", "killed", ... */
PST_NONNULL(2) void pst_scwords_answer(uint32_t ret, struct pst_buf *out);
