#include <criterion/criterion.h>
#include <string.h>

#include "core/json.h"
#include "core/limits.h"

/* Built-in policy with ceilings: 100 processes, 1 MiB, 1.5 cores, 1024 open files. */
static struct pst_policy policy(void)
{
	static const char text[] =
		"{\"limits\":{\"pids\":{\"default\":50,\"max\":100},\"memory\":{\"max\":1048576},"
		"\"cpu\":{\"max\":1.5},\"nofile\":{\"max\":1024}}}";
	pst_auto_json *doc = NULL;
	struct pst_policy p;
	struct pst_err err = {0};
	const char *const name = "policy.json";
	cr_assert_eq(pst_json_parse(text, sizeof text - 1, name, &pst_json_oci, &doc, &err), PST_OK);
	cr_assert_eq(pst_policy_build(&doc, &name, 1, NULL, &p, &err), PST_OK, "%s", err.msg);
	return p;
}

/* `text` after the edits; update: as resources of an update, else as a spec. */
static void becomes(bool update, const char *text, const char *want)
{
	struct pst_policy p = policy();
	const struct pst_tighten none = {0};
	pst_auto_edits edits = {0};
	pst_auto_json *j = NULL;
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, &err), PST_OK, "%s",
		     err.msg);
	const int rc = update ? pst_limits_update(j, &p, &edits, &err)
			      : pst_limits_spec(j, &p, &none, &edits, &err);
	cr_assert_eq(rc, PST_OK, "%s", err.msg);
	cr_assert_eq(pst_edits_apply(&edits, j, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, &err), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), want);
	pst_policy_done(&p);
}

Test(limits, i1_an_update_is_lowered_to_the_ceilings)
{
	becomes(true, "{\"pids\":{\"limit\":101}}", "{\"pids\":{\"limit\":100}}");
	becomes(true, "{\"pids\":{\"limit\":-1}}", "{\"pids\":{\"limit\":100}}");
	becomes(true, "{\"memory\":{\"limit\":18446744073709551615}}", "{\"memory\":{\"limit\":1048576}}");
	becomes(true, "{\"cpu\":{\"quota\":200000,\"period\":100000}}",
		"{\"cpu\":{\"quota\":150000,\"period\":100000}}");
	becomes(true, "{\"pids\":{\"limit\":99}}", "{\"pids\":{\"limit\":99}}");
	becomes(true, "{}", "{}");
}

Test(limits, i1_files_of_cgroup_v2_do_not_go_around_the_ceilings)
{
	becomes(true, "{\"unified\":{\"pids.max\":\"max\",\"memory.max\":\"1G\",\"cpu.max\":\"max\"}}",
		"{\"unified\":{\"pids.max\":\"100\",\"memory.max\":\"1048576\",\"cpu.max\":\"150000 100000\"}}");
	becomes(true, "{\"unified\":{\"pids.max\":\"101\",\"memory.max\":\"99999999999999999999\","
		      "\"cpu.max\":\"15001 10000\"}}",
		"{\"unified\":{\"pids.max\":\"100\",\"memory.max\":\"1048576\",\"cpu.max\":\"150000 100000\"}}");
	becomes(true, "{\"unified\":{\"cpu.max\":\"1 x\"}}", "{\"unified\":{\"cpu.max\":\"150000 100000\"}}");
	becomes(true, "{\"unified\":{\"pids.max\":\"\"}}", "{\"unified\":{\"pids.max\":\"100\"}}");
}

Test(limits, files_of_cgroup_v2_below_the_ceilings_or_without_one_pass)
{
	static const char below[] = "{\"unified\":{\"pids.max\":\"100\",\"memory.max\":\"4096\",\"cpu.max\":"
				    "\"15000 10000\",\"io.weight\":\"max\",\"memory.high\":\"max\"}}";
	becomes(true, below, below);
	becomes(true, "{\"unified\":{\"cpu.max\":\"150000\"}}", "{\"unified\":{\"cpu.max\":\"150000\"}}");
}

Test(limits, i1_every_entry_for_open_files_is_judged)
{
	becomes(false,
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":1},\"memory\":{\"limit\":1},\"cpu\":"
		"{\"quota\":1,\"period\":1000}}},\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
		"\"hard\":1,\"soft\":1},{\"type\":\"RLIMIT_NOFILE\",\"hard\":4096,\"soft\":2}]}}",
		"{\"linux\":{\"resources\":{\"pids\":{\"limit\":1},\"memory\":{\"limit\":1},\"cpu\":"
		"{\"quota\":1,\"period\":1000}}},\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
		"\"hard\":1,\"soft\":1},{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":2}]}}");
}
