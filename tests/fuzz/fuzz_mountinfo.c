/* Every mount of a table that parses can be looked up, and an overlay's options taken apart. */
#include "core/mountinfo.h"
#include "core/ovl.h"
#include "target.h"

static void look(const struct pst_mounttab *t, const struct pst_mountinfo *m)
{
	if (m->point[0] == '/')
		PST_HOLDS(pst_mountinfo_of(t, m->point) != NULL ||
			  pst_mountinfo_at(t, "/") == NULL);
	(void)pst_mountinfo_at(t, m->point);
	(void)!pst_mountinfo_below(t, m->point);

	pst_auto_ovl l = {0};
	struct pst_err err = {0};
	if (pst_ovl_from_super(m->super, &l, &err) != PST_OK)
		return;
	PST_HOLDS(l.n > 0 || l.unsupported != NULL);
	PST_HOLDS((l.upper == NULL) == (l.work == NULL));
	(void)!pst_ovl_is_relative(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pst_auto_mounttab t = {0};
	struct pst_err err = {0};
	if (pst_mountinfo_parse((const char *)data, size, &t, &err) != PST_OK) {
		PST_HOLDS(t.v == NULL && err.code != PST_OK);
		return 0;
	}
	for (size_t i = 0; i < t.n && i < 64; i++)
		look(&t, &t.v[i]);
	return 0;
}
