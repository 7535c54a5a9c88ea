/*
 * postern/launchjob.h - what the flags of `launch` say, for launch and learn.
 */
#pragma once

#include "core/argv.h"
#include "host/launch.h"

struct launch_job {
	struct pst_launch_job job;
	const char **lists[3]; /* owned: what job.want borrows */
};

/* Fill from flags and arguments, which are borrowed. PST_E_USAGE for a flag that is not
 * launch's. Free with launch_job_done, also after a failure. */
PST_CHECKED int launch_job_read(const struct pst_argv *a, struct launch_job *ret,
				struct pst_err *err);
void launch_job_done(struct launch_job *j);
