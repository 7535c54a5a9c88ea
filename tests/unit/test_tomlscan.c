#include <criterion/criterion.h>
#include <string.h>

#include "base/buf.h"
#include "core/tomlscan.h"

/* "KIND PATH=VALUE@LINE;" of each statement. */
static int note(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	static const char kinds[] = {'t', 'T', 'k', '#'};
	(void)err;
	pst_buf_fmt(ctx, "%c %s=%.*s@%u;", kinds[s->kind], s->path, (int)s->value_len,
		    s->value != NULL ? s->value : "", s->line);
	return PST_OK;
}

static void scans(const char *text, const char *want)
{
	pst_auto_buf got = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_tomlscan(text, strlen(text), "f", note, &got, &err), PST_OK, "%s: %s", text, err.msg);
	cr_assert_str_eq(pst_buf_cstr(&got), want);
}

static void refuses(const char *text, const char *message)
{
	pst_auto_buf got = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_tomlscan(text, strlen(text), "f", note, &got, &err), PST_E_SPEC, "%s", text);
	cr_assert_str_eq(err.msg, message);
	cr_assert_str_eq(err.file, "f");
}

Test(tomlscan, keys_carry_the_table_they_are_in)
{
	scans("a = 1\n[b.\"c.d\"]\nx.y = 'v'\n[[e]]\nz=true",
	      "k /a=1@1;t /b/c.d=@2;k /b/c.d/x/y='v'@3;T /e=@4;k /e/z=true@5;");
}

Test(tomlscan, crlf_blanks_and_comments)
{
	scans("\r\n  a = 1 # one\r\n\t# own line \r\n [ b . c ]\r\n",
	      "k /a=1@2;# =# own line@3;t /b/c=@4;");
}

Test(tomlscan, nothing_inside_a_value_is_a_statement)
{
	scans("a = '''\n[t]\nb = 1\n# c\n'''\nd = [ # ]\n  \"]\", '[',\n]\ne = \"\"\"x\\\"\"\"\"\"\nf = { g = \"}\" }\n",
	      "k /a='''\n[t]\nb = 1\n# c\n'''@1;k /d=[ # ]\n  \"]\", '[',\n]@6;k /e=\"\"\"x\\\"\"\"\"\"@9;"
	      "k /f={ g = \"}\" }@10;");
}

Test(tomlscan, slashes_in_keys_do_not_make_paths)
{
	scans("[plugins.\"a/b\"]\n", "t /plugins/a~1b=@1;");
}

struct whole {
	const char *text;
	struct pst_buf *out;
};

static int again(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	const struct whole *w = ctx;
	(void)err;
	cr_assert_eq(s->at, w->out->len);
	pst_buf_add(w->out, w->text + s->at, s->end - s->at);
	return PST_OK;
}

Test(tomlscan, places_cover_whole_lines)
{
	/* Put together again, they are the text. */
	static const char text[] = "# c\r\na = [\n 1,\n]\r\n[b]\nc = 2";
	pst_auto_buf got = {0};
	struct whole w = {.text = text, .out = &got};
	cr_assert_eq(pst_tomlscan(text, sizeof text - 1, "f", again, &w, NULL), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&got), text);
}

Test(tomlscan, broken_texts_are_refused_with_the_line)
{
	refuses("a = \"x\n", "line 1: a text does not end");
	refuses("a = '''\nx\n", "line 1: a text of several lines does not end");
	refuses("a = [\n1\n", "line 1: a bracket is not closed");
	refuses("a = 1]\n", "line 1: a bracket closes what was not opened");
	refuses("a = \n", "line 1: a value is missing");
	refuses("a\n", "line 1: no \"=\" behind the key");
	refuses("\n[a\n", "line 2: a table's header does not end");
	refuses("[[a]\n", "line 1: a table's header does not end");
	refuses("[a] b = 1\n", "line 1: something follows where the line should end");
	refuses("a = 1\n\r", "line 1: the file ends in half a line end");
	refuses("]\n", "line 1: not a statement of TOML");
	refuses("{\"json\": 1}\n", "line 1: not a statement of TOML");
}

Test(tomlscan, a_zero_byte_is_refused)
{
	struct pst_err err = {0};
	pst_auto_buf got = {0};
	cr_assert_eq(pst_tomlscan("a=1\0b=2", 7, "f", note, &got, &err), PST_E_SPEC);
}

static void list(void *ctx, const char *s)
{
	pst_buf_fmt(ctx, "%s|", s);
}

Test(tomlscan, strings_of_an_array)
{
	static const char *const good[][2] = {
		{"[]", ""},
		{"[ 'a', \"b\\\\c\" ]", "a|b\\c|"},
		{"[\n  'a', # one ]\n  'b',\n]", "a|b|"},
	};
	for (size_t i = 0; i < PST_NELEM(good); i++) {
		pst_auto_buf got = {0};
		cr_assert(pst_toml_strings(good[i][0], strlen(good[i][0]), list, &got), "%s", good[i][0]);
		cr_assert_str_eq(pst_buf_cstr(&got), good[i][1]);
	}
	static const char *const bad[] = {"", "1", "[1]", "['a' 'b']", "['a'", "'a'", "[['a']]"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		pst_auto_buf got = {0};
		cr_assert_not(pst_toml_strings(bad[i], strlen(bad[i]), list, &got), "%s", bad[i]);
	}
}

Test(tomlscan, a_string_with_another_escape_is_not_guessed_at)
{
	char buf[8];
	cr_assert_not(pst_toml_string("\"a\\u0041\"", 9, buf, sizeof buf));
	cr_assert_not(pst_toml_string("'a' 'b'", 7, buf, sizeof buf));
	cr_assert_not(pst_toml_string("'12345678'", 10, buf, sizeof buf));
	cr_assert(pst_toml_string("'1234567'", 9, buf, sizeof buf));
	cr_assert_str_eq(buf, "1234567");
}
