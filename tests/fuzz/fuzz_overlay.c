/* A layout read from JSON prints as JSON that reads as the same layout. */
#include "core/json.h"
#include "core/ovl.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	if (pst_json_parse((const char *)data, size, "fuzz", &pst_json_oci, &j, &err) != PST_OK)
		return 0;

	pst_auto_ovl l = {0};
	if (pst_ovl_from_json(j, &l, &err) != PST_OK) {
		PST_HOLDS(l.lower == NULL && l.n == 0);
		return 0;
	}
	pst_auto_json *once = pst_ovl_json(&l);
	PST_HOLDS(once != NULL);
	pst_auto_ovl again = {0};
	PST_HOLDS(pst_ovl_from_json(once, &again, &err) == PST_OK);
	pst_auto_json *twice = pst_ovl_json(&again);
	PST_HOLDS(twice != NULL && json_equal(once, twice));
	return 0;
}
