/*
 * containerd-shim-postern-v2 - one process a pod between containerd and postern.
 *
 * usage: containerd-shim-postern-v2 [flags] start|delete, or -info, or -v
 * Without an action it is the server, as `start` executes it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "containerd/args.h"

static void say(int fd, const char *text)
{
	(void)!write(fd, text, strlen(text));
}

static int complain(const struct pst_err *err)
{
	say(STDERR_FILENO, "containerd-shim-postern-v2: ");
	say(STDERR_FILENO, err->msg);
	if (err->cure[0] != '\0') {
		say(STDERR_FILENO, "; ");
		say(STDERR_FILENO, err->cure);
	}
	say(STDERR_FILENO, "\n");
	return 1;
}

/* containerd 1.6 gives TTRPC_ADDRESS only; older habits make it from the other. */
static const char *ttrpc_address(const char *address)
{
	static char path[256];
	const char *given = getenv("TTRPC_ADDRESS");
	if (given != NULL && given[0] != '\0')
		return given;
	snprintf(path, sizeof path, "%s.ttrpc", address == NULL ? "" : address);
	return path;
}

static int act(struct pst_shim_args *a, struct pst_err *err)
{
	if (a->namespace_ == NULL || a->namespace_[0] == '\0')
		return pst_fail(err, PST_E_USAGE, "", "shim namespace cannot be empty");
	if (a->id == NULL || a->id[0] == '\0' || strchr(a->id, '/') != NULL ||
	    strchr(a->namespace_, '/') != NULL)
		return pst_fail(err, PST_E_USAGE, "", "a container id is needed: -id");
	if (a->address == NULL)
		a->address = "";
	a->ttrpc_address = ttrpc_address(a->address);
	if (a->action == NULL)
		return pst_shim_serve(a, err);
	if (strcmp(a->action, "start") == 0)
		return pst_shim_start(a, err);
	if (strcmp(a->action, "delete") == 0)
		return pst_shim_delete(a, err);
	return pst_fail(err, PST_E_USAGE, "", "unknown action %.40s", a->action);
}

int main(int argc, char **argv)
{
	struct pst_shim_args a;
	struct pst_err err = {0};
	/* containerd's own, where systemd started it. runc would take it for the container's: one
	 * more mount and variable in it, and a start that waits for a READY=1 nobody sends. */
	(void)unsetenv("NOTIFY_SOCKET");
	int rc = pst_shim_args_parse(argc, argv, &a, &err);
	if (rc == PST_OK && a.version) {
		say(STDOUT_FILENO, "containerd-shim-postern-v2:\n  Version:  " PST_VERSION "\n");
		return 0;
	}
	if (rc == PST_OK)
		rc = a.info ? pst_shim_info(&err) : act(&a, &err);
	return rc == PST_OK ? 0 : complain(&err);
}
