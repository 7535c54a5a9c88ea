/* postern/help.h - the help texts, out of the one table of verbs and flags. */
#pragma once

#include "core/verbs.h"

int help_all(void);
int help_verb(const struct pst_verb *v);
