/* What the first look lets through prints, and what was printed reads back as the same text. */
#include "core/json.h"
#include "target.h"

static json_t *read_back(const struct pst_buf *b)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	const struct pst_json_limits lim = {.bytes = (size_t)64 << 20, .depth = 64};
	PST_HOLDS(pst_json_parse(pst_buf_cstr(b), b->len, "printed", &lim, &j, &err) == PST_OK);
	return j;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	if (pst_json_parse((const char *)data, size, "fuzz", &pst_json_oci, &j, &err) != PST_OK) {
		PST_HOLDS(j == NULL && err.code != PST_OK && err.msg[0] != '\0');
		return 0;
	}
	PST_HOLDS(j != NULL && err.code == PST_OK);

	pst_auto_buf once = {0}, twice = {0};
	pst_auto_json *copy = pst_json_copy(j);
	PST_HOLDS(copy != NULL && pst_json_dump(copy, PST_JSON_COMPACT, &once, &err) == PST_OK);
	pst_auto_json *again = read_back(&once);
	PST_HOLDS(pst_json_dump(again, PST_JSON_COMPACT, &twice, &err) == PST_OK);
	PST_HOLDS(strcmp(pst_buf_cstr(&once), pst_buf_cstr(&twice)) == 0);
	return 0;
}
