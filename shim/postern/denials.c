/* denials: what was refused, by whom, and the line that would allow it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "core/json.h"
#include "front.h"
#include "host/denials.h"

struct show {
	bool json, follow;
	struct pst_denials all;
};

static int see(void *ctx, json_t *record, struct pst_err *err)
{
	struct show *s = ctx;
	pst_auto_buf out = {0};
	if (!s->json && !s->follow)
		return pst_denials_add(&s->all, record, err);
	if (s->json) {
		const int rc = pst_json_dump(record, PST_JSON_COMPACT, &out, err);
		if (rc != PST_OK)
			return rc;
		pst_buf_char(&out, '\n');
	} else {
		pst_denial_line(record, &out);
	}
	if (!pst_buf_ok(&out))
		return pst_fail_nomem(err);
	fputs(pst_buf_cstr(&out), stdout);
	(void)fflush(stdout);
	/* A reader that went away ends us, not an error. */
	return ferror(stdout) ? pst_fail_sys(err, "cannot write") : PST_OK;
}

/* "90s", "10m", "2h", "3d" before now. False: it is none of these. */
static bool ago(const char *text, char out[32])
{
	static const struct {
		char unit;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char number[16];
	uint64_t n;
	struct tm tm;
	const size_t len = strlen(text);
	if (len < 2 || len > sizeof number)
		return false;
	memcpy(number, text, len - 1);
	number[len - 1] = '\0';
	for (size_t i = 0; i < PST_NELEM(units); i++) {
		if (units[i].unit != text[len - 1] || !pst_num_parse(number, 10, 1000000, &n))
			continue;
		const time_t t = time(NULL) - (time_t)(n * units[i].seconds);
		return gmtime_r(&t, &tm) != NULL && strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm) > 0;
	}
	return false;
}

/* Records' times compare as text: all are UTC. */
static int parse_since(const char *text, char out[32], struct pst_err *err)
{
	struct tm tm;
	const char *end;
	if (ago(text, out))
		return PST_OK;
	end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	if (end != NULL && (strcmp(end, "Z") == 0 || *end == '\0') && strlen(text) < 32) {
		snprintf(out, 32, "%.19s", text);
		return PST_OK;
	}
	pst_fail(err, PST_E_USAGE, "", "--since is a time or a duration, not \"%s\"", text);
	return pst_err_cure(err, "write 2026-01-31T12:00:00Z, or 90s, 10m, 2h, 3d");
}

int verb_denials(struct front *f)
{
	struct pst_err err = {0};
	char since[32];
	size_t bad = 0;
	pst_auto_buf out = {0};
	const char *format = pst_argv_value(&f->args, "format");
	const char *from = pst_argv_value(&f->args, "since");
	struct show s = {.json = pst_streq(format, "json"), .follow = pst_argv_on(&f->args, "follow")};
	struct pst_denial_filter filter = {
		.id = f->args.nargs > 0 ? f->args.args[0] : NULL,
		.runtime = pst_argv_on(&f->args, "all"),
	};
	int rc = PST_OK;
	if (format != NULL && !s.json && strcmp(format, "text") != 0)
		rc = pst_fail(&err, PST_E_USAGE, "", "--format is text or json, not \"%s\"", format);
	if (rc == PST_OK && from != NULL) {
		rc = parse_since(from, since, &err);
		filter.since = since;
	}
	if (rc == PST_OK)
		rc = pst_denials_walk(&f->g, &filter, s.follow, see, &s, &bad, &err);
	s.all.bad = bad;
	if (rc == PST_OK && !s.json && !s.follow)
		rc = pst_denials_text(&s.all, &out, &err);
	fputs(pst_buf_cstr(&out), stdout);
	pst_denials_done(&s.all);
	return rc == PST_OK ? 0 : front_report(f, &err);
}
