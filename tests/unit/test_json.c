#include <criterion/criterion.h>
#include <string.h>

#include "core/json.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, &err), PST_OK, "%s",
		     err.msg);
	return j;
}

static struct pst_err refused(const char *text, size_t len)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, len, "t.json", &pst_json_oci, &j, &err), PST_E_SPEC, "accepted: %.*s", (int)len, text);
	cr_assert_null(j);
	cr_assert_str_eq(err.file, "t.json");
	return err;
}

Test(json, numbers_keep_their_source_text)
{
	const char *text = "{\"a\":18446744073709551615,\"b\":1.10,\"c\":1e3,\"d\":-0,\"e\":-7,\"f\":"
			   "[9223372036854775807,9223372036854775808]}";
	pst_auto_json *j = parse(text);
	pst_auto_json *copy = pst_json_copy(j);
	pst_auto_buf out = {0};
	cr_assert_eq(pst_json_dump(copy, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), text);

	uint64_t u = 0;
	cr_assert(pst_json_u64(pst_json_at(j, "/a"), &u));
	cr_assert_eq(u, UINT64_MAX);
	cr_assert_null(pst_json_str(pst_json_at(j, "/a")), "a raw number must not pass as a string");
	cr_assert_not(pst_json_u64(pst_json_at(j, "/b"), &u));
}

Test(json, big_numbers_made_here_print_as_numbers)
{
	pst_auto_json *j = json_pack("[o,o]", pst_json_from_u64(UINT64_MAX), pst_json_from_u64(5));
	pst_auto_buf out = {0};
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), "[18446744073709551615,5]");
}

Test(json, faults_name_line_column_and_pointer)
{
	const char *dup = "{\n \"a\": [1, {\"x~/y\": 1,\n \"x~/y\": 2}]}";
	struct pst_err err = refused(dup, strlen(dup));
	cr_assert(strstr(err.msg, "line 3") != NULL, "%s", err.msg);
	cr_assert(strstr(err.msg, "duplicate key") != NULL, "%s", err.msg);
	cr_assert_str_eq(err.pointer, "/a/1/x~0~1y");
}

Test(json, refuses_what_readers_disagree_on)
{
	static const char *const bad[] = {
		"",	 "{",		 "{} {}",	  "{\"a\":1,}",	 "[1 2]",
		"{a:1}", "\"\xff\xfe\"", "\"a\\u0000b\"", "nul",	 "[01]",
		"[NaN]", "/* c */ {}",	 "[\"\xc0\x80\"]", "{\"\\u0000\":1}",
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		refused(bad[i], strlen(bad[i]));
}

Test(json, depth_and_size_are_bounded)
{
	char deep[400];
	memset(deep, '[', sizeof deep);
	struct pst_err err = refused(deep, sizeof deep);
	cr_assert(strstr(err.msg, "deeper than 64") != NULL, "%s", err.msg);

	const struct pst_json_limits tiny = {.bytes = 4, .depth = 4};
	json_t *j = NULL;
	cr_assert_eq(pst_json_parse("[1,2]", 5, "t", &tiny, &j, &err), PST_E_SPEC);
}

Test(json, put_makes_the_way_and_removes)
{
	pst_auto_json *j = parse("{\"l\":{\"n\":[{\"t\":\"pid\"}]}}");
	cr_assert(pst_json_put(j, "/l/n/-", json_pack("{s:s}", "t", "user")));
	cr_assert(pst_json_put(j, "/p/q", json_true()));
	cr_assert(pst_json_put(j, "/l/n/0", NULL));
	cr_assert(pst_json_put(j, "/none/there", NULL), "removing what is absent succeeds");
	cr_assert_not(pst_json_put(j, "/l/n/x", json_true()));
	pst_auto_buf out = {0};
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), "{\"l\":{\"n\":[{\"t\":\"user\"}]},\"p\":{\"q\":true}}");
}

Test(json, pointer_push_escapes_and_never_cuts_a_key)
{
	char p[16] = "/a";
	pst_json_pointer_push(p, sizeof p, "b~/c");
	cr_assert_str_eq(p, "/a/b~0~1c");
	pst_json_pointer_push(p, sizeof p, "toolong");
	cr_assert_str_eq(p, "/a/b~0~1c");
	pst_json_pointer_push(p, sizeof p, "defgh");
	cr_assert_str_eq(p, "/a/b~0~1c/defgh");
}
