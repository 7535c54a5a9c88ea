/* postern-unpack: see options.h for what it is, pipeline.h for how it works. */
#include <ctype.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/str.h"
#include "cache.h"
#include "confine.h"
#include "options.h"
#include "pipeline.h"

/* Exit codes: 0 done, 1 the image or the host is wrong, 2 misuse. */
static int report(const struct pst_err *err)
{
	/* Names out of a tar stand in the message: nothing may reach a terminal raw. */
	pst_auto_buf line = {0};
	pst_buf_str(&line, "postern-unpack: ");
	for (const char *p = err->msg; *p != '\0'; p++)
		pst_buf_fmt(&line, isprint((unsigned char)*p) ? "%c" : "\\x%02x",
			    (unsigned char)*p);
	if (err->cure[0] != '\0')
		pst_buf_fmt(&line, "; %s", err->cure);
	pst_buf_char(&line, '\n');
	fputs(pst_buf_cstr(&line), stderr);
	return err->code == PST_E_USAGE ? 2 : 1;
}

/* A closed 0, 1 or 2 would be the number of the next file opened. */
static int fill_stdio(struct pst_err *err)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return pst_fail_sys(err, "cannot open /dev/null");
	if (close_range(3, ~0U, 0) != 0)
		return pst_fail_sys(err, "cannot close descriptors");
	return PST_OK;
}

static int unpack(const struct unpack_options *o, struct pst_err *err)
{
	PST_CLEANUP(cache_done) struct cache cache = CACHE_EMPTY;
	bool known = false;
	int rc = cache_begin(&cache, o->layers, o->diffid, &known, err);
	if (rc != PST_OK || known)
		return rc;
	rc = pipeline_layer(o, cache.path, err);
	return rc != PST_OK ? rc : cache_commit(&cache, err);
}

int main(int argc, char **argv)
{
	struct unpack_options o;
	struct pst_err err = {0};
	if (argc == 2 && pst_streq(argv[1], "--help")) {
		fputs(unpack_usage, stdout);
		return 0;
	}
	/* libarchive turns names of pax headers from UTF-8 into the locale's charset. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)signal(SIGPIPE, SIG_IGN);
	umask(0); /* every mode is written out */
	int rc = fill_stdio(&err);
	if (rc == PST_OK)
		rc = confine_start(&err);
	if (rc == PST_OK)
		rc = unpack_options_parse(argc, argv, &o, &err);
	if (rc == PST_OK)
		rc = o.verb == UNPACK_CAT ? pipeline_cat(&o, &err) : unpack(&o, &err);
	return rc == PST_OK ? 0 : report(&err);
}
