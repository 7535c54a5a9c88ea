/* postern - an OCI runtime command line that hardens what runc runs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "config.h"
#include "front.h"
#include "help.h"

static const struct {
	const char *name;
	int (*run)(struct front *f);
} handlers[] = {
	{"create", verb_create}, {"run", verb_run},	  {"start", verb_start},
	{"delete", verb_delete}, {"exec", verb_exec},	  {"update", verb_update},
	{"restore", verb_restore}, {"state", verb_state}, {"list", verb_list},
	{"features", verb_features}, {"plan", verb_plan}, {"facts", verb_facts},
	{"doctor", verb_doctor}, {"launch", verb_launch},
	{"denials", verb_denials},
	{"learn", verb_learn}, {"install", verb_install}, {"uninstall", verb_install},
	{"top", verb_top}, {"metrics", verb_metrics},
	{"profile", verb_profile}, {"surface", verb_surface},
};

/* Which of the caller's global flags the runtime gets: all that are not ours. */
static bool is_ours(const struct pst_arg *a)
{
	return a->flag != NULL && (a->flag->ours || strcmp(a->flag->name, "root") == 0 ||
				   strcmp(a->flag->name, "help") == 0 ||
				   strcmp(a->flag->name, "version") == 0);
}

static int read_globals(struct pst_global *g, const struct pst_argv *a, const char ***pass)
{
	*g = (struct pst_global){
		.state_dir = PST_STATEDIR,
		.policy_file = pst_argv_value(a, "policy"),
		.policy_required = pst_argv_has(a, "policy"),
		.class_name = pst_argv_value(a, "class"),
		.runtime = pst_argv_value(a, "runtime"),
		.root = pst_argv_value(a, "root"),
		.log = pst_argv_value(a, "log"),
		.log_format = pst_argv_value(a, "log-format"),
		.debug = pst_argv_on(a, "debug"),
		.systemd_cgroup = pst_argv_on(a, "systemd-cgroup"),
		.rootless = pst_argv_value(a, "rootless"),
	};
	if (g->policy_file == NULL)
		g->policy_file = PST_POLICY_FILE;
	size_t n = 0;
	*pass = calloc(2 * a->nflags + 1, sizeof **pass);
	if (*pass == NULL)
		return -1;
	for (size_t i = 0; i < a->nflags; i++)
		for (size_t w = 0; w < a->flags[i].nwords && !is_ours(&a->flags[i]); w++)
			(*pass)[n++] = a->flags[i].words[w];
	g->pass = *pass;
	g->npass = n;
	return 0;
}

/* The runtime's own answer first, since its callers read the first line; then ours. */
static int version(struct front *f)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	const char *const argv[] = {"--version", NULL};
	int status = 0;
	if (pst_container_capture(&f->g, NULL, argv, &out, &status, &err) != PST_OK)
		status = front_report(f, &err);
	fputs(pst_buf_cstr(&out), stdout);
	printf("postern: %s\n", PST_VERSION);
	return status;
}

static int dispatch(struct front *f, const struct pst_argv *globals)
{
	struct pst_err err = {0};
	f->verb = pst_verb_find(globals->args[0]);
	f->argc = (int)globals->nargs - 1;
	f->argv = (char **)(uintptr_t)globals->args + 1;
	if (f->verb == NULL) { /* a verb of the runtime's that we do not know */
		f->argc++;
		f->argv--;
		return pst_container_pass(&f->g, NULL, f->argc, f->argv, &err) == PST_OK
			       ? 0
			       : front_report(f, &err);
	}
	if (pst_argv_verb(f->verb, f->argc, f->argv, &f->args, &err) != PST_OK) {
		const int code = front_report(f, &err);
		return strcmp(f->verb->name, "launch") == 0 ? 125 : code;
	}
	if (pst_argv_on(&f->args, "help"))
		return help_verb(f->verb);
	for (size_t i = 0; i < PST_NELEM(handlers); i++)
		if (strcmp(handlers[i].name, f->verb->name) == 0)
			return handlers[i].run(f);
	return verb_pass(f);
}

static bool is_own_verb(const struct pst_argv *globals)
{
	const struct pst_verb *v = globals->nargs > 0 ? pst_verb_find(globals->args[0]) : NULL;
	return v != NULL && !v->oci;
}

/* A policy that asks for nothing: every word goes on as it came. */
static int be_the_runtime(struct front *f, const struct pst_argv *globals)
{
	struct pst_err err = {0};
	pst_auto_free const char **words = calloc(globals->nargs + 3, sizeof *words);
	int n = 0;
	if (words == NULL)
		return 1;
	if (pst_argv_on(globals, "help"))
		words[n++] = "--help";
	else if (pst_argv_on(globals, "version"))
		words[n++] = "--version";
	for (size_t i = 0; i < globals->nargs; i++)
		words[n++] = globals->args[i];
	return pst_container_pass(&f->g, NULL, n, (char **)(uintptr_t)words, &err) == PST_OK
		       ? 0
		       : front_report(f, &err);
}

/* A caller may have closed 0, 1 or 2: a file of ours opened there would get the messages. */
static bool open_stdio(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR); /* inherited, as Go programs do it */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		(void)close(fd);
	return fd >= 0;
}

/* `help` alone, `help VERB`; a word that is no verb of ours is the runtime's to judge. */
static int help(struct front *f, const struct pst_argv *globals)
{
	const char *topic = globals->nargs > 1 ? globals->args[1] : NULL;
	const struct pst_verb *v = topic == NULL ? NULL : pst_verb_find(topic);
	struct pst_err err = {0};
	if (topic == NULL)
		return help_all();
	if (v != NULL)
		return help_verb(v);
	return pst_container_pass(&f->g, NULL, (int)globals->nargs, (char **)(uintptr_t)globals->args,
				  &err) == PST_OK
		       ? 0
		       : front_report(f, &err);
}

/* Output that did not arrive is a failure, whatever went before. */
static int ended(int rc)
{
	if (fflush(stdout) == 0 || rc != 0)
		return rc;
	fprintf(stderr, "postern: cannot write to standard output\n");
	return 1;
}

int main(int argc, char **argv)
{
	pst_auto_argv globals = {0};
	pst_auto_free const char **pass = NULL;
	struct front f = {0};
	struct pst_err err = {0};

	if (!open_stdio())
		return 1;
	if (argc < 1 || pst_argv_globals(argc - 1, argv + 1, &globals, &err) != PST_OK ||
	    read_globals(&f.g, &globals, &pass) != 0)
		return front_report(&f, &err);
	int rc;
	if (f.g.policy_required && !is_own_verb(&globals) && pst_container_transparent(&f.g))
		rc = be_the_runtime(&f, &globals);
	else if (pst_argv_on(&globals, "version"))
		rc = version(&f);
	else if (globals.nargs == 0 || pst_argv_on(&globals, "help"))
		rc = help_all();
	else if (strcmp(globals.args[0], "help") == 0 || strcmp(globals.args[0], "h") == 0)
		rc = help(&f, &globals);
	else
		rc = dispatch(&f, &globals);
	pst_argv_done(&f.args);
	return ended(rc);
}
