/*
 * containerd/socket.h - the address of a pod's shim, and its socket.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"

#define PST_SOCKET_DIR "/run/containerd/s"

/*
 * Path of the socket for a group of one containerd and namespace: dir/HEX, HEX the
 * SHA-256 of the joined names, as containerd's own shims make it.
 * path  at least 108 bytes
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4, 5)
int pst_socket_path(const char *dir, const char *address, const char *namespace_, const char *group,
		    char path[108], struct pst_err *err);

/* Does somebody answer there? */
PST_CHECKED bool pst_socket_answers(const char *path);

/* Remove the socket, while no `start` is at it: always when it is one's own, which is
 * `answering`, else only if nobody answers. What is not there is not missed. */
void pst_socket_drop(const char *path, bool answering);

/*
 * Listen at `path`, mode 0600; a stale socket is replaced. A lock on its folder keeps
 * the `start`s of a pod apart: *ret_fd is -1 when another shim serves there already.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_socket_listen(const char *path, int *ret_fd, struct pst_err *err);
