#include <criterion/criterion.h>
#include <string.h>

#include "core/execspec.h"
#include "core/json.h"

#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static const uint32_t extra[] = {1000650000};
static const struct pst_policy no_ceilings;

static struct pst_exec_limits limits(void)
{
	return (struct pst_exec_limits){
		.caps = UINT64_C(1) << 0 | UINT64_C(1) << 10, /* CHOWN, NET_BIND_SERVICE */
		.no_new_privs = true,
		.nids = 65536,
		.extra_ids = extra,
		.nextra = 1,
		.policy = &no_ceilings,
	};
}

static int count(char **w)
{
	int n = 0;
	while (w[n] != NULL)
		n++;
	return n;
}

static const char *joined(const struct pst_exec_plan *p)
{
	static char buf[512];
	buf[0] = '\0';
	size_t n = 0;
	for (size_t i = 0; p->argv[i] != NULL; i++)
		n += (size_t)snprintf(buf + n, sizeof buf - n, "%s%s", i > 0 ? " " : "", p->argv[i]);
	return buf;
}

static struct pst_exec_plan planned(char **w)
{
	const struct pst_exec_limits lim = limits();
	struct pst_exec_plan p = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_execspec_plan(count(w), w, NULL, &lim, &p, &err), PST_OK, "%s", err.msg);
	return p;
}

static struct pst_err refused(char **w, int code)
{
	const struct pst_exec_limits lim = limits();
	struct pst_exec_plan p = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_execspec_plan(count(w), w, NULL, &lim, &p, &err), code, "%s", w[0]);
	cr_assert_null(p.argv);
	return err;
}

static json_t *doc(const char *text)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "p", &pst_json_oci, &j, &err), PST_OK, "%s",
		     err.msg);
	return j;
}

static void confined_to(const struct pst_exec_limits *lim, const char *in, const char *want)
{
	pst_auto_json *j = doc(in);
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	bool changed = false;
	pst_auto_buf out = {0};
	cr_assert_eq(pst_execspec_confine(j, lim, &notes, &changed, &err), PST_OK, "%s: %s", in, err.msg);
	cr_assert_eq(pst_json_dump(j, PST_JSON_COMPACT, &out, &err), PST_OK);
	cr_assert_str_eq(pst_buf_cstr(&out), want);
	cr_assert_eq(changed, strcmp(in, want) != 0, "%s", in);
	cr_assert_eq(notes.n > 0, changed, "I-8: each change has a reason");
	pst_notes_done(&notes);
}

static void confined(const char *in, const char *want)
{
	const struct pst_exec_limits lim = limits();
	confined_to(&lim, in, want);
}

static void not_confined(const char *in, const char *pointer)
{
	const struct pst_exec_limits lim = limits();
	pst_auto_json *j = doc(in);
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	bool changed = false;
	cr_assert_eq(pst_execspec_confine(j, &lim, &notes, &changed, &err), PST_E_SPEC, "%s", in);
	cr_assert_str_eq(err.pointer, pointer);
	cr_assert_not(changed);
	pst_notes_done(&notes);
}

Test(execspec, words_of_the_command_line_are_found)
{
	struct pst_exec_words w = {0};
	struct pst_err err = {0};
	char **argv = WORDS("-d", "--pid-file=/p", "--process", "/f", "id", "sh", "-c", "x");
	cr_assert_eq(pst_execspec_read(count(argv), argv, &w, &err), PST_OK);
	cr_assert_str_eq(w.id, "id");
	cr_assert_str_eq(w.process_file, "/f");
	cr_assert_str_eq(w.pid_file, "/p");
	cr_assert(w.detach && !w.tty);
	cr_assert_str_eq(argv[w.command], "sh");
}

Test(execspec, nothing_to_tighten_passes_verbatim)
{
	pst_auto_exec_plan p = planned(WORDS("-t", "-e", "A=1", "--user=5:6", "-g", "7", "--cap",
					     "CAP_CHOWN", "--no-new-privs", "--apparmor", "x",
					     "--future=1", "id", "sh", "--user", "99999"));
	cr_assert_str_eq(joined(&p), "-t -e A=1 --user=5:6 -g 7 --cap CAP_CHOWN --no-new-privs "
				     "--apparmor x --future=1 id sh --user 99999");
	cr_assert_not(p.changed);
	cr_assert_eq(p.notes.n, 0);
	cr_assert_null(p.process);
}

Test(execspec, a_capability_beyond_the_container_s_is_left_out)
{
	pst_auto_exec_plan p = planned(WORDS("-c", "CAP_SYS_ADMIN", "--cap=net_bind_service",
					     "--cap", "cap_sys_ptrace", "id", "sh"));
	cr_assert_str_eq(joined(&p), "--cap=net_bind_service id sh");
	cr_assert(p.changed);
	cr_assert_eq(p.notes.n, 2);
}

Test(execspec, an_unknown_capability_is_refused)
{
	const struct pst_err err = refused(WORDS("--cap", "CAP_FLY", "id", "sh"), PST_E_SPEC);
	cr_assert(strstr(err.msg, "CAP_FLY") != NULL);
	cr_assert(err.cure[0] != '\0');
}

Test(execspec, no_new_privs_is_never_taken_away)
{
	pst_auto_exec_plan p = planned(WORDS("--no-new-privs=false", "id", "sh"));
	cr_assert_str_eq(joined(&p), "id sh");
	cr_assert(p.changed);
}

Test(execspec, ids_the_container_does_not_have_are_refused)
{
	static char *const bad[] = {"65536", "0:65536", "-1", "+70000", "4294967296", "1:", " 1",
				    "root", "0x10", "99999999999999999999"};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		(void)refused(WORDS("-u", bad[i], "id", "sh"), PST_E_SPEC);
	(void)refused(WORDS("-g", "65536", "id", "sh"), PST_E_SPEC);
	(void)refused(WORDS("-g", "-1", "id", "sh"), PST_E_SPEC);
	pst_auto_exec_plan p = planned(WORDS("-u", "1000650000", "-g", "65535", "id", "sh"));
	cr_assert_not(p.changed);
}

Test(execspec, without_an_id_map_every_id_passes)
{
	struct pst_exec_limits lim = limits();
	struct pst_err err = {0};
	pst_auto_exec_plan p = {0};
	lim.nids = 0;
	char **w = WORDS("-u", "100000", "id", "sh");
	cr_assert_eq(pst_execspec_plan(count(w), w, NULL, &lim, &p, &err), PST_OK);
}

Test(execspec, an_id_like_a_flag_stays_an_argument)
{
	pst_auto_exec_plan p = planned(WORDS("-t", "--", "--user", "sh"));
	cr_assert_str_eq(joined(&p), "-t -- --user sh");
}

Test(execspec, a_process_file_is_confined_and_its_name_can_be_replaced)
{
	static char *const forms[][4] = {
		{"--process", "/f", "id", NULL}, {"-p", "/f", "id", NULL}, {"-p=/f", "id", NULL}};
	const struct pst_exec_limits lim = limits();
	pst_auto_json *file = doc("{\"noNewPrivileges\":false}");
	for (size_t i = 0; i < PST_NELEM(forms); i++) {
		pst_auto_exec_plan p = {0};
		struct pst_err err = {0};
		char *w[4];
		memcpy(w, forms[i], sizeof w);
		cr_assert_eq(pst_execspec_plan(count(w), w, file, &lim, &p, &err), PST_OK, "%s",
			     err.msg);
		cr_assert_str_eq(joined(&p), "--process /f id");
		cr_assert_eq(p.process_at, 1);
		cr_assert(json_is_true(json_object_get(p.process, "noNewPrivileges")));
	}
	cr_assert(json_is_false(json_object_get(file, "noNewPrivileges")),
		  "the caller's tree is left alone");
	struct pst_exec_plan p = {0};
	char **w = WORDS("id", "sh");
	cr_assert_eq(pst_execspec_plan(2, w, file, &lim, &p, NULL), PST_E_BUG);
	w = WORDS("-p", "/f", "id");
	cr_assert_eq(pst_execspec_plan(3, w, NULL, &lim, &p, NULL), PST_E_BUG);
}

Test(execspec, the_flag_for_a_terminal_holds_over_the_process_file)
{
	static const struct {
		const char *flag, *file;
		bool want;
	} cases[] = {{"--tty", "{}", true}, {"-t", "{\"terminal\":false}", true},
		     {"--tty=false", "{\"terminal\":true}", false}};
	const struct pst_exec_limits lim = limits();
	for (size_t i = 0; i < PST_NELEM(cases); i++) {
		pst_auto_exec_plan p = {0};
		struct pst_err err = {0};
		pst_auto_json *file = doc(cases[i].file);
		char **w = WORDS("--process", "/f", (char *)(uintptr_t)cases[i].flag, "id");
		cr_assert_eq(pst_execspec_plan(4, w, file, &lim, &p, &err), PST_OK, "%s", err.msg);
		cr_assert_eq(json_is_true(json_object_get(p.process, "terminal")), cases[i].want);
	}
}

Test(execspec, i1_capability_sets_are_cut_to_the_ceiling)
{
	confined("{\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_CHOWN\","
		 "\"CAP_SYS_ADMIN\"],\"ambient\":[\"CAP_KILL\"],\"permitted\":[],\"effective\":"
		 "[\"CAP_NET_BIND_SERVICE\"],\"inheritable\":[\"CAP_FLY\"]}}",
		 "{\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_CHOWN\"],"
		 "\"ambient\":[],\"permitted\":[],\"effective\":[\"CAP_NET_BIND_SERVICE\"],"
		 "\"inheritable\":[]}}");
}

Test(execspec, i1_no_new_privs_is_forced_when_the_container_has_it)
{
	confined("{}", "{\"noNewPrivileges\":true}");
	confined("{\"noNewPrivileges\":false}", "{\"noNewPrivileges\":true}");
	confined("{\"noNewPrivileges\":null}", "{\"noNewPrivileges\":true}");
}

#define RL(type, hard, soft) "{\"type\":\"RLIMIT_" type "\",\"hard\":" hard ",\"soft\":" soft "}"
#define NAMED(list) "{\"noNewPrivileges\":true,\"rlimits\":[" list "]}"
#define INFINITY "18446744073709551615"

/* A container that was created with limits, under a policy that has ceilings. */
static const struct pst_policy ceilings = {
	.rlimits = {[PST_RL_NOFILE] = {.has_max = true, .max = 1024},
		    [PST_RL_CORE] = {.has_max = true, .max = 0}},
};

static void rlimits_become(const char *own, const char *in, const char *want)
{
	pst_auto_json *list = own == NULL ? NULL : doc(own);
	struct pst_exec_limits lim = limits();
	lim.rlimits = list;
	lim.policy = &ceilings;
	confined_to(&lim, in, want);
	lim.has_nofile = true; /* the annotation is tighter than the policy */
	lim.nofile = 300;
	confined_to(&lim, NAMED(RL("NOFILE", "301", "5") "," RL("CORE", "0", "0") "," RL("NPROC", "8", "7")),
		    NAMED(RL("NOFILE", "300", "5") "," RL("CORE", "0", "0") "," RL("NPROC", "8", "7")));
}

Test(execspec, i1_limits_that_are_named_are_held_to_the_ceilings)
{
	rlimits_become(NULL, NAMED(RL("NOFILE", INFINITY, "512") "," RL("MEMLOCK", INFINITY, "1") "," RL("CORE", "0", "0")),
		       NAMED(RL("NOFILE", "1024", "512") "," RL("MEMLOCK", INFINITY, "1") "," RL("CORE", "0", "0")));
}

Test(execspec, i1_limits_that_are_not_named_are_the_container_s)
{
	static const char own[] =
		"[" RL("NOFILE", "1000", "900") "," RL("CORE", "0", "0") "," RL("NPROC", "9", "8") "]";
	rlimits_become(own, NAMED(RL("NPROC", "7", "7")),
		       NAMED(RL("NPROC", "7", "7") "," RL("NOFILE", "1000", "900") "," RL("CORE", "0", "0")));
	rlimits_become(own, "{\"noNewPrivileges\":true}",
		       NAMED(RL("NOFILE", "1000", "900") "," RL("CORE", "0", "0") "," RL("NPROC", "9", "8")));
	rlimits_become(own, NAMED(""),
		       NAMED(RL("NOFILE", "1000", "900") "," RL("CORE", "0", "0") "," RL("NPROC", "9", "8")));
	/* The policy was tightened since, or the container was made without one. */
	rlimits_become("[" RL("NOFILE", "4096", "4096") "]", NAMED(RL("NPROC", "7", "7")),
		       NAMED(RL("NPROC", "7", "7") "," RL("NOFILE", "1024", "1024") "," RL("CORE", "0", "0")));
	rlimits_become(NULL, NAMED(RL("NPROC", "7", "7")),
		       NAMED(RL("NPROC", "7", "7") "," RL("CORE", "0", "0") "," RL("NOFILE", "1024", "1024")));
}

Test(execspec, what_is_named_above_a_ceiling_is_refused_where_the_policy_says_so)
{
	struct pst_policy p = ceilings;
	struct pst_exec_limits lim = limits();
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	bool changed = false;
	pst_auto_json *own = doc("[" RL("NOFILE", "4096", "4096") "]");
	pst_auto_json *above = doc(NAMED(RL("NOFILE", "1025", "5")));
	pst_auto_json *other = doc(NAMED(RL("NPROC", "7", "7")));
	p.above_refuse = true;
	lim.policy = &p;
	lim.rlimits = own;
	cr_assert_eq(pst_execspec_confine(above, &lim, &notes, &changed, &err), PST_E_POLICY);
	cr_expect_str_eq(err.pointer, "/rlimits/0/hard");
	/* What the container has already is lowered: nobody asked for it now. */
	cr_assert_eq(pst_execspec_confine(other, &lim, &notes, &changed, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(json_integer_value(pst_json_at(other, "/rlimits/1/hard")), 1024);
	pst_notes_done(&notes);
}

Test(execspec, i6_unknown_fields_and_numbers_pass_as_they_stood)
{
	confined("{\"noNewPrivileges\":true,\"future\":{\"x\":1.10},\"apparmorProfile\":\"p\","
		 "\"user\":{\"uid\":0,\"gid\":1000650000,\"additionalGids\":[1,65535]}}",
		 "{\"noNewPrivileges\":true,\"future\":{\"x\":1.10},\"apparmorProfile\":\"p\","
		 "\"user\":{\"uid\":0,\"gid\":1000650000,\"additionalGids\":[1,65535]}}");
}

Test(execspec, a_wrong_process_file_is_refused_with_the_pointer)
{
	not_confined("{\"user\":{\"uid\":65536}}", "/user/uid");
	not_confined("{\"user\":{\"gid\":-1}}", "/user/gid");
	not_confined("{\"user\":{\"uid\":\"0\"}}", "/user/uid");
	not_confined("{\"user\":{\"additionalGids\":[0,70000]}}", "/user/additionalGids/1");
	not_confined("{\"user\":[]}", "/user");
	not_confined("{\"capabilities\":[]}", "/capabilities");
	not_confined("{\"capabilities\":{\"ambient\":{}}}", "/capabilities/ambient");
	not_confined("{\"capabilities\":{\"ambient\":[1]}}", "/capabilities/ambient");
	not_confined("{\"noNewPrivileges\":\"false\"}", "/noNewPrivileges");
	not_confined("{\"noNewPrivileges\":true,\"rlimits\":{}}", "/rlimits");
	struct pst_exec_limits lim = limits();
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	bool changed = false;
	pst_auto_json *j = doc(NAMED(RL("NOFILE", "-1", "5")));
	lim.policy = &ceilings;
	cr_assert_eq(pst_execspec_confine(j, &lim, &notes, &changed, &err), PST_E_SPEC);
	cr_expect_str_eq(err.pointer, "/rlimits/0/hard");
	pst_notes_done(&notes);
}

Test(execspec, another_spelling_of_a_judged_key_cannot_carry_more)
{
	not_confined("{\"Capabilities\":{\"bounding\":[\"CAP_SYS_ADMIN\"]}}", "/Capabilities");
	not_confined("{\"noNewPrivileges\":true,\"NoNewPrivileges\":false}", "/NoNewPrivileges");
	not_confined("{\"user\":{\"UID\":70000}}", "/user/UID");
}
