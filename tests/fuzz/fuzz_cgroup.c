/* Any text in place of a cgroup's files, of /proc/PID/cgroup, and of what the keeper kept. */
#include "core/cgnum.h"
#include "core/hits.h"
#include "core/limitwatch.h"
#include "target.h"

static void paths(const char *text, bool unified)
{
	struct pst_err err = {0};
	pst_auto_cgroup cg = {0};
	char *copy = strdup(text);
	PST_HOLDS(copy != NULL && pst_cgroup_parse(copy, unified, &cg, &err) == PST_OK);
	for (enum pst_cgroup_kind i = 0; i < PST_CGROUP_KINDS; i++) {
		const char *dir = pst_cgroup_dir(&cg, i);
		PST_HOLDS(dir == NULL || strncmp(dir, PST_CGROUP_ROOT, strlen(PST_CGROUP_ROOT)) == 0);
		PST_HOLDS(dir == NULL || pst_cgroup_inside(cg.version, i, dir)[0] == '/');
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_cgnum n = pst_cgnum_none;
	struct pst_hits h;
	const char *said[PST_HITS_SAID];
	char *text = pst_fuzz_text(data, size);
	for (int version = 1; version <= 2; version++)
		for (const struct pst_cgnum_row *r = pst_cgnum_rows(version); r->file != NULL; r++)
			pst_cgnum_take(&n, r, text);
	paths(text, false);
	paths(text, true);
	const char *at = pst_limitwatch_find(text, "limit", "memory");
	PST_HOLDS(at == NULL || (at > text && at[-1] == '\t'));
	pst_hits_parse(text, &h, said);
	free(text);
	return 0;
}
