/*
 * containerd/logger.h - a logging program (binary:// URIs of containerd).
 *
 * It gets the container's output on descriptors 3 and 4, and says that it is ready on 5.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

struct pst_logger;

/*
 * Start the program of `uri` ("binary:///path?key=value&..."): each key and its first
 * value become arguments. out and err are the read ends; they stay the caller's.
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 6)
int pst_logger_start(const char *uri, const char *id, const char *namespace_, int out, int err_fd,
		     struct pst_logger **ret, struct pst_err *err);

/* The write ends are closed: it sees the end of its input and has 10 s to finish, then
 * SIGTERM, 12 s later SIGKILL. Frees it in time; NULL is allowed. */
void pst_logger_end(struct pst_logger *l);
