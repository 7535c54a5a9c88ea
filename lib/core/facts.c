#include "core/facts.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static const char *text(const json_t *tree, const char *pointer, const char *otherwise)
{
	const char *s = pst_json_str(pst_json_at(tree, pointer));
	return s == NULL ? otherwise : s;
}

static int word(const char *s, const char *const words[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pst_streq(s, words[i]))
			return (int)i;
	return -1;
}

static const char *const map_words[] = {"none", "flat", "recursive"};
static const char *const src_words[] = {"missing", "dir", "file", "socket", "chr", "blk", "fifo"};
static const char *const owner_words[] = {"host", "block", "other"};
static const char *const rootfs_words[] = {"missing", "overlay", "dir", "layers"};

static int missing(struct pst_err *err, const char *pointer)
{
	pst_fail(err, PST_E_SPEC, pointer, "the facts lack a usable %s", pointer);
	return pst_err_cure(err, "collect them again with `postern facts --bundle DIR`");
}

static int parse_machine(const json_t *tree, struct pst_facts *f, struct pst_err *err)
{
	f->full_root = json_is_true(pst_json_at(tree, "/caller/root"));
	f->idmap = json_is_true(pst_json_at(tree, "/kernel/idmap"));
	f->overlay_form = text(tree, "/kernel/overlay", "none");
	f->rt_name = text(tree, "/runtime/name", NULL);
	const json_t *v = pst_json_at(tree, "/runtime/version");
	if (f->rt_name == NULL || json_array_size(v) != 3)
		return missing(err, "/runtime");
	for (size_t i = 0; i < 3; i++) {
		uint64_t n;
		if (!pst_json_u64(json_array_get(v, i), &n) || n > 100000)
			return missing(err, "/runtime/version");
		f->rt_version[i] = (int)n;
	}
	f->rt_joins_netns = json_is_true(pst_json_at(tree, "/runtime/joinsNetns"));
	f->rt_notify = json_is_true(pst_json_at(tree, "/runtime/notify"));
	f->rt_seccomp_flags = json_is_true(pst_json_at(tree, "/runtime/seccompFlags"));

	uint64_t base = 0;
	const json_t *b = pst_json_at(tree, "/ids/base");
	if (b != NULL && (!pst_json_u64(b, &base) || base > UINT32_MAX - 65536))
		return missing(err, "/ids/base");
	f->base = (uint32_t)base;
	const json_t *second = pst_json_at(tree, "/ids/second");
	if (second != NULL && (!pst_json_u64(second, &base) || base > UINT32_MAX - 65536))
		return missing(err, "/ids/second");
	f->second = second == NULL ? 0 : (uint32_t)base;
	return PST_OK;
}

int pst_facts_parse(const json_t *tree, struct pst_facts *ret, struct pst_err *err)
{
	struct pst_facts f = {.tree = tree};
	const int rc = parse_machine(tree, &f, err);
	if (rc != PST_OK)
		return rc;
	f.bundle_path = text(tree, "/bundle/path", "");
	f.stage = text(tree, "/bundle/stage", "");
	f.sandbox = text(tree, "/bundle/sandbox", "");
	f.listener = text(tree, "/bundle/listener", "");
	f.rootfs_path = text(tree, "/bundle/rootfs/path", "");
	f.rootfs_why = text(tree, "/bundle/rootfs/why", "");
	f.layout = pst_json_at(tree, "/bundle/rootfs/layout");

	const int kind = word(text(tree, "/bundle/rootfs/kind", "missing"), rootfs_words,
			      PST_NELEM(rootfs_words));
	const int map = word(text(tree, "/bundle/rootfs/map", "none"), map_words,
			     PST_NELEM(map_words));
	if (kind < 0 || map < 0)
		return missing(err, "/bundle/rootfs");
	f.rootfs = (enum pst_root_fact)kind;
	f.rootfs_map = (enum pst_mappable)map;
	*ret = f;
	return PST_OK;
}

struct pst_src_fact pst_facts_mount(const struct pst_facts *f, size_t index)
{
	struct pst_src_fact r = {0};
	const json_t *a = pst_json_at(f->tree, "/bundle/mounts");
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *m = json_array_get(a, i);
		uint64_t n;
		if (!pst_json_u64(json_object_get(m, "index"), &n) || n != index)
			continue;
		const int kind = word(text(m, "/kind", ""), src_words, PST_NELEM(src_words));
		const int map = word(text(m, "/map", "none"), map_words, PST_NELEM(map_words));
		r.known = kind >= 0 && map >= 0;
		r.kind = (enum pst_src_kind)kind;
		r.map = (enum pst_mappable)map;
		r.path = text(m, "/source", "");
		r.fs = text(m, "/fs", "unknown");
		r.ro = json_is_true(json_object_get(m, "ro"));
		r.nosuid = json_is_true(json_object_get(m, "nosuid"));
		r.nodev = json_is_true(json_object_get(m, "nodev"));
		r.noexec = json_is_true(json_object_get(m, "noexec"));
	}
	return r;
}

struct pst_ns_fact pst_facts_ns(const struct pst_facts *f, enum pst_ns_kind k)
{
	char p[64];
	snprintf(p, sizeof p, "/bundle/namespaces/%s", pst_ns_word(k));
	const json_t *n = pst_json_at(f->tree, p);
	struct pst_ns_fact r = {0};
	const int owner = word(text(n, "/owner", ""), owner_words, PST_NELEM(owner_words));
	uint64_t base = 0;
	if (n == NULL || owner < 0)
		return r;
	r.owner = (enum pst_ns_owner)owner;
	r.is_hosts = json_is_true(json_object_get(n, "host"));
	r.userns = text(n, "/userns", NULL);
	r.key = text(n, "/key", NULL);
	r.high = json_object_get(n, "high");
	r.known = r.owner != PST_OWNER_BLOCK ||
		  (pst_json_u64(json_object_get(n, "base"), &base) && base <= UINT32_MAX - 65536 &&
		   r.userns != NULL);
	r.base = (uint32_t)base;
	return r;
}
