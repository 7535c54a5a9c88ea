/*
 * base/banned.h - calls that may not be used, force-included by meson.
 *
 * Each has a safe replacement: snprintf for the string copies, pst_num_parse
 * for ato*, and for strtok strcspn and strspn (see base/str.c).
 */
#pragma once

/* The declarations first: poison forbids the names themselves from here on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Macros already: alloca(3) everywhere, the others of clang under _FORTIFY_SOURCE. */
#undef alloca
#undef sprintf
#undef vsprintf
#pragma GCC poison alloca strcpy strcat sprintf vsprintf gets strncpy strncat
#pragma GCC poison atoi atol atoll atof strtok strtok_r mktemp tmpnam tempnam
#pragma GCC poison gmtime localtime ctime asctime
