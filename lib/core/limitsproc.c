/* Limits of a container's process, and of its /dev/shm. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"
#include "core/rlimit.h"

/* "/process" + "/rlimits/0/hard" */
PST_PRINTF(3, 4)
static const char *in_process(const struct pst_judge *j, char buf[96], const char *fmt, ...)
{
	va_list ap;
	const int n = snprintf(buf, 96, "%s", j->process);
	va_start(ap, fmt);
	vsnprintf(buf + n, (size_t)(96 - n), fmt, ap);
	va_end(ap);
	return buf;
}

static int lower_entry(struct pst_judge *j, size_t i, const struct pst_bound *b, struct pst_err *err)
{
	static const char *const ends[] = {"hard", "soft"};
	for (size_t k = 0; k < PST_NELEM(ends); k++) {
		char p[96];
		in_process(j, p, "/rlimits/%zu/%s", i, ends[k]);
		const int rc = pst_judge_entry(j, p, b, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

/* RLIM_INFINITY is the highest number, so "unlimited" needs no case of its own. */
static int judge_rlimit(struct pst_judge *j, const char *type, const struct pst_bound *b, bool *list_made,
			struct pst_err *err)
{
	char p[96];
	const json_t *list = pst_json_at(j->root, in_process(j, p, "/rlimits"));
	struct pst_verdict v;
	bool found = false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!pst_streq(pst_json_str(json_object_get(json_array_get(list, i), "type")), type))
			continue;
		found = true;
		const int rc = lower_entry(j, i, b, err);
		if (rc != PST_OK)
			return rc;
	}
	if (found)
		return PST_OK;
	const int rc = pst_judge_decide(j, b, (struct pst_asked){.how = PST_ASK_NOTHING}, p, &v, err);
	if (rc != PST_OK || !v.change)
		return rc;
	if (!json_is_array(list) && !*list_made)
		pst_edit_set(j->edits, p, json_array(), "spec /process", "there are none");
	*list_made = true;
	pst_edit_set(j->edits, in_process(j, p, "/rlimits/-"),
		     json_pack("{s:s, s:o, s:o}", "type", type, "hard", pst_json_from_u64(v.v), "soft",
			       pst_json_from_u64(v.v)),
		     v.source, "%s limited", b->what);
	return PST_OK;
}

int pst_limits_rlimits(struct pst_judge *j, const struct pst_tighten *t, struct pst_err *err)
{
	char p[96];
	const json_t *list = pst_json_at(j->root, in_process(j, p, "/rlimits"));
	bool list_made = false;
	int rc = PST_OK;
	if (!json_is_object(pst_json_at(j->root, j->process)))
		return PST_OK;
	if (list != NULL && !json_is_null(list) && !json_is_array(list))
		return pst_fail(err, PST_E_SPEC, p, "wrong type: %s must be an array", p);
	for (size_t i = 0; rc == PST_OK && i < PST_RL_COUNT; i++) {
		char pointer[32];
		snprintf(pointer, sizeof pointer, "/limits/%s", pst_rlimit_names[i].key);
		struct pst_bound b = {.policy = &j->policy->rlimits[i], .pointer = pointer,
				      .what = pst_rlimit_names[i].what};
		if (i == PST_RL_NOFILE) {
			b.own = t->has_nofile;
			b.own_max = t->nofile;
			b.annotation = "annotation postern/nofile";
		}
		rc = judge_rlimit(j, pst_rlimit_names[i].type, &b, &list_made, err);
	}
	return rc;
}

int pst_limits_exec(const json_t *process, bool missing, const struct pst_policy *policy,
		    const struct pst_tighten *t, struct pst_edits *edits, struct pst_err *err)
{
	struct pst_judge j = {.policy = policy, .edits = edits, .root = process, .process = "",
			      .partial = !missing, .lower = missing};
	return pst_limits_rlimits(&j, t, err);
}

/* A plain number of bytes with at most one of the kernel's suffixes (lib/cmdline.c,
 * memparse). "50%", "0x10" and "010" are not: they count as no limit. */
static bool read_size(const char *text, size_t len, uint64_t *ret)
{
	char digits[24];
	uint64_t unit = 1;
	if (len > 0 && (text[len - 1] < '0' || text[len - 1] > '9')) {
		const char *at = memchr("kmgt", text[len - 1] | 0x20, 4);
		if (at == NULL)
			return false;
		static const char order[] = "kmgt";
		for (const char *s = order; *s != (text[len - 1] | 0x20); s++)
			unit <<= 10;
		unit <<= 10;
		len--;
	}
	if (len == 0 || len >= sizeof digits || text[0] == '0')
		return false;
	snprintf(digits, sizeof digits, "%.*s", (int)len, text);
	if (!pst_num_parse(digits, 10, UINT64_MAX / unit, ret))
		return false;
	*ret *= unit;
	return true;
}

/* tmpfs(5): both set the size, and the last one given counts. */
static bool sets_size(const char *word, size_t len)
{
	return (len >= 5 && strncmp(word, "size=", 5) == 0) ||
	       (len >= 10 && strncmp(word, "nr_blocks=", 10) == 0);
}

/*
 * The options without those that set the size, and what the size was: an option may hold
 * several words, since the runtime joins all of them by commas. NULL without memory.
 */
static json_t *without_size(const json_t *options, struct pst_asked *ret)
{
	json_t *kept = json_array();
	*ret = (struct pst_asked){.how = PST_ASK_UNLIMITED, .zero = true};
	for (size_t i = 0; i < json_array_size(options); i++) {
		const char *s = pst_json_str(json_array_get(options, i));
		while (s != NULL && *s != '\0') {
			const size_t len = strcspn(s, ",");
			if (!sets_size(s, len)) {
				if (json_array_append_new(kept, json_stringn(s, len)) != 0) {
					json_decref(kept);
					return NULL;
				}
			} else {
				*ret = (struct pst_asked){.how = PST_ASK_UNLIMITED};
				if (s[0] == 's' && read_size(s + 5, len - 5, &ret->v))
					ret->how = PST_ASK_SOME;
			}
			s += len + (s[len] == ',');
		}
	}
	return kept;
}

/* "/dev/shm", however it is spelled. */
static bool is_shm(const char *dst)
{
	static const char *const parts[] = {"dev", "shm"};
	size_t n = 0;
	while (dst != NULL && *dst != '\0') {
		const size_t len = strcspn(dst, "/");
		if (len != 0 && !(len == 1 && dst[0] == '.')) {
			if (n == PST_NELEM(parts) || strlen(parts[n]) != len ||
			    strncmp(dst, parts[n], len) != 0)
				return false;
			n++;
		}
		dst += len + (dst[len] == '/');
	}
	return n == PST_NELEM(parts);
}

static int judge_shm(struct pst_judge *j, size_t i, const json_t *mount, const struct pst_bound *b,
		     struct pst_err *err)
{
	char p[64], value[32];
	struct pst_asked a;
	struct pst_verdict v;
	pst_auto_json *kept = without_size(json_object_get(mount, "options"), &a);
	if (kept == NULL)
		return pst_fail_nomem(err);
	if (a.zero && b->policy->has_default)
		a.how = PST_ASK_NOTHING; /* half of the memory, to the kernel; nobody asked for that */
	snprintf(p, sizeof p, "/mounts/%zu/options", i);
	const int rc = pst_judge_decide(j, b, a, p, &v, err);
	if (rc != PST_OK || !v.change)
		return rc;
	snprintf(value, sizeof value, "size=%llu", (unsigned long long)v.v);
	if (json_array_append_new(kept, json_string(value)) != 0)
		return pst_fail_nomem(err);
	pst_edit_set(j->edits, p, json_incref(kept), v.source, "%s %s", b->what,
		     a.zero ? "limited" : "lowered to the ceiling");
	return PST_OK;
}

int pst_limits_shm(struct pst_judge *j, struct pst_err *err)
{
	const struct pst_bound b = {
		.policy = &j->policy->shm, .pointer = "/limits/shm", .what = "shared memory in /dev/shm"};
	const json_t *mounts = pst_json_at(j->root, "/mounts");
	int rc = PST_OK;
	if (!b.policy->has_max && !b.policy->has_default)
		return PST_OK;
	for (size_t i = 0; rc == PST_OK && i < json_array_size(mounts); i++) {
		const json_t *m = json_array_get(mounts, i);
		if (pst_streq(pst_json_str(json_object_get(m, "type")), "tmpfs") &&
		    is_shm(pst_json_str(json_object_get(m, "destination"))))
			rc = judge_shm(j, i, m, &b, err);
	}
	return rc;
}
