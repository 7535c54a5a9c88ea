/* The caller's config.json, typed: whole or refused with a place. */
#include "core/json.h"
#include "core/spec.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	if (pst_json_parse((const char *)data, size, "fuzz", &pst_json_oci, &j, &err) != PST_OK)
		return 0;

	struct pst_spec s = {0};
	if (pst_spec_parse(j, &s, &err) != PST_OK) {
		PST_HOLDS(err.code != PST_OK && err.msg[0] != '\0');
		return 0;
	}
	for (size_t i = 0; i < s.nmounts; i++)
		PST_HOLDS(s.mounts[i].destination != NULL &&
			  s.mounts[i].index < json_array_size(json_object_get(j, "mounts")));
	for (int k = 0; k < PST_CAPS_KINDS; k++)
		PST_HOLDS((s.caps[k] & ~PST_CAPS_ALL) == 0);
	pst_spec_done(&s);
	return 0;
}
