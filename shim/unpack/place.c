#include "place.h"

#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "stages.h"
#include "tree.h"

static int fail_sys(const struct place *p, struct pst_err *err)
{
	return pst_fail_sys(err, "cannot make layer entry \"%.200s\"", p->name);
}

static struct timespec entry_time(const struct place *p)
{
	return (struct timespec){.tv_sec = archive_entry_mtime(p->entry),
				 .tv_nsec = archive_entry_mtime_nsec(p->entry)};
}

static uid_t entry_uid(const struct place *p)
{
	return (uid_t)archive_entry_uid(p->entry); /* range checked before (extract.c) */
}

static gid_t entry_gid(const struct place *p)
{
	return (gid_t)archive_entry_gid(p->entry);
}

/* Free the name, count the entry, give the parent. */
static int prepare(struct place *p, int *ret_pfd, struct pst_err *err)
{
	bool whiteout;
	if (p->path.base[0] == '\0')
		return pst_fail(err, PST_E_SPEC, "", "layer entry \"%.200s\" replaces the root",
				p->name);
	int rc = tree_parent(p->tree, p->path.dir, p->name, ret_pfd, err);
	if (rc == PST_OK)
		rc = tree_clear(p->tree, *ret_pfd, p->path.base, p->name, &whiteout, err);
	if (rc == PST_OK && p->tree->parent_fd < 0)
		rc = tree_parent(p->tree, p->path.dir, p->name, ret_pfd, err);
	return rc != PST_OK ? rc : tree_count(p->tree, err);
}

/* Version 2 only: version 3 names the root of a user namespace of the machine
 * that wrote it, which here may be anybody's. */
static bool good_filecap(const void *value, size_t size)
{
	struct vfs_cap_data c;
	if (size != XATTR_CAPS_SZ_2)
		return false;
	memcpy(&c, value, sizeof c);
	return (le32toh(c.magic_etc) & VFS_CAP_REVISION_MASK) == VFS_CAP_REVISION_2;
}

static int set_xattr(const struct place *p, int fd, const char *name, const void *value,
		     size_t size, struct pst_err *err)
{
	const bool cap = pst_streq(name, "security.capability");
	if (pst_starts(name, "trusted.overlay.") || pst_starts(name, "user.overlay."))
		return pst_fail(
			err, PST_E_SPEC, "",
			"layer entry \"%.200s\" has the attribute %.60s, an order to overlayfs",
			p->name, name);
	if (cap && !good_filecap(value, size))
		return pst_fail(err, PST_E_SPEC, "",
				"layer entry \"%.200s\" has file capabilities of another form than "
				"version 2",
				p->name);
	if (!cap && !pst_starts(name, "user."))
		return PST_OK;
	if (fsetxattr(fd, name, value, size, 0) == 0 || (!cap && errno == ENOTSUP))
		return PST_OK;
	return pst_fail_sys(err, "cannot set attribute %.60s of layer entry \"%.200s\"", name,
			    p->name);
}

/* Owner before mode and capability: a change of owner clears both. */
static int set_metadata(const struct place *p, int fd, struct pst_err *err)
{
	if (fchown(fd, entry_uid(p), entry_gid(p)) != 0 ||
	    fchmod(fd, archive_entry_perm(p->entry) & 07777) != 0)
		return fail_sys(p, err);
	archive_entry_xattr_reset(p->entry);
	const char *name;
	const void *value;
	size_t size;
	while (archive_entry_xattr_next(p->entry, &name, &value, &size) == ARCHIVE_OK) {
		const int rc = name == NULL ? PST_OK : set_xattr(p, fd, name, value, size, err);
		if (rc != PST_OK)
			return rc;
	}
	return PST_OK;
}

static int write_at(const struct place *p, int fd, const char *data, size_t len, off_t off,
		    struct pst_err *err)
{
	while (len > 0) {
		const ssize_t n = pwrite(fd, data, len, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return fail_sys(p, err);
		data += n;
		off += n;
		len -= (size_t)n;
	}
	return PST_OK;
}

/* Blocks with gaps between them: what is not written stays a hole. */
static int write_data(const struct place *p, int fd, struct pst_err *err)
{
	const la_int64_t size = archive_entry_size(p->entry);
	if (size < 0 || (uint64_t)size > p->max_bytes)
		return pst_fail(err, PST_E_SPEC, "",
				"layer entry \"%.200s\" has %lld bytes, at most %llu are allowed",
				p->name, (long long)size, (unsigned long long)p->max_bytes);
	for (;;) {
		const void *data;
		size_t len;
		la_int64_t off;
		const int rc = archive_read_data_block(p->archive, &data, &len, &off);
		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK)
			return stage_fail_archive(p->archive, err, "layer entry \"%.200s\"",
						  p->name);
		if (off < 0 || off > size || (uint64_t)len > (uint64_t)(size - off))
			return pst_fail(err, PST_E_SPEC, "",
					"layer entry \"%.200s\" has data beyond its size", p->name);
		const int written = write_at(p, fd, data, len, off, err);
		if (written != PST_OK)
			return written;
	}
	return ftruncate(fd, size) == 0 ? PST_OK : fail_sys(p, err);
}

int place_file(struct place *p, struct pst_err *err)
{
	int pfd = -1; /* borrowed from the tree */
	int rc = prepare(p, &pfd, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd fd = openat(pfd, p->path.base,
				O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_sys(p, err);
	rc = write_data(p, fd, err);
	if (rc == PST_OK)
		rc = set_metadata(p, fd, err);
	const struct timespec t = entry_time(p);
	if (rc == PST_OK && futimens(fd, (const struct timespec[]){t, t}) != 0)
		return fail_sys(p, err);
	return rc;
}

int place_directory(struct place *p, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	const int rc = tree_dir(p->tree, p->path.dir, p->path.base, p->name, &fd, err);
	if (rc != PST_OK)
		return rc;
	tree_note_time(p->tree, p->path.dir, p->path.base, entry_time(p));
	return set_metadata(p, fd, err);
}

/* Owner and time of what cannot be opened without following or blocking. */
static int set_by_name(const struct place *p, int pfd, struct pst_err *err)
{
	const struct timespec t = entry_time(p);
	if (fchownat(pfd, p->path.base, entry_uid(p), entry_gid(p), AT_SYMLINK_NOFOLLOW) != 0 ||
	    utimensat(pfd, p->path.base, (const struct timespec[]){t, t}, AT_SYMLINK_NOFOLLOW) != 0)
		return fail_sys(p, err);
	return PST_OK;
}

int place_symlink(struct place *p, struct pst_err *err)
{
	int pfd = -1; /* borrowed from the tree */
	const char *target = archive_entry_symlink(p->entry);
	if (target == NULL || target[0] == '\0')
		return pst_fail(err, PST_E_SPEC, "", "layer entry \"%.200s\" is a link to nothing",
				p->name);
	const int rc = prepare(p, &pfd, err);
	if (rc != PST_OK)
		return rc;
	if (symlinkat(target, pfd, p->path.base) != 0)
		return fail_sys(p, err);
	return set_by_name(p, pfd, err);
}

int place_fifo(struct place *p, struct pst_err *err)
{
	int pfd = -1; /* borrowed from the tree */
	const int rc = prepare(p, &pfd, err);
	if (rc != PST_OK)
		return rc;
	if (mknodat(pfd, p->path.base, S_IFIFO | 0600, 0) != 0)
		return fail_sys(p, err);
	const int owned = set_by_name(p, pfd, err);
	if (owned != PST_OK)
		return owned;
	if (fchmodat(pfd, p->path.base, archive_entry_perm(p->entry) & 07777, 0) != 0)
		return fail_sys(p, err);
	return PST_OK;
}

static int refuse_target(const struct place *p, const char *target, struct pst_err *err)
{
	return pst_fail(
		err, PST_E_SPEC, "",
		"layer entry \"%.200s\" is a hard link to \"%.200s\", which is no file of this "
		"layer",
		p->name, target);
}

int place_hardlink(struct place *p, struct pst_err *err)
{
	const char *target = archive_entry_hardlink(p->entry);
	struct entry_path to;
	struct stat st;
	int pfd = -1; /* borrowed from the tree */
	int rc = entry_path_parse(target, &to, err);
	if (rc != PST_OK)
		return rc;
	if (to.kind != ENTRY_PLAIN || to.base[0] == '\0')
		return refuse_target(p, target, err);
	if (pst_streq(to.dir, p->path.dir) && pst_streq(to.base, p->path.base))
		return refuse_target(p, target, err); /* else it would be removed first */
	rc = prepare(p, &pfd, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd tfd = -1;
	rc = tree_existing(p->tree, to.dir, p->name, &tfd, err);
	if (rc != PST_OK)
		return rc;
	if (fstatat(tfd, to.base, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !(S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)))
		return refuse_target(p, target, err);
	return linkat(tfd, to.base, pfd, p->path.base, 0) == 0 ? PST_OK : fail_sys(p, err);
}

int place_gone(struct place *p, struct pst_err *err)
{
	struct stat st;
	int pfd = -1; /* borrowed from the tree */
	int rc = tree_parent(p->tree, p->path.dir, p->name, &pfd, err);
	if (rc != PST_OK)
		return rc;
	if (fstatat(pfd, p->path.base, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		/* Made by this layer: the whiteout means what lies below it. */
		if (S_ISDIR(st.st_mode))
			tree_note_opaque(p->tree, p->path.dir, p->path.base);
		return PST_OK;
	}
	rc = tree_count(p->tree, err);
	if (rc != PST_OK)
		return rc;
	return mknodat(pfd, p->path.base, S_IFCHR, 0) == 0 ? PST_OK : fail_sys(p, err);
}

int place_opaque(struct place *p, struct pst_err *err)
{
	int pfd = -1; /* borrowed; only its existence matters */
	const int rc = tree_parent(p->tree, p->path.dir, p->name, &pfd, err);
	if (rc == PST_OK)
		tree_note_opaque(p->tree, p->path.dir, "");
	return rc;
}
