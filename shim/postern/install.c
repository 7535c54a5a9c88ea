/* install, uninstall: an engine's configuration, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "front.h"
#include "host/install.h"

int verb_install(struct front *f)
{
	const struct pst_install in = {
		.engine = f->args.args[0],
		.remove = strcmp(f->verb->name, "uninstall") == 0,
		.dry_run = pst_argv_on(&f->args, "dry-run"),
		.restart = pst_argv_on(&f->args, "restart"),
		.config = pst_argv_value(&f->args, "config"),
		.bin = pst_argv_value(&f->args, "bin"),
	};
	pst_auto_installed done = {.diff = {0}, .notes = {0}};
	struct pst_err err = {0};
	const int rc = pst_install_run(&f->g, &in, &done, &err);
	fputs(pst_buf_cstr(&done.diff), stdout);
	fputs(pst_buf_cstr(&done.notes), stdout);
	if (rc != PST_OK)
		return front_report(f, &err);
	if (done.diff.len == 0)
		printf("%s is %s\n", in.engine, in.remove ? "free of postern" : "wired already");
	return 0;
}
