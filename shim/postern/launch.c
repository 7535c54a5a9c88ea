/* launch: a command, hardened, with no bundle at hand. */
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "front.h"
#include "launchjob.h"

/* All values of a flag that may be given again. Owned by the caller. */
static const char **values(const struct pst_argv *a, const char *name, size_t *n)
{
	const char **v = calloc(a->nflags + 1, sizeof *v);
	*n = 0;
	for (size_t i = 0; v != NULL && i < a->nflags; i++)
		if (a->flags[i].flag != NULL && strcmp(a->flags[i].flag->name, name) == 0)
			v[(*n)++] = a->flags[i].value;
	return v;
}

/* A flag we do not know would be dropped, and with it what was asked for. */
static int check_flags(const struct pst_argv *a, struct pst_err *err)
{
	for (size_t i = 0; i < a->nflags; i++)
		if (a->flags[i].flag == NULL)
			return pst_fail(err, PST_E_USAGE, "", "unknown flag: %s", a->flags[i].words[0]);
	return PST_OK;
}

static const char *env_of(const char *name)
{
	return getenv(name);
}

int launch_job_read(const struct pst_argv *a, struct launch_job *ret, struct pst_err *err)
{
	struct pst_launch *w = &ret->job.want;
	*ret = (struct launch_job){.job = {
		.rootfs = pst_argv_value(a, "rootfs"),
		.image = pst_argv_value(a, "image"),
		.name = pst_argv_value(a, "name"),
		.var_dir = PST_VARDIR,
	}};
	w->volumes = ret->lists[0] = values(a, "volume", &w->nvolumes);
	w->env = ret->lists[1] = values(a, "env", &w->nenv);
	w->annotations = ret->lists[2] = values(a, "annotation", &w->nannotations);
	w->profile = pst_argv_value(a, "profile");
	w->user = pst_argv_value(a, "user");
	w->workdir = pst_argv_value(a, "workdir");
	w->hostname = pst_argv_value(a, "hostname");
	w->net = pst_argv_value(a, "net");
	w->memory = pst_argv_value(a, "memory");
	w->cpus = pst_argv_value(a, "cpus");
	w->pids = pst_argv_value(a, "pids");
	w->disk = pst_argv_value(a, "disk");
	w->tty = pst_argv_on(a, "tty");
	w->read_only = pst_argv_on(a, "read-only");
	w->cmd = a->args;
	w->ncmd = a->nargs;
	w->getenv = env_of;
	if (w->volumes == NULL || w->env == NULL || w->annotations == NULL)
		return pst_fail_nomem(err);
	return check_flags(a, err);
}

void launch_job_done(struct launch_job *j)
{
	for (size_t i = 0; i < PST_NELEM(j->lists); i++)
		free(j->lists[i]);
}

int verb_launch(struct front *f)
{
	struct pst_err err = {0};
	PST_CLEANUP(launch_job_done) struct launch_job j;
	int status = 0;
	int rc = launch_job_read(&f->args, &j, &err);
	if (rc == PST_OK)
		rc = pst_launch_run(&f->g, &j.job, &status, &err);
	if (rc == PST_OK)
		return status;
	/* As container engines' run: our own failures are 125, so that the command's
	 * status is told apart. */
	(void)front_report(f, &err);
	return 125;
}
