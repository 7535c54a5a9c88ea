#include <criterion/criterion.h>
#include <string.h>

#include "core/linediff.h"
#include "core/owntext.h"
#include "core/wireplan.h"

static struct pst_own_block find(const char *text)
{
	struct pst_own_block b = {.there = false};
	struct pst_err err = {0};
	cr_assert_eq(pst_own_block_find(text, strlen(text), "f", &b, &err), PST_OK, "%s", err.msg);
	return b;
}

/* `text` with a block of `body` (NULL: without one). The caller frees. */
static char *with(const char *text, const char *body)
{
	pst_auto_buf out = {0};
	const struct pst_own_block b = find(text);
	pst_own_block_put(text, strlen(text), &b, body, &out);
	return pst_buf_take(&out);
}

Test(owntext, a_block_goes_in_and_comes_out_to_the_byte)
{
	static const char *const texts[] = {
		"", "a = 1\n", "a = 1", "a = 1\r\n", "a = 1\r\nb = 2", "\n\n", "# only\n", "a = '''\n# x\n'''",
	};
	for (size_t i = 0; i < PST_NELEM(texts); i++) {
		pst_auto_free char *in = with(texts[i], "[t]\nx = 1\n");
		cr_assert(find(in).there && find(in).intact, "%s", texts[i]);
		pst_auto_free char *again = with(in, "[t]\nx = 1\n");
		cr_assert_str_eq(again, in);
		pst_auto_free char *other = with(in, "[u]\n");
		pst_auto_free char *out = with(other, NULL);
		cr_assert_str_eq(out, texts[i]);
	}
}

Test(owntext, line_ends_are_the_files_own)
{
	pst_auto_free char *in = with("a = 1\r\n", "[t]\n");
	for (const char *p = in; (p = strchr(p, '\n')) != NULL; p++)
		cr_assert_eq(p[-1], '\r');
}

Test(owntext, what_came_behind_the_block_stays)
{
	pst_auto_buf more = {0};
	pst_auto_free char *in = with("a = 1", "[t]\n");
	pst_buf_fmt(&more, "%s[theirs]\ny = 1\n", in);
	pst_auto_free char *out = with(pst_buf_cstr(&more), NULL);
	cr_assert_str_eq(out, "a = 1\n[theirs]\ny = 1\n");
}

Test(owntext, an_edited_block_is_not_intact)
{
	pst_auto_free char *in = with("a = 1\n", "[t]\nx = 1\n");
	*strstr(in, "x = 1") = 'y';
	cr_assert(find(in).there);
	cr_assert_not(find(in).intact);
}

Test(owntext, damaged_marks_are_refused_with_the_line)
{
	static const char *const bad[][2] = {
		{"# postern install: end\n", "line 1: the end of a block of `postern install`, without its begin"},
		{"\n# postern install: begin 0123456789abcdef\n", "line 2: a block of `postern install` without its end"},
		{"# postern install: begin 0\n# postern install: end\n# postern install: begin 1\n",
		 "line 3: a second block of `postern install`"},
		{"# postern install: begin 0\n# postern install: begin 0\n", "line 2: a second block of `postern install`"},
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_own_block b;
		struct pst_err err = {0};
		cr_assert_eq(pst_own_block_find(bad[i][0], strlen(bad[i][0]), "f", &b, &err), PST_E_SPEC);
		cr_assert_str_eq(err.msg, bad[i][1]);
		cr_assert_neq(err.cure[0], '\0');
	}
}

Test(owntext, a_mark_inside_a_text_is_none)
{
	cr_assert_not(find("a = '''\n# postern install: begin 0123456789abcdef\n'''\n").there);
}

Test(owntext, files_of_ours_are_known_by_their_first_line_and_digest)
{
	pst_auto_buf f = {0};
	bool folder = false;
	pst_own_file_put("[t]\n", true, &f);
	cr_assert_eq(pst_own_file_is(f.data, f.len, &folder), PST_OWN_INTACT);
	cr_assert(folder);
	cr_assert_eq(pst_own_file_is(f.data, f.len - 1, &folder), PST_OWN_EDITED);
	cr_assert_eq(pst_own_file_is("[t]\n", 4, &folder), PST_OWN_FOREIGN);
	cr_assert_eq(pst_own_file_is("", 0, &folder), PST_OWN_FOREIGN);
	cr_assert_eq(pst_own_file_is("# postern install: file", 23, &folder), PST_OWN_FOREIGN);
	cr_assert_eq(pst_own_file_is("# postern install: file \n", 25, &folder), PST_OWN_EDITED);
}

Test(owntext, a_foreign_or_edited_file_is_never_planned_over)
{
	static const char *const texts[] = {"theirs\n", "# postern install: file 0123456789abcdef\nx\n"};
	for (size_t i = 0; i < PST_NELEM(texts); i++)
		for (int remove = 0; remove < 2; remove++) {
			pst_auto_buf old = {0};
			pst_auto_wireplan p = {0};
			struct pst_err err = {0};
			pst_buf_str(&old, texts[i]);
			cr_assert_eq(pst_wireplan_own(&p, "/f", &old, remove ? NULL : "b\n", false, &err),
				     PST_E_STATE);
			cr_assert_eq(p.n, 0);
			cr_assert_neq(err.cure[0], '\0');
		}
}

Test(owntext, the_folder_is_remembered_in_the_file)
{
	pst_auto_wireplan p = {0}, q = {0};
	cr_assert_eq(pst_wireplan_own(&p, "/d/f", NULL, "b\n", true, NULL), PST_OK);
	cr_assert_eq(p.n, 1);
	pst_auto_buf now = {0};
	pst_buf_add(&now, p.v[0].after, p.v[0].after_len);
	cr_assert_eq(pst_wireplan_own(&q, "/d/f", &now, "b\n", false, NULL), PST_OK);
	cr_assert_eq(q.n, 0, "the same once more is no change");
	cr_assert_eq(pst_wireplan_own(&q, "/d/f", &now, NULL, false, NULL), PST_OK);
	cr_assert(q.n == 1 && q.v[0].folder && q.v[0].after == NULL);
}

static void differs(const char *a, const char *b, const char *want)
{
	pst_auto_buf out = {0};
	pst_linediff("/f", a, a != NULL ? strlen(a) : 0, b, b != NULL ? strlen(b) : 0, &out);
	cr_assert_str_eq(pst_buf_cstr(&out), want);
}

Test(owntext, linediff_shows_what_changes_and_nothing_else)
{
	differs("a\n", "a\n", "");
	differs(NULL, NULL, "");
	differs("secret\n", "secret\nb\n", "--- /f\n+++ /f\n@@ -1,0 +2,1 @@\n+b\n");
	differs("a\nb\nc\n", "a\nc\n", "--- /f\n+++ /f\n@@ -2,1 +1,0 @@\n-b\n");
	differs("a", "a\nb\n", "--- /f\n+++ /f\n@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n");
	differs(NULL, "a\n", "--- /dev/null\n+++ /f\n@@ -0,0 +1,1 @@\n+a\n");
	differs("a\n", NULL, "--- /f\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
	differs(NULL, "", "--- /dev/null\n+++ /f\n@@ -0,0 +0,0 @@\n");
	differs("x\n", "x\n\033[2J\n", "--- /f\n+++ /f\n@@ -1,0 +2,1 @@\n+\\x1b[2J\n");
}
