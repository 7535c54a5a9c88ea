#include "host/rootmount.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/buf.h"
#include "base/fd.h"
#include "host/hostops.h"
#include "host/overlay.h"
#include "host/sharedmount.h"
#include "host/stage.h"
#include "host/userns.h"

int pst_rootmount_parse(char *text, struct pst_rootmount *ret, struct pst_err *err)
{
	char *source = strchr(text, ',');
	char *options = source == NULL ? NULL : strchr(source + 1, ',');
	if (options == NULL)
		return pst_fail(err, PST_E_USAGE, "", "--rootfs-mount takes TYPE,SOURCE,OPTIONS, not \"%.100s\"",
				text);
	*source++ = '\0';
	*options++ = '\0';
	*ret = (struct pst_rootmount){.type = text, .source = source, .options = options};
	return PST_OK;
}

bool pst_rootmount_direct(const struct pst_rootmount *m, size_t n, struct pst_ovl_layout *ret)
{
	if (n != 1 || strcmp(m->type, "overlay") != 0)
		return false;
	pst_auto_free char *text = strdup(m->options);
	const char *words[64];
	size_t nwords = 0;
	char *rest = text;
	for (char *w; (w = strsep(&rest, ",")) != NULL;) {
		if (w[0] == '\0')
			continue;
		if (nwords == PST_NELEM(words))
			return false;
		words[nwords++] = w;
	}
	pst_auto_ovl l = {0};
	if (nwords == 0 || pst_ovl_from_options(words, nwords, &l, NULL) != PST_OK)
		return false;
	if (l.unsupported != NULL || l.mapped || l.userxattr || l.readonly || l.nosuid || l.nodev ||
	    l.noexec || l.nopt > 0 || l.upper == NULL || pst_ovl_is_relative(&l))
		return false;
	*ret = l;
	l = (struct pst_ovl_layout){0};
	return true;
}

struct flag {
	const char *word;
	unsigned long set, clear;
};

static const struct flag flags[] = {
	{"async", 0, MS_SYNCHRONOUS},
	{"atime", 0, MS_NOATIME},
	{"bind", MS_BIND, 0},
	{"defaults", 0, 0},
	{"dev", 0, MS_NODEV},
	{"diratime", 0, MS_NODIRATIME},
	{"dirsync", MS_DIRSYNC, 0},
	{"exec", 0, MS_NOEXEC},
	{"mand", MS_MANDLOCK, 0},
	{"noatime", MS_NOATIME, 0},
	{"nodev", MS_NODEV, 0},
	{"nodiratime", MS_NODIRATIME, 0},
	{"noexec", MS_NOEXEC, 0},
	{"nomand", 0, MS_MANDLOCK},
	{"norelatime", 0, MS_RELATIME},
	{"nostrictatime", 0, MS_STRICTATIME},
	{"nosuid", MS_NOSUID, 0},
	{"rbind", MS_BIND | MS_REC, 0},
	{"relatime", MS_RELATIME, 0},
	{"ro", MS_RDONLY, 0},
	{"rw", 0, MS_RDONLY},
	{"strictatime", MS_STRICTATIME, 0},
	{"suid", 0, MS_NOSUID},
	{"sync", MS_SYNCHRONOUS, 0},
};

static bool is_foreign(const char *word)
{
	static const char *const prefixes[] = {"X-containerd.", "uidmap=", "gidmap=", "loop"};
	for (size_t i = 0; i < PST_NELEM(prefixes); i++)
		if (strncmp(word, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* Flags into *set, everything else into `data`. */
static int sort_options(const struct pst_rootmount *m, unsigned long *set, struct pst_buf *data,
			struct pst_err *err)
{
	pst_auto_free char *text = strdup(m->options);
	char *rest = text;
	if (text == NULL)
		return pst_fail_nomem(err);
	for (char *w; (w = strsep(&rest, ",")) != NULL;) {
		const struct flag *f = NULL;
		if (w[0] == '\0')
			continue;
		if (is_foreign(w)) {
			pst_fail(err, PST_E_SPEC, "", "mount option %.80s of the root file system is not supported", w);
			return pst_err_cure(err, "use a snapshotter that hands over plain mounts");
		}
		for (size_t i = 0; f == NULL && i < PST_NELEM(flags); i++)
			if (strcmp(flags[i].word, w) == 0)
				f = &flags[i];
		if (f != NULL) {
			*set = (*set & ~f->clear) | f->set;
			continue;
		}
		if (data->len > 0)
			pst_buf_char(data, ',');
		pst_buf_str(data, w);
	}
	return pst_buf_ok(data) ? PST_OK : pst_fail_nomem(err);
}

/* Takes uidmap= and gidmap= out of `options`, cut in place, and the rest into words[64]. */
static int take_maps(char *options, struct pst_idextra maps[2], const char **words, size_t *nwords,
		     struct pst_err *err)
{
	static const char *const keys[] = {"uidmap=", "gidmap="};
	for (char *w; (w = strsep(&options, ",")) != NULL;) {
		size_t k = 0;
		while (k < 2 && strncmp(w, keys[k], 7) != 0)
			k++;
		if (k < 2) {
			struct pst_idextra *m = &maps[k];
			int end = -1;
			(void)sscanf(w + 7, "%9" SCNu32 ":%10" SCNu32 ":%10" SCNu32 "%n", &m->container,
				     &m->host, &m->count, &end);
			if (end < 0 || w[7 + end] != '\0')
				return pst_fail(err, PST_E_SPEC, "", "mount option %.80s of the root file "
						"system is not FIRST:HOST:COUNT", w);
		} else if (*nwords < 64) {
			words[(*nwords)++] = w;
		} else {
			return pst_fail(err, PST_E_SPEC, "", "more than 64 options on one mount");
		}
	}
	if (maps[0].count != 0 && maps[0].container == 0 &&
	    memcmp(&maps[0], &maps[1], sizeof maps[0]) == 0)
		return PST_OK;
	pst_fail(err, PST_E_SPEC, "", "uidmap= and gidmap= of the root file system are not one range from 0");
	return pst_err_cure(err, "give the user namespace one range for users and groups alike");
}

/* containerd 2 for a pod with a user namespace of its own: the layers are to be mapped, and
 * what is in the upper directory has its owners already (its core/mount/mount_linux.go). */
static int mount_mapped(const struct pst_rootmount *m, const char *at, struct pst_err *err)
{
	pst_auto_free char *text = strdup(m->options);
	struct pst_idextra maps[2] = {0};
	const char *words[64];
	size_t nwords = 0;
	pst_auto_ovl l = {0};
	pst_auto_fd userns = -1, mnt = -1;
	int rc = text == NULL ? pst_fail_nomem(err) : take_maps(text, maps, words, &nwords, err);
	if (rc == PST_OK)
		rc = pst_ovl_from_options(words, nwords, &l, err);
	if (rc == PST_OK)
		rc = pst_userns_open(maps[0].host, maps[0].count, NULL, 0, &userns, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd point = pst_host->openat(AT_FDCWD, at, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (point < 0)
		return pst_fail_sys(err, "cannot open %s", at);
	const struct pst_overlay_how how = {
		.form = PST_OVERLAY_ATTACHED,
		.userns = userns,
		.source = m->source,
		.scratch = point,
		.owned = true,
	};
	rc = pst_overlay_build(&l, &how, &mnt, err);
	if (rc == PST_OK && pst_host->move_mount(mnt, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) != 0)
		rc = pst_fail_sys(err, "cannot attach the root file system at %s", at);
	return rc;
}

static bool is_mapped(const struct pst_rootmount *m)
{
	return strcmp(m->type, "overlay") == 0 && strstr(m->options, "uidmap=") != NULL;
}

static int mount_one(const struct pst_rootmount *m, const char *at, struct pst_err *err)
{
	unsigned long set = 0;
	pst_auto_buf data = {0};
	int rc = sort_options(m, &set, &data, err);
	if (rc != PST_OK)
		return rc;
	/* The kernel copies one page and would cut the rest off in silence. */
	if (data.len >= 4095)
		return pst_fail(err, PST_E_SPEC, "", "the options of mount %.40s are longer than a page", m->type);
	const bool bind = (set & MS_BIND) != 0;
	if (pst_host->mount(m->source, at, m->type, bind ? set & (MS_BIND | MS_REC) : set,
			    bind ? NULL : pst_buf_cstr(&data)) != 0)
		return pst_fail_sys(err, "cannot mount the root file system (%.40s %.200s)", m->type, m->source);
	const unsigned long more = set & ~(unsigned long)(MS_BIND | MS_REC);
	if (bind && more != 0 && pst_host->mount(NULL, at, NULL, MS_BIND | MS_REMOUNT | more, NULL) != 0)
		return pst_fail_sys(err, "cannot set the flags of the root file system %.200s", m->source);
	return PST_OK;
}

int pst_rootmount_mount(const char *bundle, const struct pst_spec *spec, const struct pst_rootmount *m,
			size_t n, struct pst_err *err)
{
	pst_auto_free char *at = NULL;
	pst_auto_sharedmounts shared = {.n = 0};
	if (asprintf(&at, "%s/rootfs", bundle) < 0) {
		at = NULL;
		return pst_fail_nomem(err);
	}
	if (pst_host->mkdirat(AT_FDCWD, at, 0711) != 0 && errno != EEXIST)
		return pst_fail_sys(err, "cannot make %s", at);
	int rc = pst_sharedmounts_take(spec, bundle, &shared, err);
	if (rc == PST_OK)
		rc = pst_stage_private(err);
	if (rc == PST_OK)
		rc = pst_sharedmounts_put(&shared, err);
	for (size_t i = 0; rc == PST_OK && i < n; i++)
		rc = is_mapped(&m[i]) ? mount_mapped(&m[i], at, err) : mount_one(&m[i], at, err);
	return rc;
}
