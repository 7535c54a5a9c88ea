/* A policy from a damaged file: whole or refused, and every grant has a word. */
#include "core/json.h"
#include "core/policy.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"fuzz.json"};
	static const char *const classes[] = {NULL, "untrusted"};
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	if (pst_json_parse((const char *)data, size, names[0], &pst_json_oci, &j, &err) != PST_OK)
		return 0;

	json_t *const docs[] = {j};
	for (size_t i = 0; i < PST_NELEM(classes); i++) {
		struct pst_policy p = {0};
		if (pst_policy_build(docs, names, 1, classes[i], &p, &err) != PST_OK) {
			PST_HOLDS(err.code != PST_OK && err.msg[0] != '\0');
			continue;
		}
		PST_HOLDS(p.runtime_path != NULL && p.profile_default != NULL);
		for (int k = 0; k < PST_G_COUNT; k++)
			PST_HOLDS(pst_grant_word(p.grants[k]) != NULL);
		pst_policy_done(&p);
	}
	return 0;
}
