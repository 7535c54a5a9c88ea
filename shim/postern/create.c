/* create, run, restore: a container from a bundle. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "front.h"

/* Flags of the verb that we read ourselves; the others go to the runtime as written. */
static bool is_read(const struct pst_arg *a)
{
	static const char *const names[] = {"bundle", "pid-file", "console-socket", "preserve-fds",
					    "detach", "keep",	  "help"};
	for (size_t i = 0; a->flag != NULL && i < PST_NELEM(names); i++)
		if (strcmp(names[i], a->flag->name) == 0)
			return true;
	return false;
}

static int read_create(const struct front *f, struct pst_create *c, const char ***pass,
		       struct pst_err *err)
{
	uint64_t fds = 0;
	const char *preserve = pst_argv_value(&f->args, "preserve-fds");
	const char *bundle = pst_argv_value(&f->args, "bundle");
	if (preserve != NULL && !pst_num_parse(preserve, 10, INT_MAX, &fds))
		return pst_fail(err, PST_E_USAGE, "", "--preserve-fds takes a number, not \"%s\"", preserve);
	*pass = calloc(2 * f->args.nflags + 1, sizeof **pass);
	if (*pass == NULL)
		return pst_fail_nomem(err);
	*c = (struct pst_create){
		.id = f->args.args[0],
		.bundle = bundle == NULL || bundle[0] == '\0' ? "." : bundle,
		.pid_file = pst_argv_value(&f->args, "pid-file"),
		.console_socket = pst_argv_value(&f->args, "console-socket"),
		.preserve_fds = (int)fds,
		.detach = pst_argv_on(&f->args, "detach"),
		.keep = pst_argv_on(&f->args, "keep"),
		.pass = *pass,
	};
	for (size_t i = 0; i < f->args.nflags; i++)
		for (size_t w = 0; w < f->args.flags[i].nwords && !is_read(&f->args.flags[i]); w++)
			(*pass)[c->npass++] = f->args.flags[i].words[w];
	return PST_OK;
}

int verb_create(struct front *f)
{
	struct pst_err err = {0};
	struct pst_create c;
	pst_auto_free const char **pass = NULL;
	int rc = read_create(f, &c, &pass, &err);
	if (rc == PST_OK)
		rc = pst_container_create(&f->g, &c, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}

int verb_run(struct front *f)
{
	struct pst_err err = {0};
	struct pst_create c;
	int status = 0;
	pst_auto_free const char **pass = NULL;
	int rc = read_create(f, &c, &pass, &err);
	if (rc == PST_OK)
		rc = pst_container_run(&f->g, &c, &status, &err);
	if (rc == PST_OK)
		return status;
	const int code = front_report(f, &err);
	return rc == PST_E_RUNTIME && status != 0 ? status : code;
}

/* A checkpoint holds kernel state made under other rules than today's plan; it
 * cannot be planned, so it is refused (I-1). */
int verb_restore(struct front *f)
{
	struct pst_err err = {0};
	const int rc = pst_container_restore(&f->g, f->argc, f->argv, &err);
	return rc == PST_OK ? 0 : front_report(f, &err);
}
