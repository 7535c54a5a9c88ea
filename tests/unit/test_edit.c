#include <criterion/criterion.h>
#include <string.h>

#include "core/edit.h"
#include "core/json.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, NULL), PST_OK);
	return j;
}

static void check_dump(const json_t *j, const char *want)
{
	pst_auto_buf out = {0};
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), want);
}

Test(edit, applies_in_order_and_leaves_the_rest_as_it_stood)
{
	pst_auto_json *t = parse("{\"x\":1.10,\"p\":{\"args\":[\"a\",\"b\"]},\"gone\":1}");
	pst_auto_edits l = {0};
	pst_edit_set(&l, "/p/nnp", json_true(), "s", "because %d", 1);
	pst_edit_set(&l, "/p/args/-", json_string("c"), "s", "r");
	pst_edit_remove(&l, "/p/args/0", "s", "r");
	pst_edit_remove(&l, "/gone", "s", "r");
	pst_edit_remove(&l, "/never/there", "s", "r");
	pst_edit_set(&l, "/p/nnp", json_false(), "s", "r");
	cr_assert_eq(pst_edits_apply(&l, t, NULL), PST_OK);
	check_dump(t, "{\"x\":1.10,\"p\":{\"args\":[\"b\",\"c\"],\"nnp\":false}}");
	cr_assert_str_eq(l.v[0].reason, "because 1");
}

Test(edit, a_value_that_could_not_be_made_is_never_a_removal)
{
	pst_auto_json *t = parse("{\"a\":1}");
	pst_auto_edits l = {0};
	pst_edit_set(&l, "/a", NULL, "s", "r");
	struct pst_err err = {0};
	cr_assert_eq(pst_edits_apply(&l, t, &err), PST_E_NOMEM);
	cr_assert_null(pst_edits_json(&l));
	check_dump(t, "{\"a\":1}");
}

Test(edit, list_survives_changes_of_the_tree_it_was_applied_to)
{
	pst_auto_json *t = parse("{}");
	pst_auto_edits l = {0};
	pst_edit_set(&l, "/d", json_pack("[i]", 1), "s", "r");
	cr_assert_eq(pst_edits_apply(&l, t, NULL), PST_OK);
	cr_assert(pst_json_put(t, "/d/-", json_integer(2)));
	check_dump(l.v[0].value, "[1]");
}

Test(edit, a_pointer_through_a_number_is_an_error_naming_it)
{
	pst_auto_json *t = parse("{\"a\":5}");
	pst_auto_edits l = {0};
	pst_edit_set(&l, "/a/b", json_true(), "s", "r");
	struct pst_err err = {0};
	cr_assert_eq(pst_edits_apply(&l, t, &err), PST_E_SPEC);
	cr_assert_str_eq(err.pointer, "/a/b");
}

Test(edit, json_names_operation_reason_and_source_and_survives_odd_bytes)
{
	pst_auto_edits l = {0};
	pst_edit_set(&l, "/n", pst_json_from_u64(UINT64_MAX), "/etc/\xff.json", "r");
	pst_edit_remove(&l, "/m", "s", "why");
	pst_auto_json *j = pst_edits_json(&l);
	check_dump(j, "[{\"op\":\"set\",\"pointer\":\"/n\",\"value\":18446744073709551615,"
		      "\"reason\":\"r\",\"source\":\"/etc/?.json\"},"
		      "{\"op\":\"remove\",\"pointer\":\"/m\",\"reason\":\"why\",\"source\":\"s\"}]");
}
