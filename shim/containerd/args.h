/*
 * containerd/args.h - the shim's command line, and what each action is given.
 *
 * Go's flag syntax: one dash or two, `-flag value` or `-flag=value`, switches bare, the
 * action is the first word that is no flag (containerd, core/runtime/v2/README.md).
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"

struct pst_shim_args {
	const char *namespace_;     /* -namespace */
	const char *id;             /* -id */
	const char *address;        /* -address: containerd's gRPC socket */
	const char *bundle;         /* -bundle, or NULL */
	const char *socket_path;    /* -socket, or NULL */
	const char *ttrpc_address;  /* TTRPC_ADDRESS, or made from -address */
	const char *action;         /* "start", "delete", or NULL */
	bool debug, version, info;
};

/* Words are borrowed from argv. Returns PST_OK or PST_E_USAGE. */
PST_CHECKED PST_NONNULL(2, 3)
int pst_shim_args_parse(int argc, char **argv, struct pst_shim_args *ret, struct pst_err *err);

/* What `start` hands its server: the listening socket, and a pipe that brings one byte once
 * the answer is out; its end without a byte says that `start` was killed. */
enum { PST_LISTEN_FD = 3, PST_WORD_FD = 4 };

/* The actions; each returns the exit code after its output, or an error. */
PST_CHECKED int pst_shim_start(const struct pst_shim_args *a, struct pst_err *err);
PST_CHECKED int pst_shim_delete(const struct pst_shim_args *a, struct pst_err *err);
PST_CHECKED int pst_shim_info(struct pst_err *err);
PST_CHECKED int pst_shim_serve(const struct pst_shim_args *a, struct pst_err *err);
