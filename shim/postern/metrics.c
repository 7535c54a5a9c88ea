/* metrics: the node's containers as Prometheus text: printed, in a file, or over HTTP. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "config.h"
#include "front.h"
#include "host/io.h"
#include "host/nodelook.h"
#include "host/scrape.h"

static int page(void *ctx, struct pst_buf *out, struct pst_err *err)
{
	const struct front *f = ctx;
	pst_auto_nodestat s = {0};
	const int rc = pst_node_look(&f->g, &s, err);
	if (rc != PST_OK)
		return rc;
	pst_metrics_text(&s, PST_VERSION, out);
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

static void note(void *ctx, const struct pst_err *err)
{
	(void)front_report(ctx, err);
}

/* Beside the file and then in its place: node exporter reads whole files only. */
static int to_file(struct front *f, const char *path, struct pst_err *err)
{
	pst_auto_buf text = {0};
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char dir[4096];
	snprintf(dir, sizeof dir, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1, slash == NULL ? "." : path);
	int rc = page(f, &text, err);
	if (rc != PST_OK)
		return rc;
	if (name[0] == '\0' || strlen(path) >= sizeof dir)
		return pst_fail(err, PST_E_USAGE, "", "--textfile is no file name: \"%s\"", path);
	pst_auto_fd dfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dfd < 0)
		return pst_fail_sys(err, "cannot open %s", dir);
	return pst_io_replace(dfd, name, text.data, text.len, 0644, err);
}

int verb_metrics(struct front *f)
{
	struct pst_err err = {0};
	pst_auto_buf text = {0};
	pst_auto_fd fd = -1;
	const char *where = pst_argv_value(&f->args, "listen");
	const char *file = pst_argv_value(&f->args, "textfile");
	const struct pst_scrape how = {.page = page, .note = note, .ctx = f};
	int rc = PST_OK;
	if (where != NULL && file != NULL) {
		rc = pst_fail(&err, PST_E_USAGE, "", "--listen and --textfile exclude each other");
	} else if (where != NULL) {
		rc = pst_scrape_listen(where, &fd, &err);
		if (rc == PST_OK)
			rc = pst_scrape_serve(fd, &how, &err);
	} else if (file != NULL) {
		rc = to_file(f, file, &err);
	} else {
		rc = page(f, &text, &err);
		fputs(pst_buf_cstr(&text), stdout);
	}
	return rc == PST_OK ? 0 : front_report(f, &err);
}
