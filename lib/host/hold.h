/*
 * host/hold.h - hand a runtime that waits at the gate over to somebody who lives longer.
 */
#pragma once

#include "host/create.h"

/*
 * One message on `fd`: three uint32_t, the runtime's pid (0: none waits, the container is
 * created), init's, and 1 if links that have to be limited may come until it starts; with
 * the first, the gate's connection as SCM_RIGHTS. Who has it writes "y" to start the
 * container, with a 1 behind a successful `postern start --held`; when its last copy is
 * closed the runtime's hook fails and the container is killed (I-4). From here on the runtime is no
 * child we end. On failure it still is.
 */
PST_CHECKED int pst_hold_give(struct pst_making *m, int fd, struct pst_err *err);
