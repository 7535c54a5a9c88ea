/*
 * host/learn.h - run a workload, or watch one, and record what it calls by phase.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "host/launch.h"

enum pst_ready { PST_READY_QUIET, PST_READY_TCP, PST_READY_FILE, PST_READY_TOLD };

struct pst_learning {
	struct pst_launch_job *job; /* launched, or NULL */
	const char *id;             /* watched, or NULL */
	const char *title;
	enum pst_ready ready;
	unsigned port;         /* PST_READY_TCP: answers in the container's network */
	const char *path;      /* PST_READY_FILE: is there, as the container sees it */
	unsigned quiet_ms;     /* PST_READY_QUIET: no call that is new for so long */
	unsigned patience_ms;  /* not ready by then: an error */
	const char *exercise;  /* shell command, run on the host inside the container's network
				  once it is ready; NULL: `seconds` */
	unsigned seconds;      /* of serving; 0: until it ends, or a signal */
	bool record;           /* false: the same run without the recorder */
};

struct pst_learned {
	json_t *recording; /* owned; NULL without `record` */
	int exercised;     /* exit status of the exercise */
	int status;        /* the workload's, of a launch */
};

/*
 * PST_E_HOST when the recorder cannot be attached; PST_E_STATE when the workload was not
 * ready in time or ended before (it has been stopped then).
 */
PST_CHECKED int pst_learn_run(const struct pst_global *g, const struct pst_learning *l,
			      struct pst_learned *ret, struct pst_err *err);

void pst_learned_done(struct pst_learned *r);
