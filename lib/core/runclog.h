/*
 * core/runclog.h - the last error out of a runtime's log.
 *
 * Pure, a stream: bytes in as they are read, in pieces of any size. A line that is a
 * JSON object ({"level":"error","msg":"...","time":"..."}: runc and crun with
 * --log-format json) is read by yajl; one in logrus's text form
 * (time="..." level=error msg="...") by hand; others are skipped. Only the text
 * of the last error counts: engines show the same one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"

struct pst_runclog {
	struct pst_buf line; /* of the line being fed; longer ones are skipped */
	bool skip;           /* the rest of this line */
	bool found;
	char msg[640];       /* the last error, cut; "" if none */
};

/* More bytes. Never fails: what cannot be read is no error message. */
void pst_runclog_feed(struct pst_runclog *l, const char *data, size_t len);

/* The end: a last line without newline is read too. The message, or NULL if no
 * error was logged; valid until pst_runclog_done. */
const char *pst_runclog_end(struct pst_runclog *l);

void pst_runclog_done(struct pst_runclog *l);
#define pst_auto_runclog PST_CLEANUP(pst_runclog_done) struct pst_runclog
