#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "core/oneline.h"
#include "front.h"

const char *front_id(const struct front *f)
{
	return f->verb != NULL && f->verb->has_id && f->args.nargs > 0 ? f->args.args[0] : NULL;
}

/* Engines show the message alone: it has to be complete in itself. What came from a
 * container or a file is kept to one printable line. */
static void sentence(const struct pst_err *e, struct pst_buf *out)
{
	pst_auto_buf b = {0};
	pst_buf_str(&b, e->msg);
	if (e->file[0] != '\0')
		pst_buf_fmt(&b, ": %s%s%s", e->file, e->pointer[0] != '\0' ? " at " : "", e->pointer);
	else if (e->pointer[0] != '\0')
		pst_buf_fmt(&b, ": at %s", e->pointer);
	if (e->rule[0] != '\0')
		pst_buf_fmt(&b, "; rule: %s", e->rule);
	if (e->cure[0] != '\0')
		pst_buf_fmt(&b, "; to do: %s", e->cure);
	pst_oneline(out, pst_buf_cstr(&b));
}

static void text_record(const char *when, const char *msg, struct pst_buf *out)
{
	pst_buf_fmt(out, "time=\"%s\" level=error msg=\"", when);
	for (const char *p = msg; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			pst_buf_char(out, '\\');
		pst_buf_char(out, *p);
	}
	pst_buf_str(out, "\"\n");
}

static void json_record(const struct front *f, const struct pst_err *e, const char *when,
			const char *msg, struct pst_buf *out)
{
	pst_auto_json *j = json_pack("{s:s, s:s, s:s, s:s}", "level", "error", "msg", msg, "time", when,
				     "code", pst_code_name(e->code));
	const struct {
		const char *key, *value;
	} more[] = {{"container", front_id(f)}, {"file", e->file}, {"pointer", e->pointer},
		    {"rule", e->rule},		{"cure", e->cure}};
	for (size_t i = 0; j != NULL && i < PST_NELEM(more); i++) {
		pst_auto_buf line = {0};
		if (more[i].value == NULL || more[i].value[0] == '\0')
			continue;
		pst_oneline(&line, more[i].value);
		(void)json_object_set_new(j, more[i].key, json_string(pst_buf_cstr(&line)));
	}
	if (j != NULL && pst_json_dump(j, PST_JSON_COMPACT, out, NULL) == PST_OK)
		pst_buf_char(out, '\n');
}

static void to_log(const struct front *f, const struct pst_err *e, const char *msg)
{
	char when[40];
	struct timespec now;
	struct tm tm;
	pst_auto_buf line = {0};
	if (f->g.log == NULL || f->g.log[0] == '\0')
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now.tv_sec, &tm));
	if (pst_streq(f->g.log_format, "json"))
		json_record(f, e, when, msg, &line);
	else
		text_record(when, msg, &line);
	pst_auto_fd fd = open(f->g.log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	/* One write: a reader never sees half a record. A log that cannot be written
	 * does not change what happened. */
	if (fd >= 0)
		(void)!write(fd, pst_buf_cstr(&line), line.len);
}

int front_report(const struct front *f, const struct pst_err *err)
{
	const int code = err->code == PST_E_POLICY ? 125 : 1;
	pst_auto_buf msg = {0};
	if (err->msg[0] == '\0')
		return code;
	sentence(err, &msg);
	fprintf(stderr, "postern: %s\n", pst_buf_cstr(&msg));
	to_log(f, err, pst_buf_cstr(&msg));
	return code;
}
