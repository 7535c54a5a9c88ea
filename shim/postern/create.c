/* create, run, restore: a container from a bundle. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "front.h"
#include "host/rootmount.h"

/* Flags of the verb that we read ourselves; the others go to the runtime as written. */
static bool is_read(const struct pst_arg *a)
{
	static const char *const names[] = {"bundle", "pid-file", "console-socket", "preserve-fds",
					    "detach", "keep",	  "help",	    "hold",
					    "hold-look", "rootfs-mount"};
	for (size_t i = 0; a->flag != NULL && i < PST_NELEM(names); i++)
		if (strcmp(names[i], a->flag->name) == 0)
			return true;
	return false;
}

/* The mounts of --rootfs-mount, cut up in copies that live as long as the process. */
static int read_mounts(const struct front *f, struct pst_create *c, struct pst_err *err)
{
	static struct pst_rootmount mounts[PST_ROOTMOUNT_MAX];
	int rc = PST_OK;
	for (size_t i = 0; rc == PST_OK && i < f->args.nflags; i++) {
		const struct pst_arg *a = &f->args.flags[i];
		if (a->flag == NULL || strcmp(a->flag->name, "rootfs-mount") != 0)
			continue;
		if (c->nrootfs == PST_ROOTMOUNT_MAX)
			return pst_fail(err, PST_E_USAGE, "", "more than %d of --rootfs-mount", PST_ROOTMOUNT_MAX);
		char *text = strdup(a->value);
		if (text == NULL)
			return pst_fail_nomem(err);
		rc = pst_rootmount_parse(text, &mounts[c->nrootfs++], err);
	}
	c->rootfs = mounts;
	return rc;
}

static int read_hold(const struct front *f, struct pst_create *c, struct pst_err *err)
{
	uint64_t fd = 0;
	const char *hold = pst_argv_value(&f->args, "hold");
	if (hold == NULL)
		return PST_OK;
	if (!pst_num_parse(hold, 10, INT_MAX, &fd) || fd < 3 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) != 0)
		return pst_fail(err, PST_E_USAGE, "", "--hold takes an open descriptor, not \"%s\"", hold);
	c->hold = true;
	c->hold_look = pst_argv_on(&f->args, "hold-look");
	c->hold_fd = (int)fd;
	return PST_OK;
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
	const int rc = read_mounts(f, c, err);
	return rc == PST_OK ? read_hold(f, c, err) : rc;
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
