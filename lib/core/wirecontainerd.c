#include "core/wirecontainerd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/owntext.h"
#include "core/tomlscan.h"

#define CRI2 "io.containerd.grpc.v1.cri"
#define CRI3 "io.containerd.cri.v1.runtime"
#define MADE "# postern install: made this file\n"

/* Where the CRI plugin's runtime settings are, in each dialect. */
static const char *const sections[] = {"/plugins/" CRI2 "/containerd", "/plugins/" CRI3 "/containerd",
				       "/plugins/cri/containerd"};

/* The part of `path` behind a section, NULL when it is outside of them. */
static const char *in_section(const char *path)
{
	for (size_t i = 0; i < PST_NELEM(sections); i++)
		if (pst_starts(path, sections[i]) &&
		    (path[strlen(sections[i])] == '/' || path[strlen(sections[i])] == '\0'))
			return path + strlen(sections[i]);
	return NULL;
}

/* The handler a statement is about, and what follows its name. False: none. */
static bool handler_of(const char *path, char name[PST_HANDLER_MAX], const char **rest)
{
	static const char head[] = "/runtimes/";
	const char *in = in_section(path);
	if (in == NULL || !pst_starts(in, head))
		return false;
	in += sizeof head - 1;
	const size_t n = strcspn(in, "/");
	if (n >= PST_HANDLER_MAX)
		return false;
	memcpy(name, in, n);
	name[n] = '\0';
	*rest = in + n;
	return true;
}

struct dumped {
	struct pst_cd_dump d;
	char systemd[PST_CD_HANDLERS][PST_HANDLER_MAX]; /* handlers with SystemdCgroup = true */
	size_t nsystemd;
};

static int see_dump(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	struct dumped *u = ctx;
	char name[PST_HANDLER_MAX];
	const char *rest = NULL, *in = in_section(s->path);
	if (in == NULL)
		return PST_OK;
	u->d.cri = true;
	if (s->kind == PST_TOML_KEY && strcmp(in, "/default_runtime_name") == 0)
		(void)!pst_toml_string(s->value, s->value_len, u->d.default_name,
				       sizeof u->d.default_name);
	if (!handler_of(s->path, name, &rest))
		return PST_OK;
	if (!pst_cd_dump_has(&u->d, name)) {
		if (u->d.n == PST_CD_HANDLERS)
			return pst_fail(err, PST_E_SPEC, "", "containerd has more than %d handlers",
					PST_CD_HANDLERS);
		memcpy(u->d.handler[u->d.n++], name, sizeof name);
	}
	if (s->kind == PST_TOML_KEY && strcmp(rest, "/options/SystemdCgroup") == 0 &&
	    s->value_len == 4 && memcmp(s->value, "true", 4) == 0 && u->nsystemd < PST_CD_HANDLERS)
		memcpy(u->systemd[u->nsystemd++], name, sizeof name);
	return PST_OK;
}

bool pst_cd_dump_has(const struct pst_cd_dump *d, const char *handler)
{
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->handler[i], handler) == 0)
			return true;
	return false;
}

int pst_cd_dump_read(const char *text, size_t len, struct pst_cd_dump *ret, struct pst_err *err)
{
	pst_auto_free struct dumped *u = calloc(1, sizeof *u);
	if (u == NULL)
		return pst_fail_nomem(err);
	const int rc = pst_tomlscan(text, len, "containerd config dump", see_dump, u, err);
	if (rc != PST_OK)
		return rc;
	/* The default may be a handler of ours already; runc's is then the node's own way. */
	const char *like = pst_wire_is_handler(u->d.default_name) || u->d.default_name[0] == '\0'
				   ? "runc"
				   : u->d.default_name;
	for (size_t i = 0; i < u->nsystemd; i++)
		u->d.systemd_cgroup = u->d.systemd_cgroup || strcmp(u->systemd[i], like) == 0;
	*ret = u->d;
	return PST_OK;
}

struct filed {
	struct pst_cd_file f;
	struct pst_own_block block;
	const char *path;
	bool adding, cri_off;
};

/* A pattern for all files of one folder (or all .toml files), the folder's name without one? */
static void see_import(void *ctx, const char *pattern)
{
	struct filed *f = ctx;
	char dir[sizeof f->f.drop], full[2 * sizeof f->f.drop];
	const char *slash = strrchr(pattern, '/');
	if (f->f.drop[0] != '\0' || slash == NULL || slash == pattern ||
	    (strcmp(slash, "/*.toml") != 0 && strcmp(slash, "/*") != 0))
		return;
	const size_t n = (size_t)(slash - pattern);
	if (n >= sizeof dir)
		return;
	memcpy(dir, pattern, n);
	dir[n] = '\0';
	if (strpbrk(dir, "*?[\\") != NULL)
		return;
	const char *end = strrchr(f->path, '/');
	if (dir[0] == '/')
		snprintf(full, sizeof full, "%s", dir);
	else
		snprintf(full, sizeof full, "%.*s/%s", end != NULL ? (int)(end - f->path) : 1,
			 end != NULL ? f->path : ".", dir);
	pst_auto_free char *clean = pst_path_clean(full);
	if (clean != NULL && strlen(clean) < sizeof f->f.drop)
		snprintf(f->f.drop, sizeof f->f.drop, "%s", clean);
}

static void see_disabled(void *ctx, const char *name)
{
	struct filed *f = ctx;
	f->cri_off = f->cri_off || strcmp(name, "cri") == 0 || strcmp(name, CRI2) == 0 ||
		     strcmp(name, CRI3) == 0;
}

static int unfit(const struct filed *f, const char *cure, struct pst_err *err)
{
	pst_err_cure(err, "%s", cure);
	return pst_err_file(err, f->path);
}

static int see_top(struct filed *f, const struct pst_toml_stmt *s, struct pst_err *err)
{
	if (strcmp(s->path, "/version") == 0 && s->value_len == 1)
		f->f.version = (unsigned)(s->value[0] - '0');
	if (strcmp(s->path, "/imports") == 0)
		(void)!pst_toml_strings(s->value, s->value_len, see_import, f);
	if (strcmp(s->path, "/disabled_plugins") == 0)
		(void)!pst_toml_strings(s->value, s->value_len, see_disabled, f);
	for (size_t i = 0; i < PST_NELEM(sections); i++) {
		char runtimes[PST_TOML_PATH];
		snprintf(runtimes, sizeof runtimes, "%s/runtimes/", sections[i]);
		const size_t n = strlen(s->path);
		if (!f->adding || s->value[0] != '{' || strncmp(runtimes, s->path, n) != 0 || runtimes[n] != '/')
			continue;
		pst_fail(err, PST_E_STATE, "", "line %u: the runtimes are in an inline table, to which "
			 "nothing can be added", s->line);
		return unfit(f, "write it as [tables]", err);
	}
	return PST_OK;
}

static int see_file(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	struct filed *f = ctx;
	char name[PST_HANDLER_MAX];
	const char *rest;
	if (f->block.there && s->at >= f->block.at && s->at < f->block.end)
		return PST_OK;
	if (s->kind == PST_TOML_KEY) {
		const int rc = see_top(f, s, err);
		if (rc != PST_OK)
			return rc;
	}
	if (!handler_of(s->path, name, &rest))
		return PST_OK;
	f->f.handlers = true;
	if (!pst_wire_is_handler(name) || !f->adding)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "line %u: a runtime named %s that `postern install` did not write",
		 s->line, name);
	return unfit(f, "remove it, or give it another name", err);
}

int pst_cd_file_read(const char *text, size_t len, const char *path, bool adding,
		     struct pst_cd_file *ret, struct pst_err *err)
{
	struct filed f = {.f.version = 1, .path = path, .adding = adding};
	int rc = pst_own_block_find(text, len, path, &f.block, err);
	if (rc == PST_OK)
		rc = pst_tomlscan(text, len, path, see_file, &f, err);
	if (rc != PST_OK)
		return rc;
	if (adding && f.cri_off) {
		pst_fail(err, PST_E_STATE, "", "disabled_plugins turns the CRI plugin off: handlers are its "
			 "settings");
		return unfit(&f, "take it out of disabled_plugins; ctr and nerdctl need no handler: "
				 "--runtime io.containerd.postern.v2", err);
	}
	if (adding && (f.f.version < 2 || f.f.version > 9)) {
		pst_fail(err, PST_E_STATE, "", "the configuration is of version %u: handlers are written "
			 "from version 2 on", f.f.version);
		return unfit(&f, "begin it with version = 2, and name plugins as io.containerd...; "
				 "`containerd config migrate` does it from containerd 2.0 on", err);
	}
	*ret = f.f;
	return PST_OK;
}

bool pst_cd_version_read(const char *text, struct pst_cd_version *ret)
{
	/* "containerd github.com/containerd/containerd v2.1.4 0123abc", Debian's without the v. */
	struct pst_cd_version v = {0};
	const char *word = text;
	for (int i = 0; i < 2; i++) {
		word += strcspn(word, " ");
		word += strspn(word, " ");
	}
	if (sscanf(*word == 'v' ? word + 1 : word, "%3u.%3u.%3u", &v.major, &v.minor, &v.patch) < 2)
		return false;
	*ret = v;
	return true;
}

static bool uses_path(const struct pst_cd_version *v)
{
	if (v->major != 1)
		return v->major > 1;
	return v->minor > 7 || (v->minor == 7 && v->patch >= 2) || (v->minor == 6 && v->patch >= 21);
}

bool pst_cd_by_file(const struct pst_cd_want *w)
{
	return w->version.major == 1 && w->version.minor < 7;
}

void pst_cd_options(const struct pst_cd_want *w, size_t i, struct pst_buf *out)
{
	if (i > 0)
		pst_buf_fmt(out, "Class = \"%s\"\n", w->wire->classes[i - 1]);
	if (w->wire->policy != NULL)
		pst_buf_fmt(out, "Policy = \"%s\"\n", w->wire->policy);
	if (w->dump->systemd_cgroup)
		pst_buf_str(out, "SystemdCgroup = true\n");
}

static void handler_tables(const struct pst_cd_want *w, unsigned version, size_t i,
			   struct pst_buf *out)
{
	const char *plugin = version >= 3 ? CRI3 : CRI2;
	/* Options of ours are none of runc's type: they would be dropped without a word. */
	const bool runcs = version >= 3 && w->version.major == 2 && w->version.minor < 3 && i == 0 &&
			   w->wire->policy == NULL;
	pst_auto_buf opts = {0};
	char name[PST_HANDLER_MAX];
	pst_wire_handler(w->wire, i, name);
	pst_buf_fmt(out, "[plugins.\"%s\".containerd.runtimes.%s]\n", plugin, name);
	if (uses_path(&w->version))
		pst_buf_fmt(out, "runtime_type = \"io.containerd.%s.v2\"\n", runcs ? "runc" : "postern");
	pst_buf_fmt(out, "%s = \"%s/containerd-shim-postern-v2\"\n",
		    uses_path(&w->version) ? "runtime_path" : "runtime_type", w->wire->bin);
	pst_buf_str(out, "pod_annotations = [\"postern/*\"]\ncontainer_annotations = [\"postern/*\"]\n");
	pst_cd_options(w, i, &opts);
	if (opts.len == 0)
		return;
	pst_buf_fmt(out, "[plugins.\"%s\".containerd.runtimes.%s.options]\n", plugin, name);
	if (pst_cd_by_file(w))
		pst_buf_fmt(out, "ConfigPath = \"%s/%s" PST_CD_OPTION_END "\"\n", w->optdir, name);
	else
		pst_buf_add(out, pst_buf_cstr(&opts), opts.len);
	out->bad = out->bad || !pst_buf_ok(&opts);
}

static void tables(const struct pst_cd_want *w, unsigned version, bool runc, struct pst_buf *out)
{
	pst_buf_str(out, "# `postern uninstall containerd` takes this away.\n");
	for (size_t i = 0; i <= w->wire->nclasses; i++)
		handler_tables(w, version, i, out);
	if (!runc)
		return;
	pst_buf_fmt(out, "# containerd 1 forgets its own runc once another handler is written down.\n"
			 "[plugins.\"%s\".containerd.runtimes.runc]\nruntime_type = \"io.containerd.runc.v2\"\n",
		    version >= 3 ? CRI3 : CRI2);
}

static int check_block(const struct pst_own_block *b, const char *path, struct pst_err *err)
{
	if (!b->there || b->intact)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "line %u: what `postern install` wrote was edited since", b->line);
	pst_err_cure(err, "move your lines out of the block and remove the block by hand");
	return pst_err_file(err, path);
}

int pst_cd_main(const char *text, size_t len, const char *path, const struct pst_cd_want *want,
		struct pst_buf *out, bool *gone, struct pst_err *err)
{
	struct pst_own_block b = {.there = false};
	struct pst_cd_file f = {.version = 2};
	pst_auto_buf body = {0}, made = {0};
	if (text == NULL) {
		if (want != NULL && want->version.major >= 2)
			f.version = 3;
		pst_buf_fmt(&made, MADE "version = %u\n", f.version);
		text = pst_buf_cstr(&made);
		len = made.len;
	}
	int rc = pst_own_block_find(text, len, path, &b, err);
	if (rc == PST_OK)
		rc = check_block(&b, path, err);
	if (rc == PST_OK && want != NULL)
		rc = pst_cd_file_read(text, len, path, true, &f, err);
	if (rc != PST_OK)
		return rc;
	if (want != NULL)
		tables(want, f.version, want->version.major < 2 && !f.handlers, &body);
	pst_own_block_put(text, len, &b, want != NULL ? pst_buf_cstr(&body) : NULL, out);
	*gone = want == NULL && (pst_streq(pst_buf_cstr(out), MADE "version = 2\n") ||
				 pst_streq(pst_buf_cstr(out), MADE "version = 3\n"));
	return pst_buf_ok(out) && pst_buf_ok(&body) && pst_buf_ok(&made) ? PST_OK : pst_fail_nomem(err);
}

void pst_cd_drop(const struct pst_cd_want *w, unsigned version, struct pst_buf *out)
{
	pst_buf_fmt(out, "version = %u\n", version);
	tables(w, version, false, out);
}
