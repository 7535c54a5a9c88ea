/*
 * core/wirecontainerd.h - our handlers in containerd's configuration.
 *
 * Pure. Where they go, by what containerd makes of its files (its
 * services/server/config/config.go up to 1.7, cmd/containerd/server/config after):
 *
 *   - up to 1.7 a file named in `imports` replaces the whole section of a plugin, and so
 *     would take the node's own CRI settings away: a block at the end of the main file;
 *   - from 2.0 on files are merged: a file of our own in the folder that `imports` names
 *     with a pattern, if it names one, else the block again. `imports` itself is not edited:
 *     that would be somebody's line, and a block is as easy to take away.
 *
 * Before 1.6.21, and in 1.7.0 and 1.7.1, `runtime_path` is read and not used: the shim is then named
 * by its path as the runtime's type.
 *
 * From 2.0 on containerd tells the kubelet what a handler can do: pods with user namespaces of
 * the kubelet's, recursive read-only mounts. Before 2.3 it asks only a handler whose type is runc's
 * (internal/cri/server/service.go, introspectRuntimeFeatures). There the handler without options of
 * ours has that type and the shim's path, but only in a file of version 3: a containerd that reads
 * older ones might not use the path, and would run pods by runc alone.
 *
 * Up to 1.7 the handler "runc" that containerd has by itself is forgotten as soon as any
 * handler is written down: it is then written down too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/wireplan.h"

#define PST_CD_HANDLERS 64

struct pst_cd_version {
	unsigned major, minor, patch;
};

/* `containerd --version`; false when it cannot be read. */
PST_CHECKED PST_NONNULL(1, 2) bool pst_cd_version_read(const char *text, struct pst_cd_version *ret);

/* What `containerd config dump` says. */
struct pst_cd_dump {
	char handler[PST_CD_HANDLERS][PST_HANDLER_MAX];
	size_t n;
	bool cri;                          /* the CRI plugin has settings: it is not disabled */
	bool systemd_cgroup;               /* SystemdCgroup of the default handler */
	char default_name[PST_HANDLER_MAX]; /* default_runtime_name */
};
PST_CHECKED PST_NONNULL(1, 3)
int pst_cd_dump_read(const char *text, size_t len, struct pst_cd_dump *ret, struct pst_err *err);

PST_CHECKED PST_NONNULL(1, 2) bool pst_cd_dump_has(const struct pst_cd_dump *d, const char *handler);

/* What the main file says. */
struct pst_cd_file {
	unsigned version; /* of the configuration; 1 when it does not say */
	bool handlers;    /* a handler is written in it, outside our block */
	char drop[256];   /* the first folder all of whose files, or .toml files, `imports`
			     names by a pattern; absolute, "" when there is none */
};

/*
 * Read the main file at `path`. PST_E_SPEC: no TOML. With `adding` also PST_E_STATE, with the
 * line and the cure, for what stands in the way of that: a handler of a name of ours that is
 * not in our block, the CRI plugin disabled, version 1, runtimes in an inline table (nothing
 * can be added to one).
 */
PST_CHECKED PST_NONNULL(1, 3, 5)
int pst_cd_file_read(const char *text, size_t len, const char *path, bool adding,
		     struct pst_cd_file *ret, struct pst_err *err);

struct pst_cd_want {
	const struct pst_wire *wire;
	struct pst_cd_version version; /* of containerd */
	const struct pst_cd_dump *dump;
	const char *optdir;    /* folder of the option files, see pst_cd_by_file */
};

/* Name of a handler's option file: HANDLER.containerd.toml */
#define PST_CD_OPTION_END ".containerd.toml"

/* Up to 1.6 options other than runc's reach a shim only as the path of a file. */
PST_CHECKED PST_NONNULL(1) bool pst_cd_by_file(const struct pst_cd_want *w);

/* The options of handler i, one a line: body of its file, or of its table. Empty: none. */
PST_NONNULL(1, 3) void pst_cd_options(const struct pst_cd_want *w, size_t i, struct pst_buf *out);

/* The main file with our block in it, or with `want` NULL without. text NULL: there is no
 * file; one that install made is then *gone after its block. */
PST_CHECKED PST_NONNULL(3, 5, 6)
int pst_cd_main(const char *text, size_t len, const char *path, const struct pst_cd_want *want,
		struct pst_buf *out, bool *gone, struct pst_err *err);

/* The body of the file in the folder of `imports`; version is the main file's: containerd
 * refuses a file that is newer than the one that names it. */
PST_NONNULL(1, 3)
void pst_cd_drop(const struct pst_cd_want *w, unsigned version, struct pst_buf *out);
