#include "options.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "core/ociimage.h"

const char unpack_usage[] =
	"usage: postern-unpack layer --layers DIR --digest sha256:HEX --size BYTES\n"
	"           --diffid sha256:HEX [--compression none|gzip|zstd] [--member NAME]\n"
	"           [--max-bytes N] [--max-entries N] < BLOB-OR-TAR\n"
	"       postern-unpack cat --member NAME [--max-bytes N] < TAR\n"
	"\n"
	"Unpacks one image layer into DIR/DIFFID/fs as a layer of an overlay, or writes\n"
	"one member of a tar to standard output. Meant to be started by postern launch.\n";

/* 64 GiB and 4 million entries: above any image in use, below what fills a node. */
#define MAX_BYTES (UINT64_C(64) << 30)
#define MAX_ENTRIES UINT64_C(4000000)

enum kind { TEXT, HEX, NUMBER, FORM };

static const struct {
	const char *flag;
	enum kind kind;
	size_t offset;
} flags[] = {
	{"--layers", TEXT, offsetof(struct unpack_options, layers)},
	{"--member", TEXT, offsetof(struct unpack_options, member)},
	{"--digest", HEX, offsetof(struct unpack_options, digest)},
	{"--diffid", HEX, offsetof(struct unpack_options, diffid)},
	{"--size", NUMBER, offsetof(struct unpack_options, size)},
	{"--max-bytes", NUMBER, offsetof(struct unpack_options, max_bytes)},
	{"--max-entries", NUMBER, offsetof(struct unpack_options, max_entries)},
	{"--compression", FORM, offsetof(struct unpack_options, form)},
};

static int set_form(const char *value, enum unpack_form *ret, struct pst_err *err)
{
	static const char *const names[] = {"none", "gzip", "zstd"};
	for (size_t i = 0; i < PST_NELEM(names); i++)
		if (pst_streq(value, names[i])) {
			*ret = (enum unpack_form)i;
			return PST_OK;
		}
	return pst_fail(err, PST_E_USAGE, "", "compression \"%.40s\" is not none, gzip or zstd",
			value);
}

static int set(enum kind kind, void *at, const char *flag, const char *value, struct pst_err *err)
{
	switch (kind) {
	case TEXT:
		*(const char **)at = value;
		return PST_OK;
	case HEX:
		return pst_ociimage_digest(value, at, err);
	case NUMBER:
		if (pst_num_parse(value, 10, INT64_MAX, at))
			return PST_OK;
		return pst_fail(err, PST_E_USAGE, "", "%s \"%.40s\" is not a number", flag, value);
	case FORM:
		return set_form(value, at, err);
	}
	return pst_fail(err, PST_E_BUG, "", "flag %s has no kind", flag);
}

static int set_flag(struct unpack_options *o, const char *flag, const char *value,
		    struct pst_err *err)
{
	for (size_t i = 0; i < PST_NELEM(flags); i++)
		if (pst_streq(flag, flags[i].flag))
			return set(flags[i].kind, (char *)o + flags[i].offset, flag, value, err);
	return pst_fail(err, PST_E_USAGE, "", "unknown flag: %.100s", flag);
}

int unpack_options_parse(int argc, char **argv, struct unpack_options *ret, struct pst_err *err)
{
	struct unpack_options o = {.max_bytes = MAX_BYTES, .max_entries = MAX_ENTRIES};
	if (argc > 1 && pst_streq(argv[1], "cat"))
		o.verb = UNPACK_CAT;
	else if (argc < 2 || !pst_streq(argv[1], "layer"))
		return pst_fail(err, PST_E_USAGE, "", "the first word must be layer or cat");
	for (int i = 2; i < argc; i += 2) {
		if (i + 1 == argc)
			return pst_fail(err, PST_E_USAGE, "", "flag needs a value: %.100s",
					argv[i]);
		const int rc = set_flag(&o, argv[i], argv[i + 1], err);
		if (rc != PST_OK)
			return rc;
	}
	if (o.verb == UNPACK_CAT && o.member == NULL)
		return pst_fail(err, PST_E_USAGE, "", "cat needs --member");
	if (o.verb == UNPACK_LAYER &&
	    (o.layers == NULL || o.digest[0] == '\0' || o.diffid[0] == '\0'))
		return pst_fail(err, PST_E_USAGE, "",
				"layer needs --layers, --digest and --diffid");
	*ret = o;
	return PST_OK;
}
