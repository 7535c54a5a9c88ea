#include "host/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/json.h"
#include "host/hostops.h"
#include "host/io.h"

static const char *const events[] = {
	[PST_J_BEGIN] = "begin",   [PST_J_DONE] = "done", [PST_J_UNDO] = "undo",
	[PST_J_UNDONE] = "undone", [PST_J_MARK] = "mark",
};

static const struct pst_json_limits limits = {.bytes = (size_t)1 << 20, .depth = 16};

static bool event_of(const json_t *rec, enum pst_jevent *ret)
{
	const char *s = pst_json_str(json_object_get(rec, "event"));
	for (size_t i = 0; i < PST_NELEM(events); i++)
		if (pst_streq(s, events[i])) {
			*ret = (enum pst_jevent)i;
			return true;
		}
	return false;
}

static uint64_t num_of(const json_t *rec, const char *name)
{
	uint64_t v = 0;
	return pst_json_u64(json_object_get(rec, name), &v) ? v : 0;
}

/* NULL if the line is no record that can follow number `seq`. */
static json_t *parse_record(const char *line, size_t len, uint64_t seq)
{
	enum pst_jevent ev;
	pst_auto_json *rec = NULL;
	if (pst_json_parse(line, len, PST_JOURNAL_NAME, &limits, &rec, NULL) != PST_OK ||
	    num_of(rec, "seq") <= seq || !event_of(rec, &ev) ||
	    pst_json_str(json_object_get(rec, "step")) == NULL)
		return NULL;
	const uint64_t of = num_of(rec, "of");
	if ((ev == PST_J_BEGIN || ev == PST_J_MARK) ? of != 0 : of == 0)
		return NULL;
	return PST_TAKE(rec);
}

struct parsed {
	json_t *records;
	uint64_t seq;   /* of the last */
	size_t whole;   /* bytes up to the last newline */
	size_t damaged; /* as struct pst_jview has it */
};

static int parse_all(const struct pst_buf *text, struct parsed *out, struct pst_err *err)
{
	const char *p = pst_buf_cstr(text), *nl;
	const char *const end = p + text->len;
	for (size_t no = 1; (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; no++, p = nl + 1) {
		json_t *rec = parse_record(p, (size_t)(nl - p), out->seq);
		if (rec == NULL) {
			out->damaged = out->damaged == 0 ? no : out->damaged;
			continue;
		}
		out->seq = num_of(rec, "seq");
		if (json_array_append_new(out->records, rec) != 0)
			return pst_fail_nomem(err);
	}
	out->whole = (size_t)(p - pst_buf_cstr(text));
	return PST_OK;
}

static int load(int fd, struct parsed *out, struct pst_err *err)
{
	pst_auto_buf text = {0};
	out->records = json_array();
	if (out->records == NULL)
		return pst_fail_nomem(err);
	int rc = pst_io_read_fd(fd, PST_JOURNAL_MAX, PST_JOURNAL_NAME, &text, err);
	if (rc == PST_OK)
		rc = parse_all(&text, out, err);
	if (rc != PST_OK) {
		json_decref(out->records);
		out->records = NULL;
	}
	return rc;
}

int pst_journal_open(int dfd, struct pst_journal *out, struct pst_err *err)
{
	struct parsed p = {0};
	pst_auto_fd fd = pst_host->openat(
		dfd, PST_JOURNAL_NAME, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the journal");
	const int rc = load(fd, &p, err);
	if (rc != PST_OK)
		return rc;
	json_decref(p.records);
	/* A torn line would swallow the next record. */
	if (pst_host->ftruncate(fd, (off_t)p.whole) != 0)
		return pst_fail_sys(err, "cannot cut a torn line off the journal");
	*out = (struct pst_journal){
		.fd = PST_TAKE_FD(fd), .seq = p.seq, .size = (int64_t)p.whole};
	return PST_OK;
}

void pst_journal_close(struct pst_journal *j)
{
	pst_fd_close(j->fd);
	*j = (struct pst_journal)PST_JOURNAL_NONE;
}

static int print_record(uint64_t seq, enum pst_jevent ev, uint64_t of, const char *step,
			const json_t *arg, struct pst_buf *out, struct pst_err *err)
{
	pst_auto_json *rec = json_pack("{s:o, s:s, s:s}", "seq", pst_json_from_u64(seq), "event",
				       events[ev], "step", step);
	if (rec == NULL)
		return pst_fail_nomem(err);
	json_t *copy = arg == NULL ? NULL : pst_json_copy(arg);
	if ((of != 0 && json_object_set_new(rec, "of", pst_json_from_u64(of)) != 0) ||
	    (arg != NULL &&
	     json_object_set_new(rec, ev == PST_J_BEGIN ? "arg" : "note", copy) != 0))
		return pst_fail_nomem(err);
	const int rc = pst_json_dump(rec, PST_JSON_COMPACT, out, err);
	pst_buf_char(out, '\n');
	return rc != PST_OK ? rc : pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

int pst_journal_put(struct pst_journal *j, enum pst_jevent event, uint64_t of, const char *step,
		    const json_t *arg, uint64_t *ret, struct pst_err *err)
{
	pst_auto_buf line = {0};
	const bool alone = event == PST_J_BEGIN || event == PST_J_MARK;
	if (alone != (of == 0))
		return pst_fail(err, PST_E_BUG, "", "journal: %s %s of step %llu", events[event],
				step, (unsigned long long)of);
	const int rc = print_record(j->seq + 1, event, of, step, arg, &line, err);
	if (rc != PST_OK)
		return rc;

	ssize_t n;
	do
		n = pst_host->write(j->fd, line.data, line.len);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)line.len) {
		if (n >= 0) /* what a full disk does to write(2) before it says ENOSPC */
			errno = ENOSPC;
		pst_fail_sys(err, "cannot write step %s to the journal", step);
		(void)pst_host->ftruncate(j->fd, (off_t)j->size);
		return PST_E_HOST;
	}
	j->size += n;
	j->seq++;
	if (ret != NULL)
		*ret = j->seq;
	return PST_OK;
}

static struct pst_jstep *step_of(struct pst_jview *v, uint64_t seq)
{
	for (size_t i = 0; i < v->nopen; i++)
		if (v->open[i].seq == seq)
			return &v->open[i];
	return NULL;
}

static void apply(struct pst_jview *v, const json_t *rec)
{
	enum pst_jevent ev;
	if (!event_of(rec, &ev) || ev == PST_J_MARK)
		return;
	if (ev == PST_J_BEGIN) {
		/* Latest first; journals are tens of lines. */
		memmove(v->open + 1, v->open, v->nopen * sizeof *v->open);
		v->nopen++;
		v->open[0] = (struct pst_jstep){
			.seq = num_of(rec, "seq"),
			.step = pst_json_str(json_object_get(rec, "step")),
			.arg = json_object_get(rec, "arg"),
		};
		return;
	}
	struct pst_jstep *s = step_of(v, num_of(rec, "of"));
	if (s == NULL)
		return;
	if (ev == PST_J_DONE) {
		s->done = true;
		s->note = json_object_get(rec, "note");
	} else if (ev == PST_J_UNDO) {
		s->undoing = true;
	} else {
		const size_t at = (size_t)(s - v->open);
		v->nopen--;
		memmove(s, s + 1, (v->nopen - at) * sizeof *s);
	}
}

int pst_journal_read(int dfd, struct pst_jview *out, struct pst_err *err)
{
	struct parsed p = {0};
	pst_auto_fd fd = pst_host->openat(dfd, PST_JOURNAL_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0 && errno != ENOENT)
		return pst_fail_sys(err, "cannot open the journal");
	if (fd >= 0) {
		const int rc = load(fd, &p, err);
		if (rc != PST_OK)
			return rc;
	}
	struct pst_jview v = {.records = p.records, .damaged = p.damaged};
	const size_t n = json_array_size(v.records);
	v.open = calloc(n + 1, sizeof *v.open);
	if (v.open == NULL) {
		pst_jview_done(&v);
		return pst_fail_nomem(err);
	}
	for (size_t i = 0; i < n; i++)
		apply(&v, json_array_get(v.records, i));
	*out = v;
	return PST_OK;
}

void pst_jview_done(struct pst_jview *v)
{
	free(v->open);
	json_decref(v->records);
	*v = (struct pst_jview){0};
}

bool pst_journal_marked(const struct pst_jview *v, const char *name)
{
	size_t i;
	const json_t *rec;
	enum pst_jevent ev;
	if (v->damaged != 0)
		return false;
	json_array_foreach(v->records, i, rec)
		if (event_of(rec, &ev) && ev == PST_J_MARK &&
		    pst_streq(pst_json_str(json_object_get(rec, "step")), name))
			return true;
	return false;
}
