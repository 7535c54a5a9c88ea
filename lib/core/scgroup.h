/*
 * core/scgroup.h - the groups system calls stand in, with their titles.
 *
 * Pure; generated at build from the first lines of profiles/groups/.
 */
#pragma once

#include <stddef.h>

struct pst_scgroup {
	const char *name;  /* as in struct pst_sc */
	const char *title; /* a few words: what its calls are about */
};

/* Groups in order of their names: i from 0 until NULL. Calls of i386 only
 * ("compat") have none. */
const struct pst_scgroup *pst_scgroup_at(size_t i);
