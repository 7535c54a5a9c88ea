#include "core/formatver.h"

#include <errno.h>
#include <inttypes.h>

#include "core/json.h"

int pst_formatver_check(const json_t *doc, unsigned known, const char *what, struct pst_err *err)
{
	uint64_t v;
	if (!pst_json_u64(json_object_get(doc, "version"), &v) || v == 0)
		return pst_fail(err, PST_E_STATE, "/version", "%s does not say of which version it is", what);
	if (v <= known)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "/version", "%s is of version %" PRIu64 ", this postern knows %u", what, v,
		 known);
	if (err != NULL)
		err->sys = EPROTONOSUPPORT;
	return pst_err_cure(err, "a newer postern made it: use that one for this container");
}
