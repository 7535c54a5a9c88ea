/*
 * base/err.h - errors as values.
 *
 * A fallible function returns PST_OK or a negative enum pst_code and, on
 * failure only, fills the caller's `struct pst_err`. Nothing is allocated, so
 * it works out of memory and between fork and exec. Text is cut at the size of
 * its field, never overrun. Passing NULL for `err` is allowed everywhere.
 *
 * Messages: what failed, on which object; lower case, no full stop. The parts
 * that a person needs to act (file, JSON pointer, policy rule, cure) stand in
 * fields of their own so that front ends print them alike.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"

/* What a caller would do about it, not what went wrong inside. */
enum pst_code {
	PST_OK = 0,
	PST_E_SPEC = -1,      /* the caller's bundle, flags or JSON are wrong */
	PST_E_POLICY = -2,    /* the node's policy refuses, or is itself wrong */
	PST_E_EXHAUSTED = -3, /* a pool (ids, names) has nothing left */
	PST_E_HOST = -4,      /* a system call failed; `sys` holds errno */
	PST_E_RUNTIME = -5,   /* the OCI runtime failed; its own words are in msg */
	PST_E_STATE = -6,     /* the container is not in a state that allows this */
	PST_E_NOMEM = -7,     /* out of memory */
	PST_E_USAGE = -8,     /* command line misuse */
	PST_E_BUG = -9,       /* an invariant of ours does not hold */
};

struct pst_err {
	int code;          /* enum pst_code */
	int sys;           /* errno of PST_E_HOST, else 0 */
	char msg[640];     /* what failed, on which object */
	char file[256];    /* file it is about, "" if none */
	char pointer[192]; /* JSON pointer (RFC 6901) into that file, "" if none */
	char rule[96];     /* policy rule that decided, e.g. /grants/hostNetwork */
	char cure[320];    /* what to do about it, "" if not known */
};

/*
 * Fill `err` and return `code`, so that callers write `return pst_fail(...)`.
 * pointer  JSON pointer or "", copied. The file, rule and cure fields are emptied.
 */
PST_PRINTF(4, 5)
int pst_fail(struct pst_err *err, int code, const char *pointer, const char *fmt, ...);

/* pst_fail with PST_E_HOST: keeps errno in `sys` and appends ": " strerror(errno). */
PST_PRINTF(2, 3) int pst_fail_sys(struct pst_err *err, const char *fmt, ...);

/* pst_fail with PST_E_NOMEM. Never allocates. */
int pst_fail_nomem(struct pst_err *err);

/* Add to an error already filled; each returns err->code (PST_E_BUG for NULL). */
int pst_err_file(struct pst_err *err, const char *file);
int pst_err_rule(struct pst_err *err, const char *rule);
PST_PRINTF(2, 3) int pst_err_cure(struct pst_err *err, const char *fmt, ...);

/* Put "prefix: " before the message; returns err->code. */
PST_PRINTF(2, 3) int pst_err_prefix(struct pst_err *err, const char *fmt, ...);

/* Short upper-case name of a code: "SPEC", "POLICY", ... Never NULL. */
const char *pst_code_name(int code);
