#include "entrypath.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define WH ".wh."
#define WH_AUFS ".wh..wh."
#define WH_OPAQUE ".wh..wh..opq"

static int refuse(const char *raw, const char *why, struct pst_err *err)
{
	return pst_fail(err, PST_E_SPEC, "", "layer entry \"%.200s\" %s", raw, why);
}

/* Text only: `raw` without doubled slashes, "." and a final slash, into `out`. */
static int clean(const char *raw, char out[PATH_MAX], bool *aufs, struct pst_err *err)
{
	size_t len = 0;
	if (raw[0] == '\0')
		return refuse(raw, "has no name", err);
	if (raw[0] == '/')
		return refuse(raw, "is absolute", err);
	for (const char *p = raw; *p != '\0';) {
		const size_t n = strcspn(p, "/");
		const bool last = p[n + strspn(p + n, "/")] == '\0';
		if (n == 2 && p[0] == '.' && p[1] == '.')
			return refuse(raw, "has \"..\" in its path", err);
		if (n > NAME_MAX || len + n + 2 > PATH_MAX)
			return refuse(raw, "has too long a name", err);
		*aufs = *aufs || (pst_starts(p, WH_AUFS) &&
				  !(last && n == strlen(WH_OPAQUE) && pst_starts(p, WH_OPAQUE)));
		if (!last && pst_starts(p, WH) && !*aufs)
			return refuse(raw, "uses a whiteout as a directory", err);
		if (n > 0 && !(n == 1 && p[0] == '.')) {
			if (len > 0)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	out[len] = '\0';
	return PST_OK;
}

int entry_path_parse(const char *raw, struct entry_path *ret, struct pst_err *err)
{
	char path[PATH_MAX];
	bool aufs = false;
	const int rc = clean(raw, path, &aufs, err);
	if (rc != PST_OK)
		return rc;

	ret->kind = aufs ? ENTRY_SKIP : ENTRY_PLAIN;
	char *slash = strrchr(path, '/');
	const char *base = slash == NULL ? path : slash + 1;
	if (!aufs && pst_streq(base, WH_OPAQUE)) {
		ret->kind = ENTRY_OPAQUE;
	} else if (!aufs && pst_starts(base, WH)) {
		ret->kind = ENTRY_WHITEOUT;
		base += strlen(WH);
		if (pst_streq(base, "") || pst_streq(base, ".") || pst_streq(base, ".."))
			return refuse(raw, "is a whiteout of nothing", err);
	}
	snprintf(ret->base, sizeof ret->base, "%.255s", base); /* NAME_MAX */
	if (slash != NULL)
		*slash = '\0';
	snprintf(ret->dir, sizeof ret->dir, "%s", slash == NULL ? "" : path);
	return PST_OK;
}
