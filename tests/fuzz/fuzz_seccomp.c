/*
 * A profile from anybody, met with the shipped one: what the result allows, both
 * allow (I-1); printed and read back it is the same set (I-7).
 */
#include "core/json.h"
#include "core/profiles.h"
#include "core/scmeet.h"
#include "core/scprof.h"
#include "target.h"

static struct pst_scprof *shipped(void)
{
	static struct pst_scprof *p;
	if (p != NULL)
		return p;
	size_t len = 0;
	const char *text = pst_profile_builtin("baseline", &len);
	PST_HOLDS(text != NULL);
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	PST_HOLDS(pst_json_parse(text, len, "baseline", &pst_json_oci, &j, &err) == PST_OK);
	PST_HOLDS(pst_scprof_parse(j, "", NULL, &p, &err) == PST_OK);
	return p;
}

/* Some calls with some arguments, the same each time. */
static void compare(const struct pst_scprof *a, const struct pst_scprof *b,
		    const struct pst_scprof *both)
{
	static const uint64_t values[] = {0, 1, 2, 16, 0x10000000, 0x100000000, UINT64_MAX};
	for (uint32_t nr = 0; nr < 470; nr += 3)
		for (size_t i = 0; i < PST_NELEM(values); i++) {
			const uint64_t args[PST_NARGS] = {values[i], values[(i + nr) % 7],
							  values[(i * 3) % 7]};
			if (pst_scret_denies(pst_sceval(a, nr, args)) ||
			    pst_scret_denies(pst_sceval(b, nr, args)))
				PST_HOLDS(pst_scret_denies(pst_sceval(both, nr, args)));
		}
}

/* Print a profile; *ret gets the text. */
static json_t *emitted(const struct pst_scprof *p, struct pst_buf *ret)
{
	json_t *j = pst_scprof_emit(p);
	PST_HOLDS(j != NULL && pst_json_dump(j, PST_JSON_COMPACT, ret, NULL) == PST_OK);
	return j;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pst_scmeet_opts opts = {0};
	pst_auto_json *j = NULL;
	pst_auto_scprof *caller = NULL, *both = NULL, *again = NULL;
	struct pst_err err = {0};
	if (pst_json_parse((const char *)data, size, "fuzz", &pst_json_oci, &j, &err) != PST_OK)
		return 0;
	if (pst_scprof_parse(j, "", NULL, &caller, &err) != PST_OK) {
		PST_HOLDS(caller == NULL && err.code != PST_OK);
		return 0;
	}
	if (pst_scmeet(caller, shipped(), &opts, NULL, &both, &err) != PST_OK)
		return 0;
	compare(caller, shipped(), both);

	pst_auto_buf once = {0}, twice = {0};
	pst_auto_json *text = emitted(both, &once);
	PST_HOLDS(pst_scprof_parse(text, "", NULL, &again, &err) == PST_OK);
	pst_auto_json *text_again = emitted(again, &twice);
	PST_HOLDS(text_again != NULL && strcmp(pst_buf_cstr(&once), pst_buf_cstr(&twice)) == 0);
	return 0;
}
