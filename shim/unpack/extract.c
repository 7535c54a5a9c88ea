#include "extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "entrypath.h"
#include "place.h"
#include "stages.h"
#include "tree.h"

static void archive_done(struct archive **a)
{
	archive_read_free(*a);
}

static int skip(struct place *p, struct pst_err *err)
{
	(void)p;
	(void)err;
	return PST_OK;
}

static int place_whiteout(struct place *p, struct pst_err *err)
{
	return p->path.kind == ENTRY_OPAQUE ? place_opaque(p, err) : place_gone(p, err);
}

static int refuse_device(struct place *p, struct pst_err *err)
{
	pst_fail(err, PST_E_SPEC, "", "layer entry \"%.200s\" is a device node", p->name);
	pst_err_cure(err, "remove device nodes from the image; a container gets its own /dev");
	return PST_E_SPEC;
}

/* Which function makes this entry. */
static int (*choose(const struct place *p))(struct place *, struct pst_err *)
{
	if (p->path.kind == ENTRY_SKIP)
		return skip;
	if (p->path.kind != ENTRY_PLAIN)
		return place_whiteout;
	if (archive_entry_hardlink(p->entry) != NULL)
		return place_hardlink;
	switch (archive_entry_filetype(p->entry)) {
	case AE_IFREG:
		return place_file;
	case AE_IFDIR:
		return place_directory;
	case AE_IFLNK:
		return place_symlink;
	case AE_IFIFO:
		return place_fifo;
	default:
		return refuse_device;
	}
}

static int check_ids(const struct place *p, struct pst_err *err)
{
	const la_int64_t uid = archive_entry_uid(p->entry), gid = archive_entry_gid(p->entry);
	if (uid >= 0 && uid <= PLACE_ID_MAX && gid >= 0 && gid <= PLACE_ID_MAX)
		return PST_OK;
	pst_fail(err, PST_E_SPEC, "", "layer entry \"%.200s\" is owned by %lld:%lld", p->name,
		 (long long)uid, (long long)gid);
	pst_err_cure(err, "a container has the ids 0 to %d: build the image with owners among them",
		     PLACE_ID_MAX);
	return PST_E_SPEC;
}

static int one_entry(struct place *p, struct pst_err *err)
{
	p->name = archive_entry_pathname(p->entry);
	if (p->name == NULL)
		return pst_fail(err, PST_E_SPEC, "", "layer entry %llu has no readable name",
				(unsigned long long)p->tree->made);
	int rc = entry_path_parse(p->name, &p->path, err);
	if (rc == PST_OK)
		rc = check_ids(p, err);
	return rc != PST_OK ? rc : choose(p)(p, err);
}

/* The sum is taken of all bytes: also of what follows the end of the tar. */
static void drain(void)
{
	static char buf[STAGE_BUFFER];
	while (stage_read(STDIN_FILENO, buf, sizeof buf) > 0)
		;
}

static int all_entries(struct archive *a, struct place *p, struct pst_err *err)
{
	for (;;) {
		const int rc = archive_read_next_header(a, &p->entry);
		if (rc == ARCHIVE_EOF)
			return PST_OK;
		/* A warning means that a header was half understood. */
		if (rc != ARCHIVE_OK)
			return stage_fail_archive(a, err, "layer is not a whole tar");
		const int made = one_entry(p, err);
		if (made != PST_OK)
			return made;
	}
}

int extract_layer(int where, const struct unpack_options *o, struct pst_err *err)
{
	PST_CLEANUP(tree_done) struct tree tree = TREE_EMPTY;
	PST_CLEANUP(archive_done) struct archive *a = archive_read_new();
	if (a == NULL || archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK)
		return pst_fail_nomem(err);
	tree.max_made = o->max_entries;
	tree.root = openat(where, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (tree.root < 0)
		return pst_fail_sys(err, "cannot open the tree of the layer");
	if (archive_read_open_fd(a, STDIN_FILENO, STAGE_BUFFER) != ARCHIVE_OK)
		return stage_fail_archive(a, err, "layer is not a tar");

	struct place p = {.tree = &tree, .archive = a, .max_bytes = o->max_bytes};
	const int rc = all_entries(a, &p, err);
	if (rc != PST_OK)
		return rc;
	drain();
	return tree_finish(&tree, where, err);
}
