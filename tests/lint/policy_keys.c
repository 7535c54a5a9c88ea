/* Every key of the policy, as the code has it, one JSON object a line: for policy_page.py. */
#include <inttypes.h>
#include <stdio.h>

#include "core/policy_priv.h"

static const char *kind(const struct policy_key *k)
{
	switch (k->kind) {
	case PST_PK_OBJECT:
		return "object";
	case PST_PK_CLASSES:
		return "classes";
	case PST_PK_BOOL:
		return "bool";
	case PST_PK_WORD:
	case PST_PK_SWITCH:
		return "word";
	case PST_PK_NUMBER:
		return "number";
	case PST_PK_QUANTITY:
		return k->unit == PST_QUANTITY_MILLI ? "milli" : k->unit == PST_QUANTITY_BITS ? "bits" : "amount";
	case PST_PK_TEXT:
		return "text";
	case PST_PK_LIST:
		return "list";
	case PST_PK_CAPS:
		return "caps";
	}
	return "?";
}

static void words(const char *name, const char *const *v)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; v != NULL && v[i] != NULL; i++)
		printf("%s\"%s\"", i == 0 ? "" : ",", v[i]);
	printf("]");
}

int main(void)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++) {
		const struct policy_key *k = &pst_policy_keys[i];
		printf("{\"pointer\":\"%s\",\"kind\":\"%s\",\"null\":%d,\"top\":%d", k->pointer,
		       kind(k), (k->flags & PST_PF_NULL) != 0, (k->flags & PST_PF_TOP_ONLY) != 0);
		printf(",\"min\":%" PRIu64 ",\"max\":%" PRIu64, k->min, k->max);
		words("words", k->words);
		words("refused", k->later);
		printf("}\n");
	}
	return 0;
}
