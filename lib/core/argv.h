/*
 * core/argv.h - flags and arguments out of a word list, read as runc reads them.
 *
 * Pure. runc's rules (Go's package flag, urfave/cli v1): one dash or two, `--x v`
 * or `--x=v`, a boolean never takes the next word, "--" or the first word
 * without a dash ends the flags. For verbs of PST_ARGS_MOVED urfave first moves
 * flags to the front; a word after a flag written without "=" moves with it.
 *
 * Flags we do not know are kept (the runtime may know them). One written
 * without "=" takes the next word when that word cannot be an argument: when
 * there would otherwise be more arguments than the verb allows, or, before the
 * verb, when the word is no verb.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/verbs.h"

struct pst_arg {
	const struct pst_flag *flag; /* NULL: not known */
	const char *name;            /* as written, without dashes and "=..." */
	size_t name_len;
	const char *value;           /* NULL: none given */
	const char *words[2];        /* as written: one word, or flag and value */
	size_t nwords;
	int at;                      /* index of words[0] in the words parsed */
};

/* Everything borrowed from the words but the two arrays. */
struct pst_argv {
	struct pst_arg *flags; /* in the order written */
	size_t nflags;
	const char **args;     /* arguments that are no flags, in order */
	size_t nargs;
	int consumed;          /* words up to the first argument (globals: the verb) */
};

void pst_argv_done(struct pst_argv *a);
#define pst_auto_argv PST_CLEANUP(pst_argv_done) struct pst_argv

/*
 * The words before the verb (without the program's name). args then holds the
 * verb and all after it, unread. PST_E_USAGE in Go's words ("flag needs an argument:
 * -root") when a flag has no value, a bad boolean, or bad syntax.
 */
PST_CHECKED PST_NONNULL(2, 3)
int pst_argv_globals(int n, char *const words[], struct pst_argv *ret, struct pst_err *err);

/*
 * The words after the verb. PST_E_USAGE as above, or when the number of
 * arguments is not the verb's - not checked when help is asked for.
 */
PST_CHECKED PST_NONNULL(1, 3, 4)
int pst_argv_verb(const struct pst_verb *v, int n, char *const words[], struct pst_argv *ret,
		  struct pst_err *err);

/* The last value of flag `name`, or NULL. */
PST_CHECKED const char *pst_argv_value(const struct pst_argv *a, const char *name);

/* Is boolean flag `name` on? The last one counts, as with runc. */
PST_CHECKED bool pst_argv_on(const struct pst_argv *a, const char *name);

/* Given at all? */
PST_CHECKED bool pst_argv_has(const struct pst_argv *a, const char *name);

/* A boolean as Go's strconv.ParseBool takes it ("1", "t", "TRUE", ...). */
PST_CHECKED bool pst_argv_bool(const char *text, bool *ret);
