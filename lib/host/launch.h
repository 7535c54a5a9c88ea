/*
 * host/launch.h - run a command hardened with no bundle at hand.
 */
#pragma once

#include "core/launchspec.h"
#include "host/container.h"

struct pst_launch_job {
	struct pst_launch want; /* rootfs, passwd, group and image are filled in */
	const char *rootfs;     /* --rootfs as written, or NULL */
	const char *image;      /* --image as written, or NULL */
	const char *name;       /* --name, or NULL: made up */
	const char *var_dir;    /* PST_VARDIR */
	int (*made)(void *ctx, pid_t init, struct pst_err *err); /* as of struct pst_create */
	void *made_ctx;
};

/*
 * Make a bundle, run it, remove what was made. *ret_status is the command's exit
 * status.
 */
PST_CHECKED int pst_launch_run(const struct pst_global *g, struct pst_launch_job *j,
			       int *ret_status, struct pst_err *err);
