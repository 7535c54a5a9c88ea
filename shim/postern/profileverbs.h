/*
 * postern/profileverbs.h - the words of `postern profile` that have a file of their own.
 */
#pragma once

#include "base/attr.h"
#include "front.h"

/* diff A B: 0 equal, 1 different, 2 trouble, as diff(1). */
int profile_diff(const struct front *f, const char *a, const char *b);

/* check FILE: 1 when there are errors. */
int profile_check(const struct front *f, const char *file);

/* explain P. */
PST_CHECKED int profile_explain(const struct front *f, const char *what, struct pst_err *err);

/* compile P. */
PST_CHECKED int profile_compile(const char *what, struct pst_err *err);
