#include "core/spec.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static const char *const ns_words[PST_NS_COUNT] = {
	"pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time",
};

static const char *const cap_words[PST_CAPS_KINDS] = {
	"bounding", "effective", "inheritable", "permitted", "ambient",
};

const char *pst_ns_word(enum pst_ns_kind k)
{
	return ns_words[k];
}

const char *pst_capkind_word(enum pst_capkind k)
{
	return cap_words[k];
}

static int wrong(struct pst_err *err, const char *pointer, const char *want)
{
	pst_fail(err, PST_E_SPEC, pointer, "wrong type: %s must be %s", pointer, want);
	return pst_err_cure(err, "correct the field; see the OCI runtime specification");
}

/* A member of the wanted kind, or NULL when absent or null (as runc's decoder reads null). */
static int member(const json_t *root, const char *pointer, json_type type, const char *want,
		  const json_t **ret, struct pst_err *err)
{
	const json_t *j = pst_json_at(root, pointer);
	*ret = NULL;
	if (j == NULL || json_is_null(j))
		return PST_OK;
	if (json_typeof(j) != type || pst_json_is_raw(j))
		return wrong(err, pointer, want);
	*ret = j;
	return PST_OK;
}

static int obj(const json_t *root, const char *p, const json_t **ret, struct pst_err *err)
{
	return member(root, p, JSON_OBJECT, "an object", ret, err);
}

static int arr(const json_t *root, const char *p, const json_t **ret, struct pst_err *err)
{
	return member(root, p, JSON_ARRAY, "an array", ret, err);
}

static int str(const json_t *root, const char *p, const char **ret, struct pst_err *err)
{
	const json_t *j;
	const int rc = member(root, p, JSON_STRING, "a string", &j, err);
	if (rc == PST_OK)
		*ret = j == NULL ? NULL : json_string_value(j);
	return rc;
}

static int boolean(const json_t *root, const char *p, bool *ret, struct pst_err *err)
{
	const json_t *j = pst_json_at(root, p);
	if (j != NULL && !json_is_null(j) && !json_is_boolean(j))
		return wrong(err, p, "true or false");
	*ret = json_is_true(j);
	return PST_OK;
}

static int id32(const json_t *root, const char *p, uint32_t *ret, struct pst_err *err)
{
	const json_t *j = pst_json_at(root, p);
	uint64_t v = 0;
	if (j != NULL && !json_is_null(j) && (!pst_json_u64(j, &v) || v >= UINT32_MAX))
		return wrong(err, p, "a whole number from 0 to 4294967294");
	*ret = (uint32_t)v;
	return PST_OK;
}

static int parse_ns(struct pst_spec *s, struct pst_err *err)
{
	const json_t *a;
	int rc = arr(s->tree, "/linux/namespaces", &a, err);
	for (size_t i = 0; rc == PST_OK && i < json_array_size(a); i++) {
		char p[64], pp[80];
		const char *type, *path;
		snprintf(p, sizeof p, "/linux/namespaces/%zu/type", i);
		snprintf(pp, sizeof pp, "/linux/namespaces/%zu/path", i);
		if ((rc = str(s->tree, p, &type, err)) != PST_OK ||
		    (rc = str(s->tree, pp, &path, err)) != PST_OK)
			break;
		int k = 0;
		while (k < PST_NS_COUNT && !pst_streq(type, ns_words[k]))
			k++;
		if (k == PST_NS_COUNT)
			return pst_fail(err, PST_E_SPEC, p, "unknown namespace type \"%s\"",
					type == NULL ? "" : type);
		if (s->ns[k].present)
			return pst_fail(err, PST_E_SPEC, p, "namespace \"%s\" is listed twice", type);
		s->ns[k] = (struct pst_ns){
			.present = true,
			.index = i,
			.path = path != NULL && *path != '\0' ? path : NULL,
		};
	}
	return rc;
}

static bool overlaps(uint32_t a, uint32_t b, uint32_t la, uint32_t lb)
{
	return (uint64_t)a < (uint64_t)b + lb && (uint64_t)b < (uint64_t)a + la;
}

static int parse_maps(const struct pst_spec *s, const char *key, struct pst_idmap out[8], size_t *n,
		      struct pst_err *err)
{
	char p[96];
	const json_t *a;
	int rc = arr(s->tree, key, &a, err);
	*n = json_array_size(a);
	if (rc == PST_OK && *n > 8)
		return pst_fail(err, PST_E_SPEC, key, "%zu mappings: more than 8 are not supported", *n);
	for (size_t i = 0; rc == PST_OK && i < *n; i++) {
		snprintf(p, sizeof p, "%s/%zu/containerID", key, i);
		rc = id32(s->tree, p, &out[i].container, err);
		snprintf(p, sizeof p, "%s/%zu/hostID", key, i);
		if (rc == PST_OK)
			rc = id32(s->tree, p, &out[i].host, err);
		snprintf(p, sizeof p, "%s/%zu/size", key, i);
		if (rc == PST_OK)
			rc = id32(s->tree, p, &out[i].size, err);
		for (size_t k = 0; rc == PST_OK && k < i; k++)
			if (overlaps(out[i].container, out[k].container, out[i].size, out[k].size) ||
			    overlaps(out[i].host, out[k].host, out[i].size, out[k].size))
				rc = pst_fail(err, PST_E_SPEC, p,
					      "id mappings %zu and %zu of %s overlap", k, i, key);
	}
	return rc;
}

static int parse_caps(struct pst_spec *s, struct pst_err *err)
{
	const json_t *o;
	int rc = obj(s->tree, "/process/capabilities", &o, err);
	s->has_caps = o != NULL;
	for (int k = 0; rc == PST_OK && o != NULL && k < PST_CAPS_KINDS; k++) {
		char p[64];
		const char *unknown = NULL;
		snprintf(p, sizeof p, "/process/capabilities/%s", cap_words[k]);
		rc = pst_caps_parse(json_object_get(o, cap_words[k]), p, &s->caps[k], &unknown, err);
		if (s->unknown_cap == NULL)
			s->unknown_cap = unknown;
	}
	return rc;
}

static int parse_process(struct pst_spec *s, struct pst_err *err)
{
	const json_t *p, *a;
	int rc = obj(s->tree, "/process", &p, err);
	s->has_process = p != NULL;
	if (rc != PST_OK || p == NULL)
		return rc;
	if ((rc = boolean(s->tree, "/process/terminal", &s->terminal, err)) != PST_OK ||
	    (rc = boolean(s->tree, "/process/noNewPrivileges", &s->no_new_privs, err)) != PST_OK ||
	    (rc = obj(s->tree, "/process/user", &a, err)) != PST_OK ||
	    (rc = id32(s->tree, "/process/user/uid", &s->uid, err)) != PST_OK ||
	    (rc = id32(s->tree, "/process/user/gid", &s->gid, err)) != PST_OK ||
	    (rc = arr(s->tree, "/process/user/additionalGids", &a, err)) != PST_OK)
		return rc;
	for (size_t i = 0; i < json_array_size(a); i++) {
		char q[64];
		uint32_t gid;
		snprintf(q, sizeof q, "/process/user/additionalGids/%zu", i);
		if ((rc = id32(s->tree, q, &gid, err)) != PST_OK)
			return rc;
	}
	return parse_caps(s, err);
}

static const struct {
	const char *word;
	enum pst_prop prop;
} prop_words[] = {
	{"private", PST_PROP_PRIVATE}, {"rprivate", PST_PROP_PRIVATE}, {"slave", PST_PROP_SLAVE},
	{"rslave", PST_PROP_SLAVE},    {"shared", PST_PROP_SHARED},    {"rshared", PST_PROP_SHARED},
};

static void mount_option(struct pst_mount *m, const char *o)
{
	if (strcmp(o, "bind") == 0 || strcmp(o, "rbind") == 0) {
		m->bind = true;
		m->recursive = m->recursive || o[0] == 'r';
	} else if (strcmp(o, "ro") == 0 || strcmp(o, "rro") == 0) {
		m->readonly = true;
	} else if (strcmp(o, "rw") == 0) {
		m->readonly = false;
	} else if (strcmp(o, "idmap") == 0 || strcmp(o, "ridmap") == 0) {
		m->mapped = true;
	}
	for (size_t i = 0; i < PST_NELEM(prop_words); i++)
		if (strcmp(o, prop_words[i].word) == 0)
			m->propagation = prop_words[i].prop;
}

static int parse_mount(struct pst_spec *s, size_t i, struct pst_err *err)
{
	struct pst_mount *m = &s->mounts[i];
	char p[96];
	int rc;
	*m = (struct pst_mount){.index = i};

	snprintf(p, sizeof p, "/mounts/%zu/destination", i);
	if ((rc = str(s->tree, p, &m->destination, err)) != PST_OK)
		return rc;
	if (m->destination == NULL || m->destination[0] == '\0')
		return pst_fail(err, PST_E_SPEC, p, "mount without a destination");
	if (pst_path_has_dotdot(m->destination)) {
		pst_fail(err, PST_E_SPEC, p, "\"..\" in the mount destination %s", m->destination);
		return pst_err_cure(err, "name the path inside the container without \"..\"");
	}
	snprintf(p, sizeof p, "/mounts/%zu/type", i);
	if ((rc = str(s->tree, p, &m->type, err)) != PST_OK)
		return rc;
	snprintf(p, sizeof p, "/mounts/%zu/source", i);
	if ((rc = str(s->tree, p, &m->source, err)) != PST_OK)
		return rc;
	snprintf(p, sizeof p, "/mounts/%zu/options", i);
	if ((rc = arr(s->tree, p, &m->options, err)) != PST_OK)
		return rc;
	m->type = m->type == NULL ? "" : m->type;
	m->source = m->source == NULL ? "" : m->source;
	for (size_t k = 0; k < json_array_size(m->options); k++) {
		const char *o = pst_json_str(json_array_get(m->options, k));
		if (o == NULL) {
			snprintf(p, sizeof p, "/mounts/%zu/options/%zu", i, k);
			return wrong(err, p, "a string");
		}
		mount_option(m, o);
	}
	m->bind = m->bind || strcmp(m->type, "bind") == 0;
	snprintf(p, sizeof p, "/mounts/%zu/uidMappings", i);
	m->mapped = m->mapped || json_array_size(pst_json_at(s->tree, p)) > 0;
	return PST_OK;
}

static int parse_mounts(struct pst_spec *s, struct pst_err *err)
{
	const json_t *a;
	int rc = arr(s->tree, "/mounts", &a, err);
	if (rc != PST_OK || json_array_size(a) == 0)
		return rc;
	s->mounts = calloc(json_array_size(a), sizeof *s->mounts);
	if (s->mounts == NULL)
		return pst_fail_nomem(err);
	s->nmounts = json_array_size(a);
	for (size_t i = 0; rc == PST_OK && i < s->nmounts; i++)
		rc = parse_mount(s, i, err);
	return rc;
}

static int parse_linux(struct pst_spec *s, struct pst_err *err)
{
	const json_t *o, *h;
	int rc;
	if ((rc = obj(s->tree, "/linux", &o, err)) != PST_OK ||
	    (rc = parse_ns(s, err)) != PST_OK ||
	    (rc = parse_maps(s, "/linux/uidMappings", s->uid_map, &s->nuid_map, err)) != PST_OK ||
	    (rc = parse_maps(s, "/linux/gidMappings", s->gid_map, &s->ngid_map, err)) != PST_OK ||
	    (rc = arr(s->tree, "/linux/devices", &s->devices, err)) != PST_OK ||
	    (rc = obj(s->tree, "/linux/seccomp", &s->seccomp, err)) != PST_OK ||
	    (rc = obj(s->tree, "/linux/sysctl", &s->sysctl, err)) != PST_OK ||
	    (rc = obj(s->tree, "/linux/resources", &o, err)) != PST_OK ||
	    (rc = arr(s->tree, "/linux/maskedPaths", &o, err)) != PST_OK ||
	    (rc = arr(s->tree, "/linux/readonlyPaths", &o, err)) != PST_OK ||
	    (rc = str(s->tree, "/linux/cgroupsPath", &s->cgroups_path, err)) != PST_OK ||
	    (rc = str(s->tree, "/linux/rootfsPropagation", &s->rootfs_propagation, err)) != PST_OK ||
	    (rc = obj(s->tree, "/annotations", &s->annotations, err)) != PST_OK ||
	    (rc = obj(s->tree, "/hooks", &h, err)) != PST_OK)
		return rc;

	const char *key;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)h, key, v)
		s->hooks = s->hooks || json_array_size(v) > 0;
	return PST_OK;
}

int pst_spec_parse(json_t *tree, struct pst_spec *ret, struct pst_err *err)
{
	const json_t *root;
	struct pst_spec s = {.tree = tree};
	int rc;
	if (!json_is_object(tree))
		return wrong(err, "", "an object");
	if ((rc = obj(tree, "/root", &root, err)) != PST_OK ||
	    (rc = str(tree, "/root/path", &s.root_path, err)) != PST_OK ||
	    (rc = boolean(tree, "/root/readonly", &s.root_readonly, err)) != PST_OK ||
	    (rc = str(tree, "/hostname", &s.hostname, err)) != PST_OK ||
	    (rc = parse_process(&s, err)) != PST_OK || (rc = parse_linux(&s, err)) != PST_OK ||
	    (rc = parse_mounts(&s, err)) != PST_OK) {
		pst_spec_done(&s);
		return rc;
	}
	if (s.root_path == NULL || s.root_path[0] == '\0') {
		pst_spec_done(&s);
		return pst_fail(err, PST_E_SPEC, "/root/path", "the spec names no root file system");
	}
	*ret = s;
	return PST_OK;
}

void pst_spec_done(struct pst_spec *s)
{
	free(s->mounts);
	*s = (struct pst_spec){0};
}

const struct pst_mount *pst_spec_mount_at(const struct pst_spec *s, const char *dst)
{
	for (size_t i = s->nmounts; i > 0; i--)
		if (strcmp(s->mounts[i - 1].destination, dst) == 0)
			return &s->mounts[i - 1];
	return NULL;
}
