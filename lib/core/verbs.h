/*
 * core/verbs.h - every verb and flag of the command line, as data.
 *
 * Pure. One table feeds the parser (core/argv.h), the help texts, the man page's
 * check and the parser of `exec` (core/execspec.h). The flags are those of runc
 * 1.1 to 1.5 (its main.go and one file a verb), those of crun that take a value
 * of their own before the verb, and ours. tests/lint/verbs compares the table with
 * what the installed runc prints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

enum pst_flag_kind {
	PST_FLAG_BOOL,  /* --x, --x=true, --x=false; never takes the next word */
	PST_FLAG_VALUE, /* --x v or --x=v; the last one counts */
	PST_FLAG_LIST,  /* the same, and may be given again */
};

struct pst_flag {
	const char *name; /* long name without dashes */
	char alt;         /* one-letter name, 0 for none */
	enum pst_flag_kind kind;
	bool ours;        /* known to postern alone: the runtime never sees it */
	const char *help; /* NULL: hidden, accepted but not shown */
};

enum pst_verb_by {
	PST_BY_US,      /* decided here; the runtime never gets these words raw */
	PST_BY_RUNTIME, /* handed over with stdio and exit code */
};

enum pst_arg_order {
	PST_ARGS_MOVED,  /* flags may follow arguments (urfave/cli reorders them) */
	PST_ARGS_ASIS,   /* the first argument ends the flags: exec, ps */
};

struct pst_verb {
	const char *name;
	const char *usage;   /* arguments, as shown after the flags */
	const char *summary; /* one line, lower case */
	const struct pst_flag *flags; /* ends with name NULL */
	int min_args, max_args;       /* max -1: any number */
	enum pst_arg_order order;
	enum pst_verb_by by;
	bool oci;            /* a verb of runc; false: postern's own */
	bool has_id;         /* the first argument is a container id */
};

/* Flags before the verb; ends with name NULL. */
extern const struct pst_flag pst_global_flags[];

/* All verbs in the order of --help; ends with name NULL. */
extern const struct pst_verb pst_verbs[];

/* The verb of that exact name, NULL if there is none. */
PST_CHECKED const struct pst_verb *pst_verb_find(const char *name);

/* The flag called `name` (n bytes, no dashes; long or one letter) of a list that ends with
 * name NULL; NULL if there is none. */
PST_CHECKED const struct pst_flag *pst_flag_find(const struct pst_flag *flags, const char *name,
						 size_t n);
