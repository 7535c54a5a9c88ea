/* postern/help.h - the help texts, out of the one table of verbs and flags. */
#pragma once

#include "core/verbs.h"

int help_all(void);
int help_verb(const struct pst_verb *v);

/* profile.c parses its own words: sub-verbs, not flags. argv[0] is "profile". */
int verb_profile(int argc, char **argv);
