/*
 * core/specfold.h - a config.json whose keys mean one thing to every reader. Pure.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"
#include "base/err.h"

/* PST_E_SPEC when a key of the spec that we judge also stands in another case
 * (core/keyfold.h): runc would read that one. */
PST_CHECKED int pst_specfold_check(const json_t *tree, struct pst_err *err);
