#include "host/install.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "core/linediff.h"
#include "core/policy.h"
#include "core/wiredocker.h"
#include "core/wirefiles.h"
#include "host/beside.h"
#include "host/ctx.h"
#include "host/dirents.h"
#include "host/engine.h"
#include "host/hostops.h"
#include "host/policyload.h"
#include "host/wirefile.h"

void pst_installed_done(struct pst_installed *r)
{
	pst_buf_done(&r->diff);
	pst_buf_done(&r->notes);
}

/* One run: what is to be wired, and the engine. */
struct job {
	const struct pst_install *in;
	struct pst_engine engine;
	struct pst_policy policy;
	struct pst_wire wire;
	const char **classes;
	char *policy_path, *bin, *optdir;
	bool check; /* the engine can be asked, and took its configuration as it was */
	struct pst_engine_state before;
	struct pst_wireplan plan;
};

static void job_done(struct job *j)
{
	pst_engine_done(&j->engine);
	pst_policy_done(&j->policy);
	pst_wireplan_done(&j->plan);
	free(j->classes);
	free(j->policy_path);
	free(j->bin);
	free(j->optdir);
}

/* A path that needs no quoting in TOML and JSON, nor in what an engine makes of it. */
static int plain(const char *what, const char *path, struct pst_err *err)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+-";
	if (path[0] == '/' && strspn(path, fine) == strlen(path) && strlen(path) < 200)
		return PST_OK;
	return pst_fail(err, PST_E_USAGE, "", "%s cannot be written into a configuration: it has to be an "
			"absolute path of letters, digits and /._+-", what);
}

static int find_bin(struct job *j, struct pst_err *err)
{
	char self[PATH_MAX], path[PATH_MAX];
	static const char *const programs[] = {"postern", "containerd-shim-postern-v2"};
	if (j->in->bin != NULL) {
		j->bin = strdup(j->in->bin);
	} else {
		const ssize_t n = pst_host->readlinkat(AT_FDCWD, "/proc/self/exe", self, sizeof self - 1);
		if (n <= 0)
			return pst_fail_sys(err, "cannot find where this program is");
		self[n] = '\0';
		*strrchr(self, '/') = '\0';
		j->bin = strdup(self);
	}
	if (j->bin == NULL)
		return pst_fail_nomem(err);
	const int rc = plain("the folder of the programs", j->bin, err);
	if (rc != PST_OK)
		return rc;
	for (size_t i = 0; i < (j->engine.id == PST_CONTAINERD ? 2 : 1); i++) {
		snprintf(path, sizeof path, "%s/%s", j->bin, programs[i]);
		if (pst_beside_trusted(path))
			continue;
		pst_fail(err, PST_E_STATE, "", "%s is missing, or not root's alone to write", path);
		return pst_err_cure(err, "install postern, or name the folder of its programs with --bin");
	}
	j->wire.bin = j->bin;
	return PST_OK;
}

/* The policy's classes, and the file itself when it is not the usual one. */
static int read_policy(const struct pst_global *g, struct job *j, struct pst_err *err)
{
	const char *name;
	json_t *v;
	/* What was written is taken away whatever has become of the policy. */
	int rc = j->in->remove ? PST_OK
			       : pst_policy_load(g->policy_file, g->policy_required, NULL, &j->policy, err);
	if (rc != PST_OK)
		return rc;
	const json_t *classes = json_object_get(j->policy.tree, "classes");
	j->classes = calloc(json_object_size(classes) + 1, sizeof *j->classes);
	j->policy_path = pst_ctx_canonical(g->policy_file);
	if (j->classes == NULL || j->policy_path == NULL)
		return pst_fail_nomem(err);
	json_object_foreach((json_t *)(uintptr_t)classes, name, v)
		j->classes[j->wire.nclasses++] = name;
	j->wire.classes = j->classes;
	rc = plain("the policy's file", j->policy_path, err);
	if (rc != PST_OK || !g->policy_required)
		return rc;
	j->wire.policy = j->policy_path;
	if (j->engine.id == PST_DOCKER || j->engine.id == PST_CONTAINERD || j->in->remove)
		return PST_OK;
	return pst_fail(err, PST_E_USAGE, "", "%s names no flags for a runtime: --policy cannot be kept in "
			"its configuration", j->engine.name);
}

/* Where the option files are: beside the policy. */
static int find_optdir(struct job *j, struct pst_err *err)
{
	j->optdir = strdup(j->policy_path);
	if (j->optdir == NULL)
		return pst_fail_nomem(err);
	*strrchr(j->optdir, '/') = '\0';
	return PST_OK;
}

/* Read `path` and add what becomes of it: a file of ours with `body`, or none. */
static int own_file(struct job *j, const char *path, const char *body, struct pst_err *err)
{
	pst_auto_buf old = {0};
	pst_auto_free char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
	bool there;
	if (dir == NULL)
		return pst_fail_nomem(err);
	const int rc = pst_wirefile_read(path, &old, &there, err);
	return rc != PST_OK ? rc
			    : pst_wireplan_own(&j->plan, path, there ? &old : NULL, body,
					       !pst_wirefile_folder(dir), err);
}

static int option_file(struct job *j, const struct pst_cd_want *want, size_t i, struct pst_err *err)
{
	char name[PST_HANDLER_MAX], path[PATH_MAX];
	pst_auto_buf body = {0};
	pst_wire_handler(&j->wire, i, name);
	snprintf(path, sizeof path, "%s/%s" PST_CD_OPTION_END, j->optdir, name);
	pst_cd_options(want, i, &body);
	return body.len == 0 ? PST_OK : own_file(j, path, pst_buf_cstr(&body), err);
}

/* Option files that are not wanted (any more) go. */
static int stale_options(struct job *j, const struct pst_cd_want *want, struct pst_err *err)
{
	pst_auto_dirnames names = {0};
	char path[PATH_MAX], keep[PST_HANDLER_MAX + sizeof PST_CD_OPTION_END];
	pst_auto_fd fd = pst_host->openat(AT_FDCWD, j->optdir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (fd < 0)
		return PST_OK;
	int rc = pst_dirnames_read(fd, &names, err);
	for (size_t i = 0; rc == PST_OK && i < names.n; i++) {
		bool wanted = false;
		if (!pst_wire_is_handler(names.v[i]) && strcmp(names.v[i], "postern" PST_CD_OPTION_END) != 0)
			continue;
		if (!pst_ends(names.v[i], PST_CD_OPTION_END))
			continue;
		for (size_t h = 0; want != NULL && h <= j->wire.nclasses; h++) {
			pst_auto_buf opts = {0};
			char name[PST_HANDLER_MAX];
			pst_wire_handler(&j->wire, h, name);
			snprintf(keep, sizeof keep, "%s" PST_CD_OPTION_END, name);
			pst_cd_options(want, h, &opts);
			wanted = wanted || (strcmp(keep, names.v[i]) == 0 && opts.len > 0);
		}
		snprintf(path, sizeof path, "%s/%s", j->optdir, names.v[i]);
		if (!wanted)
			rc = own_file(j, path, NULL, err);
	}
	return rc;
}

/* The file in the folder of `imports`: ours or nobody's, else somebody needs to decide. */
static int drop_file(struct job *j, const char *dir, const char *body, struct pst_err *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/postern.toml", dir);
	return own_file(j, path, body, err);
}

static int main_file(struct job *j, const struct pst_buf *old, const struct pst_cd_want *want,
		     struct pst_err *err)
{
	pst_auto_buf new = {0};
	bool gone = false;
	if (old == NULL && want == NULL)
		return PST_OK;
	const int rc = pst_cd_main(old != NULL ? pst_buf_cstr(old) : NULL, old != NULL ? old->len : 0,
				   j->engine.config, want, &new, &gone, err);
	return rc != PST_OK ? rc
			    : pst_wireplan_add(&j->plan, j->engine.config, old, gone ? NULL : &new, false,
					       err);
}

static int plan_containerd(struct job *j, struct pst_err *err)
{
	pst_auto_buf old = {0}, drop = {0};
	struct pst_cd_file f = {.version = 0};
	bool there;
	struct pst_cd_want w = {&j->wire, j->engine.version, &j->before.cd, j->optdir};
	const struct pst_cd_want *want = j->in->remove ? NULL : &w;
	int rc = pst_wirefile_read(j->engine.config, &old, &there, err);
	if (rc == PST_OK && there)
		rc = pst_cd_file_read(pst_buf_cstr(&old), old.len, j->engine.config, want != NULL, &f, err);
	if (rc != PST_OK)
		return rc;
	const bool by_drop = want != NULL && f.drop[0] != '\0' && w.version.major >= 2;
	if (by_drop)
		pst_cd_drop(&w, f.version, &drop);
	/* Options first, so that no handler ever names a file that is not there. */
	for (size_t i = 0; rc == PST_OK && want != NULL && pst_cd_by_file(&w) && i <= j->wire.nclasses; i++)
		rc = option_file(j, &w, i, err);
	if (rc == PST_OK && f.drop[0] != '\0')
		rc = drop_file(j, f.drop, by_drop ? pst_buf_cstr(&drop) : NULL, err);
	if (rc == PST_OK)
		rc = main_file(j, there ? &old : NULL, by_drop ? NULL : want, err);
	if (rc == PST_OK)
		rc = stale_options(j, want != NULL && pst_cd_by_file(&w) ? want : NULL, err);
	return rc == PST_OK && !pst_buf_ok(&drop) ? pst_fail_nomem(err) : rc;
}

static int plan_docker(struct job *j, struct pst_err *err)
{
	pst_auto_buf old = {0}, new = {0};
	bool there, gone = false;
	int rc = pst_wirefile_read(j->engine.config, &old, &there, err);
	if (rc != PST_OK || (!there && j->in->remove))
		return rc;
	rc = pst_docker_daemon(there ? pst_buf_cstr(&old) : NULL, old.len, j->engine.config,
			       j->in->remove ? NULL : &j->wire, &new, &gone, err);
	return rc != PST_OK ? rc
			    : pst_wireplan_add(&j->plan, j->engine.config, there ? &old : NULL,
					       gone ? NULL : &new, false, err);
}

static int make_plan(struct job *j, struct pst_err *err)
{
	pst_auto_buf body = {0};
	if (j->engine.id == PST_CONTAINERD)
		return plan_containerd(j, err);
	if (j->engine.id == PST_DOCKER)
		return plan_docker(j, err);
	if (j->engine.id == PST_PODMAN)
		pst_wire_podman(&j->wire, &body);
	else
		pst_wire_crio(&j->wire, &body);
	return own_file(j, j->engine.config, j->in->remove ? NULL : pst_buf_cstr(&body), err);
}

static int lacks(const struct job *j, const char *handler, struct pst_err *err)
{
	pst_fail(err, PST_E_STATE, "", "%s then does not know the handler %s", j->engine.name, handler);
	return pst_err_cure(err, "a file named in `imports` may replace what %s says: up to containerd 1.7 "
			    "the whole section of the CRI plugin", j->engine.config);
}

/* What containerd knew it still has to know, and ours or, after an uninstall, none of them. */
static int compare_containerd(const struct job *j, const struct pst_cd_dump *now, struct pst_err *err)
{
	const struct pst_cd_dump *was = &j->before.cd;
	char name[PST_HANDLER_MAX];
	for (size_t i = 0; i < was->n; i++)
		if (!pst_wire_is_handler(was->handler[i]) && !pst_cd_dump_has(now, was->handler[i]))
			return lacks(j, was->handler[i], err);
	for (size_t i = 0; !j->in->remove && i <= j->wire.nclasses; i++) {
		pst_wire_handler(&j->wire, i, name);
		if (!pst_cd_dump_has(now, name))
			return lacks(j, name, err);
	}
	if (now->default_name[0] == '\0' || pst_cd_dump_has(now, now->default_name) || !now->cri)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "default_runtime_name is %s, which would be gone", now->default_name);
	pst_err_cure(err, "choose another default runtime first");
	return pst_err_file(err, j->engine.config);
}

/* An engine whose default runtime is ours would run nothing without it. */
static int keep_default(const struct job *j, struct pst_err *err)
{
	const bool crio = j->engine.id == PST_CRIO;
	if (!j->in->remove || !j->before.dflt)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "%s is postern, which would be gone",
		 crio ? "default_runtime of [crio.runtime]" : "runtime of [engine]");
	pst_err_cure(err, "choose another default runtime first, there or in a file of %s.conf.d",
		     crio ? "crio" : "containers");
	return pst_err_file(err, crio ? "/etc/crio/crio.conf" : "/etc/containers/containers.conf");
}

static int check_after(const struct job *j, struct pst_installed *ret, struct pst_err *err)
{
	struct pst_engine_state now;
	const bool ours = !j->in->remove;
	if (!j->check)
		return PST_OK;
	const int rc = pst_engine_check(&j->engine, ours, &now, err);
	if (rc != PST_OK)
		return rc;
	if (j->engine.id == PST_CONTAINERD)
		return compare_containerd(j, &now.cd, err);
	if (now.unchecked)
		pst_buf_fmt(&ret->notes, "%s has no --validate: it did not check this\n", j->engine.path);
	if (j->engine.id == PST_DOCKER || now.handler == ours)
		return PST_OK;
	return ours ? lacks(j, "postern", err) : pst_fail(err, PST_E_STATE, "", "%s still knows a runtime postern", j->engine.name);
}

static int change(const struct job *j, struct pst_installed *ret, struct pst_err *err)
{
	struct pst_err why = {0};
	int rc = pst_wirefile_apply(&j->plan, err);
	if (rc != PST_OK)
		return rc;
	rc = check_after(j, ret, &why);
	if (rc == PST_OK)
		return PST_OK;
	if (pst_wirefile_revert(&j->plan, err) != PST_OK)
		return pst_err_prefix(err, "%s, and the file cannot be put back", why.msg);
	if (err != NULL)
		*err = why;
	(void)pst_err_prefix(err, "nothing was changed");
	return rc;
}

/* Between writing and checking, nobody's ^C may leave what was not checked. */
static int change_whole(const struct job *j, struct pst_installed *ret, struct pst_err *err)
{
	sigset_t set, old;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGQUIT);
	if (pst_host->sigprocmask(SIG_BLOCK, &set, &old) != 0)
		return pst_fail_sys(err, "cannot hold signals back");
	const int rc = change(j, ret, err);
	(void)pst_host->sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* What the engine knows before. One that refuses what it has is no place to add to; taking
 * away goes on, since it may be the way out. */
static int look_before(struct job *j, struct pst_installed *ret, struct pst_err *err)
{
	struct pst_err why = {0};
	if (j->engine.path == NULL && !j->in->remove) {
		pst_fail(err, PST_E_RUNTIME, "", "there is no %s in PATH", j->engine.program);
		return pst_err_cure(err, "install it first: it has to check what is written");
	}
	if (j->engine.path == NULL) {
		pst_buf_fmt(&ret->notes, "there is no %s in PATH: nobody checks the files\n", j->engine.program);
		return PST_OK;
	}
	const int rc = pst_engine_check(&j->engine, false, &j->before, &why);
	j->check = rc == PST_OK;
	if (rc == PST_OK)
		return PST_OK;
	if (j->in->remove) {
		pst_buf_fmt(&ret->notes, "%s refuses its configuration as it stands, so it was not asked: %s\n",
			    j->engine.name, why.msg);
		return PST_OK;
	}
	if (err != NULL)
		*err = why;
	(void)pst_err_prefix(err, "%s refuses its configuration as it stands", j->engine.name);
	return rc;
}

static int prepare(const struct pst_global *g, struct job *j, struct pst_installed *ret,
		   struct pst_err *err)
{
	int rc = pst_engine_open(j->in->engine, j->in->config, &j->engine, err);
	if (rc == PST_OK)
		rc = read_policy(g, j, err);
	if (rc == PST_OK)
		rc = find_optdir(j, err);
	if (rc == PST_OK && !j->in->remove)
		rc = find_bin(j, err);
	if (rc == PST_OK)
		rc = look_before(j, ret, err);
	return rc == PST_OK ? make_plan(j, err) : rc;
}

int pst_install_run(const struct pst_global *g, const struct pst_install *in,
		    struct pst_installed *ret, struct pst_err *err)
{
	PST_CLEANUP(job_done) struct job j = {.in = in};
	int rc = prepare(g, &j, ret, err);
	if (rc != PST_OK)
		return rc;
	for (size_t i = 0; i < j.plan.n; i++) {
		const struct pst_wirefile *f = &j.plan.v[i];
		pst_linediff(f->path, f->before, f->before_len, f->after, f->after_len, &ret->diff);
	}
	rc = j.plan.n == 0 ? PST_OK : keep_default(&j, err);
	if (rc != PST_OK || in->dry_run || j.plan.n == 0)
		return rc;
	rc = change_whole(&j, ret, err);
	const char *reload = pst_engine_reload(&j.engine);
	if (rc != PST_OK || reload == NULL)
		return rc;
	if (in->restart)
		return pst_engine_restart(&j.engine, err);
	pst_buf_fmt(&ret->notes, "%s reads it after: systemctl %s\n", j.engine.name, reload);
	return PST_OK;
}
