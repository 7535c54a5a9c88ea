#include <criterion/criterion.h>
#include <string.h>

#include "core/denial.h"

#define LINE(id, call, exe, errno_, count)                                                     \
	"{\"time\":\"2026-01-31T12:00:0" #count ".000Z\",\"id\":\"" id "\",\"syscall\":\"" call    \
	"\",\"args\":\"a\",\"pid\":7,\"pidInside\":1,\"comm\":\"c\",\"exe\":\"" exe                 \
	"\",\"origin\":\"/l+0x1\",\"action\":\"deny\",\"errno\":\"" errno_                         \
	"\",\"profile\":\"p\",\"deniedBy\":\"profile\",\"why\":\"w\",\"allow\":{\"names\":[\"" call \
	"\"]},\"count\":" #count ",\"total\":9}"

static void add(struct pst_denials *d, const char *line)
{
	struct pst_err err = {0};
	json_t *r = pst_denial_parse(line, strlen(line));
	cr_assert_not_null(r, "%s", line);
	cr_assert_eq(pst_denials_add(d, r, &err), PST_OK);
	json_decref(r);
}

Test(denial, what_is_no_record_is_none)
{
	static const char *const bad[] = {"", "{", "[]", "{\"id\":\"x\"}", "{\"syscall\":\"x\"}", "null"};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_expect_null(pst_denial_parse(bad[i], strlen(bad[i])), "%s", bad[i]);
}

Test(denial, lines_of_one_kind_are_one_group)
{
	pst_auto_denials d = {0};
	add(&d, LINE("a", "mount", "/x", "EPERM", 1));
	add(&d, LINE("a", "mount", "/x", "EPERM", 4));
	add(&d, LINE("a", "mount", "/y", "EPERM", 2));
	add(&d, LINE("b", "mount", "/x", "EPERM", 2));
	add(&d, LINE("a", "mount", "/x", "ENOSYS", 2));
	cr_expect_eq(d.n, 4);
	cr_expect_eq(d.v[0].count, 5);
	cr_expect_str_eq(d.v[0].last, "2026-01-31T12:00:04.000Z");
}

Test(denial, a_line_without_a_process_counts_with_its_call)
{
	pst_auto_denials d = {0};
	add(&d, LINE("a", "mount", "/x", "EPERM", 1));
	add(&d, "{\"time\":\"t\",\"id\":\"a\",\"syscall\":\"mount\",\"action\":\"deny\",\"errno\":\"EPERM\","
		"\"count\":40}");
	cr_expect_eq(d.n, 1);
	cr_expect_eq(d.v[0].count, 41);
}

Test(denial, filter_by_id_time_and_origin)
{
	const char *line = LINE("a", "mount", "/x", "EPERM", 5);
	json_t *r = pst_denial_parse(line, strlen(line));
	const struct pst_denial_filter all = {0}, other = {.id = "b"};
	const struct pst_denial_filter later = {.since = "2026-01-31T12:00:06"};
	const struct pst_denial_filter before = {.since = "2026-01-31T12:00:04"};
	cr_expect(pst_denial_matches(r, &all));
	cr_expect_not(pst_denial_matches(r, &other));
	cr_expect_not(pst_denial_matches(r, &later));
	cr_expect(pst_denial_matches(r, &before));
	json_object_set_new(r, "runtime", json_true());
	cr_expect_not(pst_denial_matches(r, &all));
	json_decref(r);
}

Test(denial, the_function_it_was_made_from_is_beside_the_file)
{
	pst_auto_denials d = {0};
	pst_auto_buf out = {0};
	pst_auto_buf line = {0};
	struct pst_err err = {0};
	static const char text[] = LINE("a", "mount", "/bin/x", "EPERM", 3);
	json_t *r = pst_denial_parse(text, strlen(text));
	json_object_set_new(r, "symbol", json_string("mount+0xb"));
	cr_assert_eq(pst_denials_add(&d, r, &err), PST_OK);
	cr_assert_eq(pst_denials_text(&d, &out, &err), PST_OK);
	cr_expect_not_null(strstr(pst_buf_cstr(&out), ", from /l+0x1 (mount+0xb)\n"), "%s", pst_buf_cstr(&out));
	pst_denial_line(r, &line);
	cr_expect_not_null(strstr(pst_buf_cstr(&line), " by c[1] /bin/x, profile p, from /l+0x1 (mount+0xb)\n"), "%s",
			   pst_buf_cstr(&line));
	json_decref(r);
}

Test(denial, text_names_who_what_why_and_the_cure)
{
	pst_auto_denials d = {0};
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	add(&d, LINE("a", "mount", "/bin/x", "EPERM", 3));
	cr_assert_eq(pst_denials_text(&d, &out, &err), PST_OK);
	static const char *const want[] = {"a  profile p", "mount  EPERM  3 times", "by c, /bin/x, process 1 (7 on the host)",
					   "from /l+0x1", "mount(a)", "denied because: w", "{\"names\":[\"mount\"]}"};
	for (size_t i = 0; i < PST_NELEM(want); i++)
		cr_expect_not_null(strstr(pst_buf_cstr(&out), want[i]), "%s in\n%s", want[i], pst_buf_cstr(&out));
}
