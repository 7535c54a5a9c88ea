#include "host/runcall.h"

#include <fcntl.h>
#include <sched.h>

#include "base/fd.h"
#include "host/hostops.h"
#include "host/scload.h"

void pst_runcall_add(struct pst_runcall *c, const char *arg)
{
	if (c->n + 1 >= PST_RUNCALL_ARGS) {
		c->full = true;
		return;
	}
	c->argv[c->n++] = arg;
	c->argv[c->n] = NULL;
}

void pst_runcall_add2(struct pst_runcall *c, const char *flag, const char *value)
{
	if (value == NULL)
		return;
	pst_runcall_add(c, flag);
	pst_runcall_add(c, value);
}

void pst_runcall_begin(struct pst_runcall *c, const struct pst_ctx *ctx, const char *root)
{
	*c = (struct pst_runcall){.netns = -1};
	c->spawn.path = ctx->rt.path;
	pst_runcall_add(c, ctx->rt.path);
	for (size_t i = 0; i < ctx->g->npass; i++)
		pst_runcall_add(c, ctx->g->pass[i]);
	pst_runcall_add2(c, "--root", root != NULL ? root : ctx->g->root);
}

int pst_runcall_netns(struct pst_runcall *c, const char *path, struct pst_err *err)
{
	c->netns = pst_host->openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	return c->netns >= 0 ? PST_OK
			     : pst_fail_sys(err, "cannot open the network namespace %s", path);
}

/* In the child, between fork and exec. */
static int before(void *arg)
{
	struct pst_runcall *c = arg;
	if (c->netns >= 0 && pst_host->setns(c->netns, CLONE_NEWNET) != 0)
		return -1;
	if (c->safety_net && pst_scload_net(NULL) != PST_OK)
		return -1;
	return 0;
}

int pst_runcall_ready(struct pst_runcall *c, struct pst_err *err)
{
	if (c->full)
		return pst_fail(err, PST_E_USAGE, "", "more than %d arguments", PST_RUNCALL_ARGS);
	c->spawn.argv = c->argv;
	c->spawn.before = before;
	c->spawn.before_arg = c;
	c->spawn.before_what = "entering the network namespace or loading the pre-exec filter";
	return PST_OK;
}

void pst_runcall_done(struct pst_runcall *c)
{
	pst_fd_close(PST_TAKE_FD(c->netns));
}
