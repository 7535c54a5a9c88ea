#include "host/state_priv.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/formatver.h"
#include "core/json.h"
#include "host/io.h"

#define VERSION 1

static const char *const phases[] = {
	[PST_PHASE_CREATING] = "creating", [PST_PHASE_CREATED] = "created",
	[PST_PHASE_VERIFIED] = "verified", [PST_PHASE_STARTED] = "started",
	[PST_PHASE_DELETING] = "deleting",
};

static const struct pst_json_limits limits = {.bytes = (size_t)1 << 20, .depth = 8};

const char *pst_phase_name(enum pst_phase p)
{
	return (size_t)p < PST_NELEM(phases) ? phases[p] : "unknown";
}

void pst_record_done(struct pst_record *r)
{
	free(r->id);
	free(r->root);
	free(r->bundle);
	free(r->runtime);
	free(r->runtime_root);
	free(r->netns);
	free(r->sandbox);
	*r = (struct pst_record){0};
}

/* The strings of a record and their names in the file. */
static const struct {
	const char *name;
	size_t at;
	bool needed;
} strings[] = {
	{"id", offsetof(struct pst_record, id), true},
	{"root", offsetof(struct pst_record, root), true},
	{"bundle", offsetof(struct pst_record, bundle), true},
	{"runtime", offsetof(struct pst_record, runtime), false},
	{"runtimeRoot", offsetof(struct pst_record, runtime_root), false},
	{"netns", offsetof(struct pst_record, netns), false},
	{"sandbox", offsetof(struct pst_record, sandbox), false},
};

static char **string_at(struct pst_record *r, size_t i)
{
	return (char **)(void *)((char *)r + strings[i].at);
}

static bool put_strings(json_t *j, const struct pst_record *r)
{
	for (size_t i = 0; i < PST_NELEM(strings); i++) {
		const char *s = *(char *const *)(const void *)((const char *)r + strings[i].at);
		if (s != NULL && json_object_set_new(j, strings[i].name, json_string(s)) != 0)
			return false;
	}
	return true;
}

static bool put_block(json_t *j, const char *name, struct pst_idspan b)
{
	return b.len == 0 || json_object_set_new(j, name,
						 json_pack("{s:I, s:I}", "first", (json_int_t)b.first,
							   "size", (json_int_t)b.len)) == 0;
}

static bool put_netns(json_t *j, const struct pst_record *r)
{
	return r->netns_ino == 0 ||
	       (json_object_set_new(j, "netnsDev", pst_json_from_u64(r->netns_dev)) == 0 &&
		json_object_set_new(j, "netnsIno", pst_json_from_u64(r->netns_ino)) == 0);
}

int pst_record_print(const struct pst_record *r, struct pst_buf *out, struct pst_err *err)
{
	char proc[PST_PROCID_TEXT];
	pst_procid_print(&r->creator, proc);
	pst_auto_json *j = json_pack("{s:i, s:s, s:s, s:I}", "version", VERSION, "phase",
				     pst_phase_name(r->phase), "creator", proc, "time",
				     (json_int_t)r->time);
	if (j == NULL || !put_strings(j, r) || !put_block(j, "block", r->block) ||
	    !put_block(j, "extra", r->extra) || !put_netns(j, r))
		return pst_fail_nomem(err);
	const int rc = pst_json_dump(j, PST_JSON_PRETTY, out, err);
	pst_buf_char(out, '\n');
	return rc != PST_OK ? rc : pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

static bool get_strings(const json_t *j, struct pst_record *r)
{
	for (size_t i = 0; i < PST_NELEM(strings); i++) {
		const json_t *v = json_object_get(j, strings[i].name);
		const char *s = pst_json_str(v);
		if (v == NULL && !strings[i].needed)
			continue;
		if (s == NULL || (*string_at(r, i) = strdup(s)) == NULL)
			return false;
	}
	return true;
}

static bool get_block(const json_t *j, const char *name, struct pst_idspan *out)
{
	const json_t *v = json_object_get(j, name);
	uint64_t first, size;
	if (v == NULL)
		return true;
	if (!pst_json_u64(json_object_get(v, "first"), &first) || first > UINT32_MAX ||
	    !pst_json_u64(json_object_get(v, "size"), &size) || size > UINT32_MAX)
		return false;
	*out = (struct pst_idspan){.first = (uint32_t)first, .len = (uint32_t)size};
	return true;
}

static bool get_netns(const json_t *j, struct pst_record *r)
{
	const json_t *dev = json_object_get(j, "netnsDev"), *ino = json_object_get(j, "netnsIno");
	return (dev == NULL && ino == NULL) ||
	       (pst_json_u64(dev, &r->netns_dev) && pst_json_u64(ino, &r->netns_ino));
}

static bool get_phase(const json_t *j, enum pst_phase *ret)
{
	const char *s = pst_json_str(json_object_get(j, "phase"));
	for (size_t i = 0; i < PST_NELEM(phases); i++)
		if (pst_streq(s, phases[i])) {
			*ret = (enum pst_phase)i;
			return true;
		}
	return false;
}

static bool get_all(const json_t *j, struct pst_record *r)
{
	const char *proc = pst_json_str(json_object_get(j, "creator"));
	return get_phase(j, &r->phase) && proc != NULL && pst_procid_parse(proc, &r->creator) &&
	       pst_json_i64(json_object_get(j, "time"), &r->time) && get_strings(j, r) &&
	       get_block(j, "block", &r->block) && get_block(j, "extra", &r->extra) && get_netns(j, r);
}

int pst_record_parse(const char *text, size_t len, struct pst_record *out, struct pst_err *err)
{
	pst_auto_json *j = NULL;
	pst_auto_record r = {0};
	if (pst_json_parse(text, len, PST_RECORD_NAME, &limits, &j, NULL) != PST_OK)
		return pst_fail(err, PST_E_STATE, "", "%s is not a container's record", PST_RECORD_NAME);
	const int rc = pst_formatver_check(j, VERSION, PST_RECORD_NAME, err);
	if (rc != PST_OK)
		return rc;
	if (!get_all(j, &r))
		return pst_fail(err, PST_E_STATE, "", "%s is not a container's record", PST_RECORD_NAME);
	*out = r;
	r = (struct pst_record){0};
	return PST_OK;
}
