#include "host/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "core/ctrid.h"
#include "core/json.h"
#include "host/ctx.h"
#include "host/hostops.h"
#include "host/image.h"
#include "host/io.h"
#include "host/statedir.h"

#define USERDB_MAX ((size_t)1 << 20)

/* A file of the container's: links in it lead nowhere outside. */
static int read_inside(int root, const char *path, struct pst_buf *out, struct pst_err *err)
{
	const struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				     .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	struct stat st;
	pst_auto_fd fd = pst_host->openat2(root, path, &how, sizeof how);
	if (fd < 0 || pst_host->fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return PST_OK; /* none, or none that can be used: ids then are numbers */
	return pst_io_read_fd(fd, USERDB_MAX, path, out, err);
}

/* The text of /etc/passwd and /etc/group: of the rootfs, or of the topmost layer that has it. */
static int read_users(const char *const dirs[], size_t n, const char *path, struct pst_buf *out,
		      struct pst_err *err)
{
	for (size_t i = 0; i < n && out->len == 0; i++) {
		pst_auto_fd root = pst_host->openat(AT_FDCWD, dirs[i],
						    O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
		if (root < 0)
			return pst_fail_sys(err, "cannot open the rootfs %s", dirs[i]);
		const int rc = read_inside(root, path, out, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int make_name(char out[32], struct pst_err *err)
{
	uint64_t r;
	if (pst_host->getrandom(&r, sizeof r, 0) != (ssize_t)sizeof r)
		return pst_fail_sys(err, "cannot make up a name");
	snprintf(out, 32, "launch-%012llx", (unsigned long long)(r & 0xffffffffffff));
	return PST_OK;
}

/* The bundle's config.json goes under the state directory; root.path is absolute. */
static int write_bundle(const struct pst_global *g, const char *name, const json_t *spec,
			char path[400], struct pst_err *err)
{
	pst_auto_statedir sd = PST_STATEDIR_NONE;
	pst_auto_buf text = {0};
	char rel[128];
	int rc = pst_statedir_open(g->state_dir, &sd, err);
	if (rc == PST_OK)
		rc = pst_json_dump(spec, PST_JSON_PRETTY, &text, err);
	if (rc != PST_OK)
		return rc;
	if (pst_host->mkdirat(sd.fd, "launch", 0700) != 0 && errno != EEXIST)
		return pst_fail_sys(err, "cannot make %s/launch", sd.path);
	snprintf(rel, sizeof rel, "launch/%.100s", name);
	if (pst_host->mkdirat(sd.fd, rel, 0700) != 0)
		return errno == EEXIST
			       ? pst_fail(err, PST_E_STATE, "", "container with given ID already exists: %s", name)
			       : pst_fail_sys(err, "cannot make %s/%s", sd.path, rel);
	snprintf(path, 400, "%s/%s", sd.path, rel);
	snprintf(rel, sizeof rel, "launch/%.100s/config.json", name);
	return pst_io_replace(sd.fd, rel, text.data, text.len, 0600, err);
}

static void remove_bundle(const struct pst_global *g, const char *name)
{
	pst_auto_statedir sd = PST_STATEDIR_NONE;
	if (pst_statedir_look(g->state_dir, &sd, NULL) != PST_OK)
		return;
	pst_auto_fd dir = pst_host->openat(sd.fd, "launch", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir >= 0)
		(void)!pst_io_remove_tree(dir, name, NULL);
}

static int run_bundle(const struct pst_global *g, const char *name, const json_t *spec,
		      struct pst_create *c, int *ret_status, struct pst_err *err)
{
	char path[400] = "";
	int rc = write_bundle(g, name, spec, path, err);
	if (path[0] == '\0')
		return rc;
	c->id = name;
	c->bundle = path;
	if (rc == PST_OK)
		rc = pst_container_run(g, c, ret_status, err);
	remove_bundle(g, name);
	return rc;
}

/* From a directory that stays. */
static int from_rootfs(const struct pst_global *g, struct pst_launch_job *j, const char *name,
		       int *ret_status, struct pst_err *err)
{
	pst_auto_buf passwd = {0}, group = {0};
	pst_auto_json *spec = NULL;
	pst_auto_free char *root = pst_ctx_canonical(j->rootfs);
	if (root == NULL)
		return pst_fail_nomem(err);
	const char *const dirs[] = {root};
	int rc = read_users(dirs, 1, "etc/passwd", &passwd, err);
	if (rc == PST_OK)
		rc = read_users(dirs, 1, "etc/group", &group, err);
	j->want.rootfs = root;
	j->want.passwd = pst_buf_cstr(&passwd);
	j->want.group = pst_buf_cstr(&group);
	if (rc == PST_OK)
		rc = pst_launchspec_make(&j->want, &spec, err);
	struct pst_create c = {.made = j->made, .made_ctx = j->made_ctx};
	return rc == PST_OK ? run_bundle(g, name, spec, &c, ret_status, err) : rc;
}

/* From an image: its layers below, a scratch layer of this launch on top. */
static int from_image(const struct pst_global *g, struct pst_launch_job *j, const char *name,
		      int *ret_status, struct pst_err *err)
{
	char upper[300], work[300];
	struct pst_image image = {0};
	pst_auto_buf passwd = {0}, group = {0};
	pst_auto_json *spec = NULL;
	int rc = pst_image_prepare(j->var_dir, j->image, &image, err);
	const char *const *dirs = (const char *const *)image.layers;
	if (rc == PST_OK)
		rc = read_users(dirs, image.nlayers, "etc/passwd", &passwd, err);
	if (rc == PST_OK)
		rc = read_users(dirs, image.nlayers, "etc/group", &group, err);
	bool scratch = false;
	if (rc == PST_OK) {
		rc = pst_image_scratch(j->var_dir, name, upper, work, err);
		scratch = rc == PST_OK;
	}
	j->want.image = &image.config;
	j->want.rootfs = upper;
	j->want.passwd = pst_buf_cstr(&passwd);
	j->want.group = pst_buf_cstr(&group);
	if (rc == PST_OK)
		rc = pst_launchspec_make(&j->want, &spec, err);
	if (rc == PST_OK) {
		struct pst_create c = {
			.made = j->made, .made_ctx = j->made_ctx, .layers = dirs, .nlayers = image.nlayers, .upper = upper, .work = work};
		rc = run_bundle(g, name, spec, &c, ret_status, err);
	}
	if (scratch)
		(void)!pst_image_scratch_remove(j->var_dir, name, rc == PST_OK ? err : NULL);
	pst_image_done(&image);
	return rc;
}

int pst_launch_run(const struct pst_global *g, struct pst_launch_job *j, int *ret_status,
		   struct pst_err *err)
{
	char made[32];
	const char *name = j->name;
	int rc = PST_OK;
	if ((j->rootfs == NULL) == (j->image == NULL))
		return pst_fail(err, PST_E_USAGE, "", "name one of --rootfs DIR and --image LAYOUT[:TAG]");
	if (name == NULL) {
		rc = make_name(made, err);
		name = made;
	} else {
		rc = pst_ctrid_check(name, err);
	}
	if (rc != PST_OK)
		return rc;
	return j->rootfs != NULL ? from_rootfs(g, j, name, ret_status, err)
				 : from_image(g, j, name, ret_status, err);
}
