/* tests/fault/failing.h - the real table of host operations, with one that fails. */
#pragma once

#include <stdbool.h>

/* Shared by the children of a run, so that their operations are counted too. */
struct failing {
	unsigned at;    /* fail the operation of this number; 0: none */
	unsigned count; /* operations so far */
	int err;        /* errno of the failure */
	char name[32];  /* which one it was */
};

extern struct failing *failing; /* in shared memory */

/* Put the failing table in place, or the real one again. */
void failing_use(bool on);
