#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ground.h"
#include "host/hostops.h"
#include "host/io.h"

TestSuite(io, .init = ground_enter, .fini = ground_leave, .timeout = 60);

static unsigned late; /* how often somebody is quicker than the removal of a directory */

static int busy_unlinkat(int dfd, const char *name, int flags)
{
	if (strcmp(name, "tree") == 0 && flags == AT_REMOVEDIR && late > 0) {
		late--;
		cr_assert_eq(mkdirat(dfd, "tree/late", 0700), 0);
	}
	return unlinkat(dfd, name, flags);
}

static int remove_while(unsigned times, struct pst_err *err)
{
	struct pst_hostops ops = pst_hostops_real;
	ops.unlinkat = busy_unlinkat;
	late = times;
	ground_mkdir("tree");
	pst_host = &ops;
	const int rc = pst_io_remove_tree(AT_FDCWD, "tree", err);
	pst_host = &pst_hostops_real;
	return rc;
}

Test(io, a_tree_goes_although_somebody_puts_something_in_meanwhile)
{
	struct pst_err err = {0};
	cr_assert_eq(remove_while(2, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(access("tree", F_OK), -1);
}

Test(io, it_does_not_go_on_for_ever)
{
	struct pst_err err = {0};
	cr_assert_eq(remove_while(1000, &err), PST_E_HOST);
	cr_assert_eq(err.sys, ENOTEMPTY);
}
