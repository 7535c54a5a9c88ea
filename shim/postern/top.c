/* top: what the hardened containers of this node are, use, were denied, and ran into. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/str.h"
#include "core/json.h"
#include "front.h"
#include "host/denials.h"
#include "host/nodelook.h"

#define EVERY_MS 2000
#define APART_MS 200   /* once: between the two looks that cpu use needs */
#define GONE_KEPT 50   /* records of limits, the newest */

/* Keep the newest few; the files are read one container after the other. */
static int keep(void *ctx, json_t *record, struct pst_err *err)
{
	json_t *all = ctx;
	const char *time = pst_json_str(json_object_get(record, "time"));
	size_t at = json_array_size(all);
	while (at > 0 && strcmp(time == NULL ? "" : time,
				pst_json_str(json_object_get(json_array_get(all, at - 1), "time"))) < 0)
		at--;
	if (time != NULL && json_array_insert(all, at, record) != 0)
		return pst_fail_nomem(err);
	if (json_array_size(all) > GONE_KEPT)
		(void)json_array_remove(all, 0);
	return PST_OK;
}

static int read_hits(struct front *f, json_t **ret, struct pst_err *err)
{
	const struct pst_denial_filter filter = {.limits = true};
	size_t bad;
	*ret = json_array();
	return *ret == NULL ? pst_fail_nomem(err)
			    : pst_denials_walk(&f->g, &filter, false, keep, *ret, &bad, err);
}

/* One screen: lines cut to its width and height, colours not counted. */
static void show_screen(const char *text)
{
	struct winsize w = {0};
	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &w);
	const unsigned rows = w.ws_row > 1 ? w.ws_row - 1U : 24;
	const unsigned cols = w.ws_col > 0 ? w.ws_col : 80;
	unsigned row = 0, col = 0;
	fputs("\033[H\033[J", stdout);
	for (const char *s = text; *s != '\0' && row < rows; s++) {
		if (*s == '\033') { /* "\033[...m" of ours; text of others has none */
			const size_t n = strcspn(s, "m");
			(void)fwrite(s, 1, n + (s[n] != '\0'), stdout);
			s += s[n] != '\0' ? n : n - 1;
			continue;
		}
		const bool more = ((unsigned char)*s & 0xc0) == 0x80;
		col = *s == '\n' ? 0 : col + !more;
		row += *s == '\n';
		if (*s == '\n' || col <= cols)
			(void)putchar(*s);
	}
	(void)fflush(stdout);
}

static int print(struct front *f, const struct pst_nodestat *s, bool json, bool screen, struct pst_err *err)
{
	pst_auto_buf out = {0};
	pst_auto_json *hits = NULL;
	int rc = read_hits(f, &hits, err);
	if (rc != PST_OK)
		return rc;
	if (json) {
		pst_auto_json *j = pst_top_json(s, hits);
		rc = j == NULL ? pst_fail_nomem(err) : pst_json_dump(j, PST_JSON_PRETTY, &out, err);
	} else {
		pst_top_text(s, hits, isatty(STDOUT_FILENO) == 1, &out);
		rc = pst_buf_ok(&out) ? PST_OK : pst_fail_nomem(err);
	}
	if (rc != PST_OK)
		return rc;
	if (screen)
		show_screen(pst_buf_cstr(&out));
	else
		fputs(pst_buf_cstr(&out), stdout);
	return ferror(stdout) ? pst_fail_sys(err, "cannot write") : PST_OK;
}

int verb_top(struct front *f)
{
	struct pst_err err = {0};
	struct pst_nodestat before = {0};
	const char *format = pst_argv_value(&f->args, "format");
	const bool json = pst_streq(format, "json");
	const bool once = json || pst_argv_on(&f->args, "once") || isatty(STDOUT_FILENO) != 1;
	int rc = PST_OK;
	if (format != NULL && !json && strcmp(format, "text") != 0)
		rc = pst_fail(&err, PST_E_USAGE, "", "--format is text or json, not \"%s\"", format);
	if (rc == PST_OK)
		rc = pst_node_look(&f->g, &before, &err);
	for (int ms = APART_MS; rc == PST_OK; ms = EVERY_MS) {
		struct pst_nodestat now = {0};
		(void)poll(NULL, 0, ms);
		rc = pst_node_look(&f->g, &now, &err);
		if (rc != PST_OK)
			break;
		pst_nodestat_since(&now, &before);
		rc = print(f, &now, json, !once, &err);
		pst_nodestat_done(&before);
		before = now;
		if (once)
			break;
	}
	pst_nodestat_done(&before);
	return rc == PST_OK ? 0 : front_report(f, &err);
}
