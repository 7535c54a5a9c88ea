/*
 * postern/front.h - what every verb file gets, and how it reports.
 */
#pragma once

#include "core/argv.h"
#include "core/verbs.h"
#include "host/container.h"

struct front {
	struct pst_global g;
	const struct pst_verb *verb;
	struct pst_argv args; /* flags and arguments after the verb */
	int argc;             /* the words after the verb, as written */
	char **argv;
};

/* The container the command names, or NULL. */
const char *front_id(const struct front *f);

/*
 * Say what failed: one line on stderr, and one record as the last line of --log
 * (nothing for an empty message: the runtime has spoken). Returns the exit code:
 * 125 for a refusal by policy, else 1.
 */
int front_report(const struct front *f, const struct pst_err *err);

/* One function a verb; returns the exit code. */
int verb_create(struct front *f);
int verb_run(struct front *f);
int verb_start(struct front *f);
int verb_delete(struct front *f);
int verb_exec(struct front *f);
int verb_update(struct front *f);
int verb_restore(struct front *f);
int verb_state(struct front *f);
int verb_list(struct front *f);
int verb_features(struct front *f);
int verb_pass(struct front *f);
int verb_plan(struct front *f);
int verb_facts(struct front *f);
int verb_doctor(struct front *f);
int verb_launch(struct front *f);
int verb_learn(struct front *f);
int verb_profile(struct front *f);
int verb_surface(struct front *f);
int verb_top(struct front *f);
int verb_metrics(struct front *f);
int verb_denials(struct front *f);
int verb_install(struct front *f); /* and uninstall */
