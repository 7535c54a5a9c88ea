#include "core/scgroup.h"

#include "base/attr.h"
#include "scgroup_data.h"

const struct pst_scgroup *pst_scgroup_at(size_t i)
{
	return i < PST_NELEM(table) ? &table[i] : NULL;
}
