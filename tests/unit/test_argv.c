#include <criterion/criterion.h>
#include <string.h>

#include "core/argv.h"

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static int count(char **w)
{
	int n = 0;
	while (w[n] != NULL)
		n++;
	return n;
}

static struct pst_argv verb(const char *name, char **w)
{
	struct pst_argv a = {0};
	struct pst_err err = {0};
	const struct pst_verb *v = pst_verb_find(name);
	cr_assert_not_null(v);
	cr_assert_eq(pst_argv_verb(v, count(w), w, &a, &err), PST_OK, "%s", err.msg);
	return a;
}

static void refuses(const char *name, char **w, const char *words)
{
	struct pst_argv a = {.consumed = 77};
	struct pst_err err = {0};
	cr_assert_eq(pst_argv_verb(pst_verb_find(name), count(w), w, &a, &err), PST_E_USAGE, "%s",
		     words);
	cr_assert_str_eq(err.msg, words);
	cr_assert_eq(a.consumed, 77, "failure leaves the output alone");
}

static struct pst_argv globals(char **w)
{
	struct pst_argv a = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_argv_globals(count(w), w, &a, &err), PST_OK, "%s", err.msg);
	return a;
}

Test(argv, both_dashes_and_both_ways_to_give_a_value)
{
	char **forms[] = {
		WORDS("--root", "/r", "list"),
		WORDS("-root", "/r", "list"),
		WORDS("--root=/r", "list"),
		WORDS("-root=/r", "list"),
		WORDS("--root", "/old", "--root=/r", "list"),
		WORDS("--debug", "--root", "/r", "--", "list"),
	};
	for (size_t i = 0; i < PST_NELEM(forms); i++) {
		pst_auto_argv a = globals(forms[i]);
		cr_assert_str_eq(pst_argv_value(&a, "root"), "/r", "form %zu", i);
		cr_assert_eq(a.nargs, 1, "form %zu", i);
		cr_assert_str_eq(a.args[0], "list");
	}
}

Test(argv, a_value_may_begin_with_a_dash_or_be_empty)
{
	pst_auto_argv a = globals(WORDS("--log", "--debug", "--root=", "state", "x"));
	cr_assert_str_eq(pst_argv_value(&a, "log"), "--debug");
	cr_assert_not(pst_argv_on(&a, "debug"));
	cr_assert_str_eq(pst_argv_value(&a, "root"), "");
}

Test(argv, flags_after_the_verb_are_not_global)
{
	pst_auto_argv a = globals(WORDS("--debug", "create", "--root", "/x", "id"));
	cr_assert_eq(a.nflags, 1);
	cr_assert_eq(a.consumed, 1);
	cr_assert_eq(a.nargs, 4);
}

Test(argv, booleans_take_go_s_words_and_never_the_next_one)
{
	pst_auto_argv a = globals(WORDS("--debug=F", "--systemd-cgroup=1", "create"));
	cr_assert_not(pst_argv_on(&a, "debug"));
	cr_assert(pst_argv_has(&a, "debug"));
	cr_assert(pst_argv_on(&a, "systemd-cgroup"));
	struct pst_argv out = {0};
	struct pst_err err = {0};
	char **w = WORDS("--debug=maybe", "create");
	cr_assert_eq(pst_argv_globals(2, w, &out, &err), PST_E_USAGE);
	cr_assert_str_eq(err.msg, "invalid boolean value \"maybe\" for -debug: parse error");
}

Test(argv, an_unknown_global_flag_takes_a_word_that_is_no_verb)
{
	pst_auto_argv a = globals(WORDS("--new", "value", "--other", "create", "id"));
	cr_assert_eq(a.nflags, 2);
	cr_assert_null(a.flags[0].flag);
	cr_assert_str_eq(a.flags[0].value, "value");
	cr_assert_eq(a.flags[0].nwords, 2);
	cr_assert_null(a.flags[1].value);
	cr_assert_str_eq(a.args[0], "create");
}

Test(argv, bad_global_syntax_is_told_as_runc_tells_it)
{
	static const struct {
		char *word;
		const char *msg;
	} bad[] = {
		{"--root", "flag needs an argument: -root"},
		{"---x", "bad flag syntax: ---x"},
		{"--=x", "bad flag syntax: --=x"},
		{"-=x", "bad flag syntax: -=x"},
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_argv a = {0};
		struct pst_err err = {0};
		char *w[] = {bad[i].word, NULL};
		cr_assert_eq(pst_argv_globals(1, w, &a, &err), PST_E_USAGE);
		cr_assert_str_eq(err.msg, bad[i].msg);
	}
}

Test(argv, nothing_at_all_is_no_error)
{
	pst_auto_argv a = {0};
	char *none[] = {NULL};
	cr_assert_eq(pst_argv_globals(0, none, &a, NULL), PST_OK);
	cr_assert_eq(a.nargs, 0);
}

Test(argv, create_finds_the_id_wherever_its_flags_stand)
{
	char **forms[] = {
		WORDS("--bundle", "/b", "id"),
		WORDS("id", "--bundle", "/b"),
		WORDS("-b", "/b", "id"),
		WORDS("--bundle=/b", "id"),
		WORDS("--no-pivot=true", "--bundle", "/b", "--", "id"),
		WORDS("--bundle", "/b", "--no-pivot", "id"),
	};
	for (size_t i = 0; i < PST_NELEM(forms); i++) {
		pst_auto_argv a = verb("create", forms[i]);
		cr_assert_str_eq(pst_argv_value(&a, "bundle"), "/b", "form %zu", i);
		cr_assert_eq(a.nargs, 1);
		cr_assert_str_eq(a.args[0], "id");
	}
}

Test(argv, reordering_has_runc_s_pitfall_too)
{
	/* The word after a flag moves with it, so nothing after is a flag any more. */
	refuses("run", WORDS("-d", "id", "--bundle", "b"),
		"\"run\" requires exactly 1 argument(s)");
	/* and a last flag takes the id */
	refuses("run", WORDS("id", "--bundle"), "\"run\" requires exactly 1 argument(s)");
}

Test(argv, the_number_of_arguments_is_told_as_runc_tells_it)
{
	char *none[] = {NULL};
	refuses("create", none, "\"create\" requires exactly 1 argument(s)");
	refuses("list", WORDS("x"), "\"list\" requires exactly 0 argument(s)");
	refuses("exec", none, "\"exec\" requires a minimum of 1 argument(s)");
	refuses("kill", none, "\"kill\" requires a minimum of 1 argument(s)");
	refuses("kill", WORDS("a", "b", "c"), "\"kill\" requires a maximum of 2 argument(s)");
	refuses("create", WORDS("--bundle"), "flag needs an argument: -bundle");
}

Test(argv, help_asks_for_no_arguments)
{
	pst_auto_argv a = verb("create", WORDS("--help"));
	cr_assert(pst_argv_on(&a, "help"));
	pst_auto_argv b = verb("exec", WORDS("-h"));
	cr_assert(pst_argv_on(&b, "help"));
}

Test(argv, exec_leaves_the_command_s_flags_alone)
{
	pst_auto_argv a = verb("exec", WORDS("-t", "--env", "A=1", "-e", "B=2", "-u=7", "id", "sh",
					     "-t", "--user", "0"));
	cr_assert_eq(a.nargs, 5);
	cr_assert_str_eq(a.args[0], "id");
	cr_assert_str_eq(a.args[2], "-t");
	cr_assert_str_eq(pst_argv_value(&a, "user"), "7");
	cr_assert_eq(a.nflags, 4);
	cr_assert_eq(a.flags[1].at, 1);
	cr_assert_eq(a.consumed, 6);
}

Test(argv, exec_with_an_unknown_flag_must_say_where_its_value_is)
{
	refuses("exec", WORDS("--new", "x", "id", "sh"), "flag provided but not defined: -new");
	pst_auto_argv a = verb("exec", WORDS("--new=x", "id", "sh"));
	cr_assert_str_eq(a.args[0], "id");
	cr_assert_null(a.flags[0].flag);
}

Test(argv, an_unknown_flag_takes_a_word_when_there_is_one_too_many)
{
	pst_auto_argv a = verb("create", WORDS("--new", "value", "id"));
	cr_assert_str_eq(a.args[0], "id");
	cr_assert_str_eq(a.flags[0].value, "value");
	pst_auto_argv b = verb("create", WORDS("--new", "id"));
	cr_assert_str_eq(b.args[0], "id");
	cr_assert_null(b.flags[0].value);
	pst_auto_argv c = verb("create", WORDS("--new=value", "id"));
	cr_assert_str_eq(c.args[0], "id");
}

Test(argv, a_lone_dash_is_an_argument)
{
	pst_auto_argv a = verb("update", WORDS("-r", "-", "id"));
	cr_assert_str_eq(pst_argv_value(&a, "resources"), "-");
	cr_assert_str_eq(a.args[0], "id");
}

Test(argv, every_verb_has_help_and_no_flag_name_twice)
{
	for (const struct pst_verb *v = pst_verbs; v->name != NULL; v++) {
		cr_assert_not_null(pst_flag_find(v->flags, "help", 4), "%s", v->name);
		for (const struct pst_flag *f = v->flags; f->name != NULL; f++) {
			cr_assert_eq(pst_flag_find(v->flags, f->name, strlen(f->name)), f, "%s %s",
				     v->name, f->name);
			if (f->alt != '\0')
				cr_assert_eq(pst_flag_find(v->flags, &f->alt, 1), f, "%s -%c",
					     v->name, f->alt);
		}
	}
}
