#include "core/ovl.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "core/mountinfo.h"

static void free_list(char **v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(v[i]);
	free(v);
}

void pst_ovl_done(struct pst_ovl_layout *l)
{
	free_list(l->lower, l->n);
	free(l->upper);
	free(l->work);
	for (size_t i = 0; i < l->nopt; i++) {
		free(l->opt[i].key);
		free(l->opt[i].value);
	}
	free(l->opt);
	free(l->unsupported);
	*l = (struct pst_ovl_layout){0};
}

/* Keep the first reason: it is the one nearest to what the mounter wrote. */
static int refuse(struct pst_ovl_layout *l, const char *why, struct pst_err *err)
{
	if (l->unsupported != NULL)
		return PST_OK;
	l->unsupported = strdup(why);
	return l->unsupported != NULL ? PST_OK : pst_fail_nomem(err);
}

/* One directory of an option value: up to an unescaped ':' if `colon`, else all
 * of it; a backslash takes the next byte literally (ovl_unescape in the kernel's
 * fs/overlayfs/params.c). *rest is what follows the ':', NULL at the end. */
static char *take_dir(const char *s, bool colon, const char **rest)
{
	char *dir = malloc(strlen(s) + 1);
	if (dir == NULL)
		return NULL;

	size_t n = 0;
	for (; *s != '\0' && !(colon && *s == ':'); s++) {
		if (*s == '\\' && s[1] != '\0')
			s++;
		dir[n++] = *s;
	}
	dir[n] = '\0';
	*rest = *s == '\0' ? NULL : s + 1;
	return dir;
}

static int add_lower(struct pst_ovl_layout *l, char *dir, struct pst_err *err)
{
	char **grown = realloc(l->lower, (l->n + 1) * sizeof *grown);
	if (grown == NULL) {
		free(dir);
		return pst_fail_nomem(err);
	}
	l->lower = grown;
	l->lower[l->n++] = dir;
	return PST_OK;
}

static int set_lower(struct pst_ovl_layout *l, const char *value, struct pst_err *err)
{
	free_list(l->lower, l->n); /* as with mount(2), the last lowerdir= counts */
	l->lower = NULL;
	l->n = 0;
	for (const char *p = value; p != NULL;) {
		char *dir = take_dir(p, true, &p);
		if (dir == NULL)
			return pst_fail_nomem(err);
		if (dir[0] == '\0') {
			free(dir);
			if (l->n == 0)
				return pst_fail(err, PST_E_SPEC, "", "lowerdir=%s names an empty directory",
						value);
			return refuse(l, "it has data-only layers (\"::\" in lowerdir)", err);
		}
		if (l->n == PST_OVL_MAX_LOWER) {
			free(dir);
			return refuse(l, "it has more layers than the kernel allows", err);
		}
		const int rc = add_lower(l, dir, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int set_dir(char **slot, const char *key, const char *value, struct pst_err *err)
{
	const char *rest;
	char *dir = take_dir(value, false, &rest);
	if (dir == NULL)
		return pst_fail_nomem(err);
	if (dir[0] == '\0') {
		free(dir);
		return pst_fail(err, PST_E_SPEC, "", "%s= names an empty directory", key);
	}
	free(*slot);
	*slot = dir;
	return PST_OK;
}

static int carry(struct pst_ovl_layout *l, const char *key, const char *value, struct pst_err *err)
{
	struct pst_ovl_opt *grown = realloc(l->opt, (l->nopt + 1) * sizeof *grown);
	if (grown == NULL)
		return pst_fail_nomem(err);
	l->opt = grown;
	struct pst_ovl_opt *o = &l->opt[l->nopt++];
	o->key = strdup(key);
	o->value = value != NULL ? strdup(value) : NULL;
	if (o->key == NULL || (value != NULL && o->value == NULL))
		return pst_fail_nomem(err);
	return PST_OK;
}

/* What each option means for a rebuild. */
enum meaning {
	IGNORE,   /* says nothing, or is said anew */
	CARRY,    /* passed to the kernel as it is */
	READONLY,
	NOSUID,
	NODEV,
	NOEXEC,
	VOLATILE,
	FSYNC,
	MAPPED,
	USERXATTR,
	BY_PIECES,
};

static const struct {
	const char *key;
	enum meaning meaning;
} meanings[] = {
	{"rw", IGNORE},
	{"relatime", IGNORE},
	{"noatime", IGNORE},
	{"nodiratime", IGNORE},
	{"seclabel", IGNORE},
	{"index", IGNORE},
	{"nfs_export", IGNORE},
	{"ro", READONLY},
	{"nosuid", NOSUID},
	{"nodev", NODEV},
	{"noexec", NOEXEC},
	{"volatile", VOLATILE},
	{"fsync", FSYNC},
	{"uidmap", MAPPED},
	{"gidmap", MAPPED},
	{"userxattr", USERXATTR},
	{"lowerdir+", BY_PIECES},
	{"datadir+", BY_PIECES},
	{"metacopy", CARRY},
	{"redirect_dir", CARRY},
	{"xino", CARRY},
	{"uuid", CARRY},
	{"verity", CARRY},
	{"default_permissions", CARRY},
	{"context", CARRY},
	{"fscontext", CARRY},
	{"defcontext", CARRY},
	{"rootcontext", CARRY},
};

static int add_plain(struct pst_ovl_layout *l, const char *key, const char *value,
		     struct pst_err *err)
{
	size_t i = 0;
	while (i < PST_NELEM(meanings) && !pst_streq(meanings[i].key, key))
		i++;
	if (i == PST_NELEM(meanings)) {
		pst_auto_buf why = {0};
		pst_buf_fmt(&why, "option %.64s is not known", key);
		return refuse(l, pst_buf_cstr(&why), err);
	}
	switch (meanings[i].meaning) {
	case IGNORE:
		return PST_OK;
	case CARRY:
		return carry(l, key, value, err);
	case READONLY:
		l->readonly = true;
		return PST_OK;
	case NOSUID:
		l->nosuid = true;
		return PST_OK;
	case NODEV:
		l->nodev = true;
		return PST_OK;
	case NOEXEC:
		l->noexec = true;
		return PST_OK;
	case FSYNC:
		l->is_volatile |= pst_streq(value, "volatile");
		return carry(l, key, value, err);
	case VOLATILE:
		l->is_volatile = true;
		return carry(l, key, value, err);
	case MAPPED:
		l->mapped = true;
		return PST_OK;
	case USERXATTR:
		l->userxattr = true;
		return refuse(l, "it was made inside a user namespace (userxattr)", err);
	case BY_PIECES:
		return refuse(l, "its layers were given one by one, perhaps by descriptor, so "
				 "the mount table does not say where they are", err);
	}
	return PST_OK;
}

int pst_ovl_add(struct pst_ovl_layout *l, const char *option, struct pst_err *err)
{
	if (option[0] == '\0')
		return PST_OK;
	pst_auto_free char *key = strdup(option);
	if (key == NULL)
		return pst_fail_nomem(err);
	char *value = strchr(key, '=');
	if (value != NULL)
		*value++ = '\0';

	const bool is_upper = pst_streq(key, "upperdir"), is_work = pst_streq(key, "workdir");
	if (is_upper || is_work)
		return set_dir(is_upper ? &l->upper : &l->work, key, value != NULL ? value : "", err);
	if (pst_streq(key, "lowerdir"))
		return set_lower(l, value != NULL ? value : "", err);
	return add_plain(l, key, value, err);
}

static int check(const struct pst_ovl_layout *l, struct pst_err *err)
{
	if (l->n == 0 && l->unsupported == NULL)
		return pst_fail(err, PST_E_SPEC, "", "an overlay without lowerdir");
	if ((l->upper == NULL) != (l->work == NULL))
		return pst_fail(err, PST_E_SPEC, "", "an overlay with %s but no %s",
				l->upper != NULL ? "upperdir" : "workdir",
				l->upper != NULL ? "workdir" : "upperdir");
	return PST_OK;
}

int pst_ovl_from_options(const char *const option[], size_t n, struct pst_ovl_layout *ret,
			 struct pst_err *err)
{
	pst_auto_ovl l = {0};
	int rc = PST_OK;
	for (size_t i = 0; i < n && rc == PST_OK; i++)
		rc = pst_ovl_add(&l, option[i], err);
	if (rc == PST_OK)
		rc = check(&l, err);
	if (rc != PST_OK)
		return rc;
	*ret = l;
	l = (struct pst_ovl_layout){0};
	return PST_OK;
}

/* End of the option at `s`: the next comma outside double quotes (LSM contexts
 * are printed quoted, with plain commas in them). */
static char *option_end(char *s)
{
	bool quoted = false;
	for (; *s != '\0' && (quoted || *s != ','); s++)
		quoted ^= *s == '"';
	return s;
}

/* value "x" of key="x" without its quotes */
static void unquote(char *option)
{
	char *v = strchr(option, '=');
	const size_t n = v != NULL ? strlen(v) : 0;
	if (n < 3 || v[1] != '"' || v[n - 1] != '"')
		return;
	memmove(v + 1, v + 2, n - 3);
	v[n - 2] = '\0';
}

int pst_ovl_from_super(const char *super, struct pst_ovl_layout *ret, struct pst_err *err)
{
	pst_auto_ovl l = {0};
	pst_auto_free char *text = strdup(super);
	if (text == NULL)
		return pst_fail_nomem(err);

	for (char *p = text; p != NULL;) {
		char *end = option_end(p);
		char *next = *end == ',' ? end + 1 : NULL;
		*end = '\0';
		unquote(p);
		pst_mountinfo_unescape(p);
		const int rc = pst_ovl_add(&l, p, err);
		if (rc != PST_OK)
			return rc;
		p = next;
	}
	const int rc = check(&l, err);
	if (rc != PST_OK)
		return rc;
	*ret = l;
	l = (struct pst_ovl_layout){0};
	return PST_OK;
}

bool pst_ovl_is_relative(const struct pst_ovl_layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->lower[i][0] != '/')
			return true;
	return l->upper != NULL && (l->upper[0] != '/' || l->work[0] != '/');
}
