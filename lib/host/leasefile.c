#include "host/lease_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/str.h"
#include "core/formatver.h"
#include "core/json.h"

#define VERSION 1

static const char *const kinds[] = {
	[PST_LEASE_CONTAINER] = "container",
	[PST_LEASE_SANDBOX] = "sandbox",
};

/* A pod may have many members; a file that is larger than this has none. */
static const struct pst_json_limits limits = {.bytes = (size_t)1 << 20, .depth = 4};

void pst_lease_name(uint32_t first, char out[PST_LEASE_NAME])
{
	snprintf(out, PST_LEASE_NAME, "%u", (unsigned)(uint16_t)(first / PST_ID_BLOCK));
}

bool pst_lease_block(const char *name, struct pst_idspan *out)
{
	uint64_t slot;
	char back[PST_LEASE_NAME];
	if (!pst_num_parse(name, 10, PST_ID_SLOTS - 2, &slot) || slot == 0)
		return false;
	const uint32_t first = (uint32_t)slot * PST_ID_BLOCK;
	pst_lease_name(first, back);
	if (strcmp(back, name) != 0) /* "007" */
		return false;
	*out = (struct pst_idspan){.first = first, .len = PST_ID_BLOCK};
	return true;
}

int pst_lease_print(const struct pst_lease *l, struct pst_buf *out, struct pst_err *err)
{
	pst_buf_fmt(out, "{\"version\":%d,\"first\":%u,\"size\":%u,\"kind\":\"%s\",\"owners\":[",
		    VERSION, l->block.first, l->block.len, kinds[l->kind]);
	for (size_t i = 0; i < l->nowners; i++) {
		char proc[PST_PROCID_TEXT];
		pst_procid_print(&l->owners[i].proc, proc);
		pst_buf_fmt(out, "%s{\"key\":\"%s\",\"process\":\"%s\",\"time\":%lld}",
			    i == 0 ? "" : ",", l->owners[i].key, proc,
			    (long long)l->owners[i].time);
	}
	pst_buf_str(out, "]}\n");
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

static bool num_is(const json_t *j, const char *name, uint64_t want)
{
	uint64_t v;
	return pst_json_u64(json_object_get(j, name), &v) && v == want;
}

static bool read_kind(const json_t *j, enum pst_lease_kind *ret)
{
	const char *s = pst_json_str(json_object_get(j, "kind"));
	for (size_t i = 0; i < PST_NELEM(kinds); i++)
		if (pst_streq(s, kinds[i])) {
			*ret = (enum pst_lease_kind)i;
			return true;
		}
	return false;
}

static bool read_owner(const json_t *j, struct pst_lease_owner *out)
{
	const char *key = pst_json_str(json_object_get(j, "key"));
	const char *proc = pst_json_str(json_object_get(j, "process"));
	if (key == NULL || !pst_ctrid_is_key(key) || proc == NULL ||
	    !pst_procid_parse(proc, &out->proc) ||
	    !pst_json_i64(json_object_get(j, "time"), &out->time))
		return false;
	memcpy(out->key, key, sizeof out->key);
	return true;
}

static bool read_lease(const json_t *j, struct pst_idspan block, struct pst_lease *out)
{
	const json_t *owners = json_object_get(j, "owners");
	const size_t n = json_array_size(owners);
	if (!num_is(j, "first", block.first) || !num_is(j, "size", block.len) || !read_kind(j, &out->kind) || n == 0)
		return false;
	out->block = block;
	out->owners = calloc(n, sizeof *out->owners);
	if (out->owners == NULL)
		return false;
	for (; out->nowners < n; out->nowners++)
		if (!read_owner(json_array_get(owners, out->nowners), &out->owners[out->nowners]))
			return false;
	return true;
}

int pst_lease_parse(const char *text, size_t len, struct pst_idspan block, struct pst_lease *out,
		    struct pst_err *err)
{
	char name[PST_LEASE_NAME];
	pst_auto_json *j = NULL;
	pst_auto_lease l = {0};
	pst_lease_name(block.first, name);
	if (pst_json_parse(text, len, name, &limits, &j, NULL) != PST_OK)
		return pst_fail(err, PST_E_STATE, "", "lease file ids/%s is not a lease", name);
	const int rc = pst_formatver_check(j, VERSION, name, err);
	if (rc != PST_OK)
		return rc;
	if (!read_lease(j, block, &l))
		return pst_fail(err, PST_E_STATE, "", "lease file ids/%s is not a lease", name);
	*out = l;
	l = (struct pst_lease){0};
	return PST_OK;
}

int pst_lease_add_owner(struct pst_lease *l, const char *key, const struct pst_procid *proc,
			struct pst_err *err)
{
	if (!pst_ctrid_is_key(key))
		return pst_fail(err, PST_E_BUG, "", "owner of a lease is not a key: %.40s", key);
	struct pst_lease_owner *v = reallocarray(l->owners, l->nowners + 1, sizeof *v);
	if (v == NULL)
		return pst_fail_nomem(err);
	l->owners = v;
	struct pst_lease_owner *o = &v[l->nowners++];
	*o = (struct pst_lease_owner){.proc = *proc, .time = (int64_t)time(NULL)};
	memcpy(o->key, key, sizeof o->key);
	return PST_OK;
}

size_t pst_lease_owner_at(const struct pst_lease *l, const char *key)
{
	size_t i = 0;
	while (i < l->nowners && strcmp(l->owners[i].key, key) != 0)
		i++;
	return i;
}

void pst_lease_drop_owner(struct pst_lease *l, size_t at)
{
	l->nowners--;
	memmove(&l->owners[at], &l->owners[at + 1], (l->nowners - at) * sizeof *l->owners);
}

void pst_lease_done(struct pst_lease *l)
{
	free(l->owners);
	*l = (struct pst_lease){0};
}
