#include <criterion/criterion.h>
#include <string.h>

#include "containerd/args.h"
#include "containerd/toml.h"

static struct pst_shim_args parse(int argc, const char *const *argv)
{
	struct pst_shim_args a;
	struct pst_err err = {0};
	cr_assert_eq(pst_shim_args_parse(argc, (char **)argv, &a, &err), PST_OK, "%s", err.msg);
	return a;
}

Test(shimargs, containerd_words_are_taken_in_either_spelling)
{
	const char *v[] = {"shim", "-namespace", "default", "--address=/run/c.sock", "-publish-binary",
			   "/usr/bin/containerd", "-id", "t1", "-debug", "-bundle", "/b", "delete"};
	const struct pst_shim_args a = parse(12, v);
	cr_assert_str_eq(a.namespace_, "default");
	cr_assert_str_eq(a.address, "/run/c.sock");
	cr_assert_str_eq(a.id, "t1");
	cr_assert_str_eq(a.bundle, "/b");
	cr_assert_str_eq(a.action, "delete");
	cr_assert(a.debug && !a.info && !a.version);
}

Test(shimargs, unknown_flags_and_missing_values_are_refused)
{
	static const char *const bad[][2] = {{"shim", "-nonsense"}, {"shim", "-id"}};
	for (size_t i = 0; i < 2; i++) {
		struct pst_shim_args a;
		struct pst_err err = {0};
		cr_assert_eq(pst_shim_args_parse(2, (char **)bad[i], &a, &err), PST_E_USAGE);
		cr_assert_neq(err.msg[0], '\0');
	}
}

static int collect(void *ctx, const char *key, const char *value, struct pst_err *err)
{
	char *out = ctx;
	(void)err;
	const size_t n = strlen(out);
	snprintf(out + n, 256 - n, "%s=%s;", key, value);
	return PST_OK;
}

static void reads(const char *text, const char *want)
{
	char got[256] = "";
	struct pst_err err = {0};
	cr_assert_eq(pst_toml_read(text, strlen(text), collect, got, &err), PST_OK, "%s", err.msg);
	cr_assert_str_eq(got, want);
}

Test(toml, keys_of_the_options_table_are_read)
{
	reads("", "");
	reads("BinaryName = \"/usr/bin/runc\" # why\n\nSystemdCgroup = true\nIoUid=7",
	      "BinaryName=/usr/bin/runc;SystemdCgroup=true;IoUid=7;");
	reads("[plugins.x]\nother = 1\n[a.options]\nRoot = 'C:\\x'\n", "Root=C:\\x;");
	reads("Class = \"a\\\"b\\\\c\"", "Class=a\"b\\c;");
}

Test(toml, what_is_not_known_is_refused_by_line)
{
	static const char *const bad[] = {"a", "a =", "= 1", "a = \"x", "a = 1 2", "[x", "[[x]]",
					  "a = \"\\u0041\""};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char got[256] = "";
		struct pst_err err = {0};
		cr_assert_eq(pst_toml_read(bad[i], strlen(bad[i]), collect, got, &err), PST_E_SPEC, "%s",
			     bad[i]);
		cr_assert(strstr(err.msg, "line 1") != NULL);
	}
}
