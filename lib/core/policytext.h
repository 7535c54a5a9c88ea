/*
 * core/policytext.h - what a single string of the policy may be. Pure.
 *
 * One predicate a kind of text; the policy's key table and the annotations use
 * the same ones. Out of memory counts as "no".
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

#define PST_POLICYTEXT_PROFILE "a profile's name (letters, digits, . _ -, at most 64)"

/* A name without any way out of a folder: letters, digits, '.', '_', '-',
 * starting with a letter or digit, 1 to 64 bytes. */
PST_CHECKED bool pst_policytext_profile(const char *s);

/* A profile's name, or "*" for all. */
PST_CHECKED bool pst_policytext_allow(const char *s);

/* Absolute and as path_clean would leave it: no "//", ".", "..", trailing '/'. */
PST_CHECKED bool pst_policytext_path(const char *s);

/* A bare file name, to be looked up in PATH, or a clean absolute path. */
PST_CHECKED bool pst_policytext_program(const char *s);

/* RFC 1123 label, as Kubernetes names namespaces: a-z 0-9 '-', 1 to 63 bytes. */
PST_CHECKED bool pst_policytext_namespace(const char *s);

/* A class: like a namespace, at most 40 bytes (its pointers fit an origin). */
PST_CHECKED bool pst_policytext_class(const char *s);

/* An annotation's key, or a prefix and a '*' that is its last character. */
PST_CHECKED bool pst_policytext_annotation(const char *s);

/* "30d", "12h", "90m": up to 6 digits, not zero, and a unit. */
PST_CHECKED bool pst_policytext_age(const char *s);

/* Copy a stranger's text for a message: bytes a terminal could act on become
 * '?', and what does not fit is cut. Returns buf. */
const char *pst_policytext_show(const char *s, char *buf, size_t size);
