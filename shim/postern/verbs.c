/* Verbs that end in a call of the library: start, delete, exec, update, and all
 * that are the runtime's own. */
#include "front.h"

int verb_start(struct front *f)
{
	struct pst_err err = {0};
	int status = 0;
	const int rc = pst_container_start(&f->g, f->args.args[0], pst_argv_on(&f->args, "held"),
					   &status, &err);
	return rc == PST_OK ? status : front_report(f, &err);
}

int verb_delete(struct front *f)
{
	struct pst_err err = {0};
	int status = 0;
	const int rc = pst_container_delete(&f->g, f->args.args[0], pst_argv_on(&f->args, "force"),
					    &status, &err);
	return rc == PST_OK ? status : front_report(f, &err);
}

int verb_exec(struct front *f)
{
	struct pst_err err = {0};
	const int rc = pst_container_exec(&f->g, f->argc, f->argv, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

int verb_update(struct front *f)
{
	struct pst_err err = {0};
	const int rc = pst_container_update(&f->g, f->argc, f->argv, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

/* argv[-1] is the verb itself: the words of the command line are one array. */
int verb_pass(struct front *f)
{
	struct pst_err err = {0};
	const int rc = pst_container_pass(&f->g, front_id(f), f->argc + 1, f->argv - 1, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}
