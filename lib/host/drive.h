/*
 * host/drive.h - a runtime that has to be driven step by step: create, a look,
 * start, wait, delete; and the end of a container.
 */
#pragma once

#include "host/create.h"
#include "host/look.h"
#include "host/runcall.h"

/* `run` for a runtime without the gate. m->ctx is open; *ret_status as
 * pst_container_run. */
PST_CHECKED int pst_drive_run(struct pst_making *m, const struct pst_create *c, int *ret_status,
			      struct pst_err *err);

/*
 * `start` for a runtime that sets no_new_privs or the filter only then (crun):
 * the start is waited for, the process is looked at again, and killed if it is not as
 * planned. c is the complete start command.
 */
PST_CHECKED int pst_drive_start(const struct pst_seen *seen, struct pst_runcall *c, int *ret_status,
				struct pst_err *err);

/* If the runtime no longer knows the container, its step is undone: no look for
 * strays is needed when it ended by itself. */
PST_CHECKED int pst_drive_settle(struct pst_making *m, struct pst_err *err);

/* Look at a started process once more and kill it if it is not as planned; one that
 * ended already did so behind what create verified. */
PST_CHECKED int pst_drive_verify_started(pid_t pid, const struct pst_plan *p,
					 struct pst_err *err);

/* Does the runtime still know the container of this record? */
PST_CHECKED bool pst_drive_knows(const struct pst_record *r);

/* The runtime's delete of m's container ended with `status`: undo the rest if it is
 * gone, else the phase is again what it `was`. */
PST_CHECKED int pst_drive_deleted(struct pst_making *m, enum pst_phase was, int status,
				  struct pst_err *err);
