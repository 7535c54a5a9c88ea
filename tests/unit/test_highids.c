#include <criterion/criterion.h>
#include <string.h>

#include "core/highids.h"
#include "core/json.h"

/* The ids of a process with these members of "user", and of the annotation (NULL: none); *ret is filled on PST_OK. */
static int read_both(const char *user, const char *named, struct pst_highids *ret, struct pst_err *err)
{
	char text[2048], note[1024] = "";
	struct pst_spec s = {0};
	pst_auto_json *tree = NULL;
	if (named != NULL)
		snprintf(note, sizeof note, ",\"annotations\":{\"postern/ids\":\"%s\"}", named);
	snprintf(text, sizeof text,
		 "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/\",\"user\":%s},"
		 "\"root\":{\"path\":\"r\"}%s}", user, note);
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &tree, err), PST_OK);
	cr_assert_eq(pst_spec_parse(tree, &s, err), PST_OK, "%s", err->msg);
	const int rc = pst_highids_read(&s, 1900019712, ret, err);
	pst_spec_done(&s);
	return rc;
}

static int read_user(const char *user, struct pst_highids *ret, struct pst_err *err)
{
	return read_both(user, NULL, ret, err);
}

Test(highids, each_id_above_the_block_is_mapped_once_in_rising_order)
{
	struct pst_highids h;
	struct pst_err err = {0};
	cr_assert_eq(read_user("{\"uid\":1000650000,\"gid\":70000,\"additionalGids\":[5,1000650000,65536,65535]}", &h, &err),
		     PST_OK, "%s", err.msg);
	cr_assert_eq(h.n, 3);
	cr_assert_eq(h.v[0].container, 65536);
	cr_assert_eq(h.v[1].container, 70000);
	cr_assert_eq(h.v[2].container, 1000650000);
	for (size_t i = 0; i < h.n; i++) {
		cr_assert_eq(h.v[i].host, 1900019712 + i);
		cr_assert_eq(h.v[i].count, 1);
	}
	cr_assert(pst_highids_has(&h, 70000));
	cr_assert_not(pst_highids_has(&h, 70001));
	cr_assert_not(pst_highids_has(&h, 5));
}

Test(highids, ordinary_ids_need_no_mapping)
{
	struct pst_highids h;
	struct pst_err err = {0};
	cr_assert_eq(read_user("{\"uid\":65535,\"gid\":0}", &h, &err), PST_OK);
	cr_assert_eq(h.n, 0);
}

Test(highids, more_than_a_workload_has_is_refused)
{
	char user[1024] = "{\"uid\":0,\"gid\":0,\"additionalGids\":[65536";
	struct pst_highids h = {.n = 7};
	struct pst_err err = {0};
	for (int i = 1; i <= PST_HIGHIDS_MAX; i++)
		snprintf(user + strlen(user), sizeof user - strlen(user), ",%d", 65536 + i);
	snprintf(user + strlen(user), sizeof user - strlen(user), "]}");
	cr_assert_eq(read_user(user, &h, &err), PST_E_SPEC);
	cr_assert_str_eq(err.pointer, "/process/user/additionalGids/32");
	cr_assert_eq(h.n, 7);
}

Test(highids, those_an_annotation_names_come_along)
{
	struct pst_highids h;
	struct pst_err err = {0};
	cr_assert_eq(read_both("{\"uid\":1000650000,\"gid\":0}", "200000,5,1000650000,4294967294", &h, &err), PST_OK, "%s",
		     err.msg);
	cr_assert_eq(h.n, 3);
	cr_assert_eq(h.v[0].container, 200000);
	cr_assert_eq(h.v[1].container, 1000650000);
	cr_assert_eq(h.v[2].container, 4294967294U);
	cr_assert_eq(h.v[2].host, 1900019714);
}

Test(highids, an_annotation_that_is_no_list_of_ids_is_refused)
{
	static const char *const bad[] = {"", ",", "70000,", "70000,,1", " 70000", "-70000", "+70000", "70000-80000",
					  "0x11170", "4294967295", "99999999999999999999999", "root"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_highids h = {.n = 7};
		struct pst_err err = {0};
		cr_assert_eq(read_both("{\"uid\":0,\"gid\":0}", bad[i], &h, &err), PST_E_SPEC, "%s", bad[i]);
		cr_assert_str_eq(err.pointer, "/annotations/postern~1ids");
		cr_assert(err.cure[0] != '\0');
		cr_assert_eq(h.n, 7);
	}
}

Test(highids, an_annotation_of_more_ids_than_a_workload_has_is_refused)
{
	char named[512] = "65536";
	struct pst_highids h = {.n = 7};
	struct pst_err err = {0};
	for (int i = 1; i <= PST_HIGHIDS_MAX; i++)
		snprintf(named + strlen(named), sizeof named - strlen(named), ",%d", 65536 + i);
	cr_assert_eq(read_both("{\"uid\":0,\"gid\":0}", named, &h, &err), PST_E_SPEC);
	cr_assert_eq(h.n, 7);
}

Test(highids, what_was_written_down_is_read_back)
{
	const struct pst_highids h = {.v = {{70000, 1900019712, 1}, {1000650000, 1900019713, 1}}, .n = 2};
	struct pst_highids back;
	pst_auto_json *j = pst_highids_json(&h);
	cr_assert(pst_highids_parse(j, &back));
	cr_assert_eq(back.n, 2);
	cr_assert_eq(memcmp(back.v, h.v, 2 * sizeof h.v[0]), 0);
	cr_assert(pst_highids_parse(NULL, &back));
	cr_assert_eq(back.n, 0);
}

Test(highids, a_mapping_of_host_root_or_into_the_block_is_not_believed)
{
	static const char *const bad[] = {"{}", "[{}]", "[{\"container\":5,\"host\":1900019712}]",
					  "[{\"container\":70000,\"host\":0}]",
					  "[{\"container\":70000,\"host\":4294967295}]"};
	struct pst_highids h;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		pst_auto_json *j = NULL;
		cr_assert_eq(pst_json_parse(bad[i], strlen(bad[i]), "t", &pst_json_oci, &j, NULL), PST_OK);
		cr_assert_not(pst_highids_parse(j, &h), "%s", bad[i]);
	}
}
