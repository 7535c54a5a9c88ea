#include "core/sclint.h"
#include "scfixture.h"

#define DENY "\"defaultAction\":\"SCMP_ACT_ERRNO\""
#define ALLOW(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"

static bool library(const char *name)
{
	return strcmp(name, "breakpoint") == 0 || pst_sctable_name(name) != NULL;
}

static struct pst_sclint lint(const char *text)
{
	pst_auto_json *j = NULL;
	pst_auto_scprof *base = builtin("baseline");
	struct pst_err err = {0};
	struct pst_sclint l = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "test", &pst_json_oci, &j, &err), PST_OK,
		     "%s", err.msg);
	const struct pst_sclint_in in = {
		.obj = j,
		.pointer = "",
		.base = base,
		.base_name = "baseline",
		.library = library,
		.major = 5,
		.minor = 10,
	};
	cr_assert_eq(pst_sclint_run(&in, &l, &err), PST_OK);
	return l;
}

/* Is there a finding of that level whose place is `pointer` and whose text has `part`? */
static bool has(const struct pst_sclint *l, enum pst_sclint_level level, const char *pointer,
		const char *part)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].level == level && strcmp(l->v[i].pointer, pointer) == 0 &&
		    strstr(l->v[i].text, part) != NULL && l->v[i].cure != NULL)
			return true;
	return false;
}

static void expect(const char *text, enum pst_sclint_level level, const char *pointer,
		   const char *part)
{
	struct pst_sclint l = lint(text);
	cr_expect(has(&l, level, pointer, part), "%s at %s: %s", pst_sclint_word(level), pointer,
		  part);
	for (size_t i = 0; i < l.n; i++)
		cr_log_info("%s at %s: %s (%s)", pst_sclint_word(l.v[i].level), l.v[i].pointer,
			    l.v[i].text, l.v[i].cure);
	pst_sclint_done(&l);
}

Test(sclint, a_plain_profile_has_no_findings)
{
	struct pst_sclint l = lint("{" DENY ",\"syscalls\":[" ALLOW("\"read\", \"write\"") "]}");
	cr_expect_eq(l.n, 0);
	pst_sclint_done(&l);
}

Test(sclint, what_does_not_parse_is_an_error)
{
	expect("{\"defaultAction\":\"DENY\"}", PST_LINT_ERROR, "/defaultAction", "unknown action");
}

Test(sclint, unknown_names_get_the_nearest)
{
	struct pst_sclint l = lint("{" DENY ",\"syscalls\":[" ALLOW(
		"\"raed\", \"breakpoint\", \"s390_new_call\"") "]}");
	cr_expect(has(&l, PST_LINT_ERROR, "/syscalls/0/names/0", "\"raed\""));
	cr_expect_str_eq(l.v[0].cure, "did you mean \"read\"?");
	cr_expect(has(&l, PST_LINT_NOTE, "/syscalls/0/names",
		      "2 names are calls of other architectures"));
	pst_sclint_done(&l);
}

Test(sclint, a_call_newer_than_the_kernel_is_a_note)
{
	expect("{" DENY ",\"syscalls\":[" ALLOW("\"cachestat\"") "]}", PST_LINT_NOTE,
	       "/syscalls/0/names/0", "came with Linux 6.5");
}

Test(sclint, conditions_that_cannot_be_met)
{
	expect("{" DENY
	       ",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	       "{\"index\":1,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},{\"index\":1,\"value\":2,\"op\":"
	       "\"SCMP_CMP_EQ\"}]}]}",
	       PST_LINT_ERROR, "/syscalls/0/args", "can never be met");
	expect("{" DENY
	       ",\"syscalls\":[{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	       "{\"index\":0,\"value\":4294967297,\"op\":\"SCMP_CMP_EQ\"}]}]}",
	       PST_LINT_ERROR, "/syscalls/0/args", "can never be met");
}

Test(sclint, rules_that_others_leave_nothing_of)
{
	expect("{" DENY ",\"syscalls\":[" ALLOW("\"read\"") "," ALLOW("\"read\"") "]}",
	       PST_LINT_WARNING, "/syscalls/1/names/0", "/syscalls/0/names/0 decides it already");
	expect("{" DENY ",\"syscalls\":[" ALLOW(
		       "\"read\"") ",{\"names\":[\"read\"],\"action\":\"SCMP_ACT_KILL\"}]}",
	       PST_LINT_WARNING, "/syscalls/0/names/0", "decides it, and denies");
}

Test(sclint, ranges_and_swapped_masks)
{
	expect("{" DENY
	       ",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	       "{\"index\":2,\"value\":9,\"op\":\"SCMP_CMP_LT\"}]}]}",
	       PST_LINT_WARNING, "/syscalls/0/args/0", "is a range");
	expect("{" DENY
	       ",\"syscalls\":[{\"names\":[\"mmap\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
	       "{\"index\":2,\"value\":1,\"valueTwo\":6,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}]}",
	       PST_LINT_WARNING, "/syscalls/0/args/0", "outside the mask");
}

Test(sclint, a_rule_like_the_default_and_an_open_default)
{
	expect("{" DENY ",\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ERRNO\"}]}",
	       PST_LINT_WARNING, "/syscalls/0/action", "says what the default says");
	expect("{\"defaultAction\":\"SCMP_ACT_ALLOW\"}", PST_LINT_WARNING, "/defaultAction",
	       "gets through");
}

Test(sclint, notify_needs_a_listener)
{
	expect("{" DENY ",\"syscalls\":[{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}",
	       PST_LINT_ERROR, "/listenerPath", "missing");
}

Test(sclint, openings_name_the_bugs)
{
	expect("{" DENY ",\"syscalls\":[" ALLOW("\"read\", \"keyctl\"") "]}", PST_LINT_WARNING,
	       "/syscalls/0/names/1", "CVE-2016-0728");
}

Test(sclint, wider_is_a_note_and_with_a_claim_an_error)
{
	expect("{" DENY ",\"syscalls\":[" ALLOW("\"bpf\"") "]}", PST_LINT_NOTE, "/syscalls",
	       "allows 1 call that baseline denies: bpf");
	expect("{" DENY
	       ",\"postern\":{\"within\":\"baseline\"},\"syscalls\":[" ALLOW("\"bpf\"") "]}",
	       PST_LINT_ERROR, "/syscalls/0/names/0", "wider than in baseline");
	expect("{" DENY ",\"syscalls\":[" ALLOW("\"socket\"") "]}", PST_LINT_NOTE,
	       "/syscalls/0/names/0", "socket is wider than in baseline");
}

Test(sclint, compat_is_a_warning)
{
	expect("{" DENY ",\"architectures\":[\"SCMP_ARCH_X86\"]}", PST_LINT_WARNING,
	       "/architectures", "socketcall");
}
