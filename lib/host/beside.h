/*
 * host/beside.h - find the programs that belong to this one.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/* A program that root owns and nobody else can write? Links are followed. */
PST_CHECKED bool pst_beside_trusted(const char *path);

/*
 * Path of program `name`: beside our own executable (a build tree, or one folder
 * for all), in the folder NAME of the build tree, else where it was installed.
 * malloc'd; NULL if there is none that root alone can write: root runs it.
 */
PST_CHECKED char *pst_beside(const char *name);
