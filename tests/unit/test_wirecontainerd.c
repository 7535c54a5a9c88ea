#include <criterion/criterion.h>
#include <string.h>

#include "core/wirecontainerd.h"

#define DEBIAN                                                                             \
	"version = 2\n\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n"            \
	"    [plugins.\"io.containerd.grpc.v1.cri\".cni]\n      bin_dir = \"/usr/lib/cni\"\n"

static const char *const classes[] = {"strict"};
static const struct pst_wire wire = {.bin = "/opt/p", .classes = classes, .nclasses = 1};
static const struct pst_cd_dump plain, systemd = {.systemd_cgroup = true};
static const struct pst_cd_want want16 = {&wire, {1, 6, 21}, &plain, "/etc/postern"};
static const struct pst_cd_want want17 = {&wire, {1, 7, 28}, &systemd, "/etc/postern"};
static const struct pst_cd_want want21 = {&wire, {2, 1, 4}, &plain, "/etc/postern"};

static char *main_with(const char *text, const struct pst_cd_want *w, bool *gone)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_cd_main(text, text != NULL ? strlen(text) : 0, "/c.toml", w, &out, gone, &err), PST_OK,
		     "%s", err.msg);
	return pst_buf_take(&out);
}

static void refused(const char *text, int code, const char *message)
{
	pst_auto_buf out = {0};
	bool gone;
	struct pst_err err = {0};
	cr_assert_eq(pst_cd_main(text, strlen(text), "/c.toml", &want21, &out, &gone, &err), code, "%s", text);
	cr_assert_str_eq(err.msg, message);
	cr_assert_str_eq(err.file, "/c.toml");
	cr_assert(code == PST_E_SPEC || err.cure[0] != '\0');
}

Test(wirecontainerd, up_to_1_6_options_are_named_as_files_and_runc_is_kept)
{
	bool gone;
	pst_auto_free char *got = main_with(DEBIAN, &want16, &gone);
	static const char tail[] =
		"# `postern uninstall containerd` takes this away.\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.postern]\n"
		"runtime_type = \"io.containerd.postern.v2\"\n"
		"runtime_path = \"/opt/p/containerd-shim-postern-v2\"\n"
		"pod_annotations = [\"postern/*\"]\n"
		"container_annotations = [\"postern/*\"]\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.postern-strict]\n"
		"runtime_type = \"io.containerd.postern.v2\"\n"
		"runtime_path = \"/opt/p/containerd-shim-postern-v2\"\n"
		"pod_annotations = [\"postern/*\"]\n"
		"container_annotations = [\"postern/*\"]\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.postern-strict.options]\n"
		"ConfigPath = \"/etc/postern/postern-strict.containerd.toml\"\n"
		"# containerd 1 forgets its own runc once another handler is written down.\n"
		"[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
		"runtime_type = \"io.containerd.runc.v2\"\n"
		"# postern install: end\n";
	cr_assert(strncmp(got, DEBIAN, strlen(DEBIAN)) == 0);
	cr_assert_str_eq(got + strlen(got) - strlen(tail), tail);
}

Test(wirecontainerd, from_1_7_on_options_are_in_the_table)
{
	bool gone;
	pst_auto_free char *got = main_with(DEBIAN, &want17, &gone);
	cr_assert_not_null(strstr(got, "postern.options]\nSystemdCgroup = true\n["));
	cr_assert_not_null(strstr(got, "postern-strict.options]\nClass = \"strict\"\nSystemdCgroup = true\n"));
	cr_assert_null(strstr(got, "ConfigPath"));
}

Test(wirecontainerd, a_runc_that_is_written_down_is_not_written_again)
{
	bool gone;
	pst_auto_free char *got = main_with(
		"version = 2\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\nruntime_type = 'x'\n",
		&want16, &gone);
	cr_assert_null(strstr(got, "forgets"));
	pst_auto_free char *two = main_with(DEBIAN, &want21, &gone);
	cr_assert_null(strstr(two, "forgets"), "containerd 2 merges");
}

Test(wirecontainerd, the_dialect_is_the_files)
{
	bool gone;
	pst_auto_free char *three = main_with("version = 3\n", &want21, &gone);
	pst_auto_free char *four = main_with("version = 4\n", &want21, &gone);
	cr_assert_not_null(strstr(three, "\"io.containerd.cri.v1.runtime\".containerd.runtimes.postern]"));
	cr_assert_not_null(strstr(four, "\"io.containerd.cri.v1.runtime\".containerd.runtimes.postern]"));
}

/* What names the shim of the handler `name`: "type path" as they are in the table. */
static void shim_of(const char *text, const char *name, const char *type)
{
	pst_auto_buf want = {0};
	pst_buf_fmt(&want, ".containerd.runtimes.%s]\nruntime_type = \"%s\"\n"
		    "runtime_path = \"/opt/p/containerd-shim-postern-v2\"\n", name, type);
	cr_assert_not_null(strstr(text, pst_buf_cstr(&want)), "%s is not in %s", pst_buf_cstr(&want), text);
}

Test(wirecontainerd, runcs_type_only_where_features_hang_on_it_and_the_path_holds)
{
	bool gone;
	struct pst_wire with_policy = wire;
	with_policy.policy = "/etc/postern/other.json";
	const struct pst_cd_want other = {&with_policy, want21.version, &plain, want21.optdir};
	const struct pst_cd_want want23 = {&wire, {2, 3, 0}, &plain, "/etc/postern"};
	pst_auto_free char *two = main_with("version = 2\n", &want21, &gone);
	pst_auto_free char *three = main_with("version = 3\n", &want21, &gone);
	pst_auto_free char *three_policy = main_with("version = 3\n", &other, &gone);
	pst_auto_free char *newer = main_with("version = 3\n", &want23, &gone);
	shim_of(two, "postern", "io.containerd.postern.v2");
	shim_of(three, "postern", "io.containerd.runc.v2");
	shim_of(three, "postern-strict", "io.containerd.postern.v2");
	shim_of(three_policy, "postern", "io.containerd.postern.v2");
	shim_of(newer, "postern", "io.containerd.postern.v2");
}

Test(wirecontainerd, in_and_out_leaves_the_file_as_it_was)
{
	static const char *const texts[] = {
		DEBIAN, "version = 2", "version = 3\r\n# windows\r\n", "version = 2\n\n\n",
		"version = 2\nimports = [\n 'a', # it's\n]\n",
	};
	for (size_t i = 0; i < PST_NELEM(texts); i++) {
		bool gone;
		pst_auto_free char *in = main_with(texts[i], &want16, &gone);
		pst_auto_free char *again = main_with(in, &want16, &gone);
		cr_assert_str_eq(again, in);
		pst_auto_free char *other = main_with(in, &want17, &gone);
		pst_auto_free char *out = main_with(other, NULL, &gone);
		cr_assert_str_eq(out, texts[i]);
		cr_assert_not(gone);
	}
}

Test(wirecontainerd, a_file_made_for_us_goes_with_us)
{
	bool gone;
	pst_auto_free char *in = main_with(NULL, &want16, &gone);
	cr_assert_not_null(strstr(in, "\nversion = 2\n"));
	free(main_with(in, NULL, &gone));
	cr_assert(gone);
	pst_auto_buf more = {0};
	pst_buf_fmt(&more, "%s[debug]\nlevel = 'debug'\n", in);
	pst_auto_free char *kept = main_with(pst_buf_cstr(&more), NULL, &gone);
	cr_assert_not(gone);
	cr_assert_str_eq(kept, "# postern install: made this file\nversion = 2\n[debug]\nlevel = 'debug'\n");
	pst_auto_free char *new = main_with(NULL, &want21, &gone);
	cr_assert_not_null(strstr(new, "\nversion = 3\n"));
}

Test(wirecontainerd, what_stands_in_the_way_is_refused_with_its_line)
{
	refused("version = 2\nfoo = [\n", PST_E_SPEC, "line 2: a bracket is not closed");
	refused("version = 2\n[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.postern]\n", PST_E_STATE,
		"line 2: a runtime named postern that `postern install` did not write");
	refused("version = 3\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\nruntimes.postern-x.a = 1\n",
		PST_E_STATE, "line 3: a runtime named postern-x that `postern install` did not write");
	refused("version = 2\ndisabled_plugins = ['cri']\n", PST_E_STATE,
		"disabled_plugins turns the CRI plugin off: handlers are its settings");
	refused("# empty\n", PST_E_STATE,
		"the configuration is of version 1: handlers are written from version 2 on");
	refused("version = 2\n[plugins.'io.containerd.grpc.v1.cri']\ncontainerd = { snapshotter = 'x' }\n", PST_E_STATE,
		"line 3: the runtimes are in an inline table, to which nothing can be added");
}

Test(wirecontainerd, an_edited_block_is_refused_both_ways)
{
	bool gone;
	pst_auto_free char *in = main_with(DEBIAN, &want16, &gone);
	memcpy(strstr(in, "/opt/p"), "/opt/q", 6);
	for (int i = 0; i < 2; i++) {
		pst_auto_buf out = {0};
		struct pst_err err = {0};
		cr_assert_eq(pst_cd_main(in, strlen(in), "/c.toml", i == 0 ? &want16 : NULL, &out, &gone, &err),
			     PST_E_STATE);
		cr_assert_str_eq(err.msg, "line 7: what `postern install` wrote was edited since");
	}
}

static void drops_in(const char *imports, const char *folder)
{
	pst_auto_buf text = {0};
	struct pst_cd_file f;
	pst_buf_fmt(&text, "version = 3\nimports = %s\n", imports);
	cr_assert_eq(pst_cd_file_read(text.data, text.len, "/etc/containerd/config.toml", true, &f, NULL), PST_OK);
	cr_assert_str_eq(f.drop, folder, "%s", imports);
}

Test(wirecontainerd, the_drop_in_folder_is_one_that_imports_names_by_a_pattern)
{
	drops_in("[]", "");
	drops_in("['/etc/containerd/conf.d/*.toml']", "/etc/containerd/conf.d");
	drops_in("['/a/one.toml', '/b/*']", "/b");
	drops_in("['conf.d/*.toml']", "/etc/containerd/conf.d");
	drops_in("['../x/*.toml']", "/etc/x");
	drops_in("['/a/*/c/*.toml']", "");
	drops_in("['/a/x*.toml']", "");
	drops_in("['/*']", "");
	drops_in("7", "");
}

Test(wirecontainerd, the_drop_in_is_of_the_main_files_version)
{
	pst_auto_buf two = {0}, three = {0};
	pst_cd_drop(&want21, 2, &two);
	pst_cd_drop(&want21, 3, &three);
	cr_assert(strncmp(two.data, "version = 2\n", 12) == 0 && strstr(two.data, "grpc.v1.cri") != NULL);
	cr_assert(strncmp(three.data, "version = 3\n", 12) == 0 && strstr(three.data, "cri.v1.runtime") != NULL);
}

Test(wirecontainerd, a_dump_tells_handlers_and_cgroup_driver)
{
	static const char text[] =
		"[plugins]\n [plugins.'io.containerd.cri.v1.runtime']\n"
		"  [plugins.'io.containerd.cri.v1.runtime'.containerd]\n   default_runtime_name = 'crun'\n"
		"   [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes]\n"
		"    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun]\n"
		"     [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.crun.options]\n"
		"      SystemdCgroup = true\n"
		"    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n"
		"      x = ''\n";
	struct pst_cd_dump d;
	cr_assert_eq(pst_cd_dump_read(text, sizeof text - 1, &d, NULL), PST_OK);
	cr_assert(d.cri && d.systemd_cgroup);
	cr_assert_eq(d.n, 2);
	cr_assert(pst_cd_dump_has(&d, "runc") && pst_cd_dump_has(&d, "crun"));
	cr_assert_str_eq(d.default_name, "crun");
}

Test(wirecontainerd, versions_as_they_are_printed)
{
	struct pst_cd_version v = {0};
	cr_assert(pst_cd_version_read("containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1\n", &v));
	cr_assert(v.major == 1 && v.minor == 6 && v.patch == 20);
	cr_assert(pst_cd_version_read("containerd github.com/containerd/containerd/v2 v2.1.4 0123abc", &v));
	cr_assert(v.major == 2 && v.minor == 1 && v.patch == 4);
	cr_assert_not(pst_cd_version_read("containerd", &v));
	cr_assert_not(pst_cd_version_read("containerd x unknown", &v));
}

Test(wirecontainerd, a_containerd_that_does_not_use_runtime_path_gets_the_shim_as_type)
{
	static const struct {
		struct pst_cd_version v;
		bool path;
	} cases[] = {{{1, 6, 20}, false}, {{1, 6, 21}, true}, {{1, 7, 0}, false}, {{1, 7, 2}, true}, {{2, 0, 0}, true}};
	for (size_t i = 0; i < PST_NELEM(cases); i++) {
		bool gone;
		const struct pst_cd_want want = {&wire, cases[i].v, &plain, "/etc/postern"};
		pst_auto_free char *got = main_with(DEBIAN, &want, &gone);
		cr_assert_eq(strstr(got, "runtime_type = \"/opt/p/containerd-shim-postern-v2\"") == NULL, cases[i].path);
		cr_assert_eq(strstr(got, "runtime_path = \"/opt/p/containerd-shim-postern-v2\"") != NULL, cases[i].path);
	}
}
