#include <criterion/criterion.h>
#include <string.h>

#include "core/json.h"
#include "core/learn.h"
#include "core/profiles.h"
#include "core/scprof.h"

static json_t *baseline(void)
{
	size_t len;
	struct pst_err err = {0};
	json_t *j = NULL;
	const char *text = pst_profile_builtin("baseline", &len);
	cr_assert_eq(pst_json_parse(text, len, "baseline", &pst_json_oci, &j, &err), PST_OK);
	return j;
}

static json_t *recording(void)
{
	struct pst_err err = {0};
	json_t *r = pst_learn_new("nginx");
	cr_assert_eq(pst_learn_call(r, PST_LEARN_START, 257, 40, "nginx", &err), PST_OK); /* openat */
	cr_assert_eq(pst_learn_call(r, PST_LEARN_SERVING, 257, 2, "worker", &err), PST_OK);
	cr_assert_eq(pst_learn_call(r, PST_LEARN_SERVING, 232, 9, "worker", &err), PST_OK); /* epoll_wait */
	cr_assert_eq(pst_learn_call(r, PST_LEARN_EXEC, 232, 1, "probe", &err), PST_OK);
	cr_assert_eq(pst_learn_call(r, PST_LEARN_EXEC, 21, 1, "probe", &err), PST_OK); /* access */
	cr_assert_eq(pst_learn_call(r, PST_LEARN_START, 41, 1, "nginx", &err), PST_OK); /* socket */
	cr_assert_eq(pst_learn_call(r, PST_LEARN_START, 165, 1, "nginx", &err), PST_OK); /* mount */
	cr_assert_eq(pst_learn_args(r, 41, (const uint32_t[]){2, 0x801, 0}, &err), PST_OK);
	cr_assert_eq(pst_learn_args(r, 41, (const uint32_t[]){2, 0x801, 0}, &err), PST_OK);
	return r;
}

static uint32_t answer(const struct pst_scprof *p, const char *call, uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t args[PST_NARGS] = {a, b, c};
	return pst_sceval(p, (uint32_t)pst_sctable_name(call)->nr, args) & SECCOMP_RET_ACTION_FULL;
}

Test(learn, proposal_holds_what_was_seen_and_no_socket_more)
{
	struct pst_err err = {0};
	pst_auto_json *outer = baseline();
	pst_auto_json *rec = recording();
	pst_auto_json *out = NULL;
	pst_auto_scprof *p = NULL;
	cr_assert_eq(pst_learn_propose(rec, outer, "my", &out, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_scprof_parse(out, "", NULL, &p, &err), PST_OK, "%s", err.msg);
	cr_expect_eq(answer(p, "openat", 0, 0, 0), SECCOMP_RET_ALLOW);
	cr_expect_eq(answer(p, "open", 0, 0, 0), SECCOMP_RET_ALLOW, "another spelling");
	cr_expect_eq(answer(p, "epoll_pwait", 0, 0, 0), SECCOMP_RET_ALLOW, "another processor's");
	cr_expect_eq(answer(p, "execve", 0, 0, 0), SECCOMP_RET_ALLOW, "the runtime's");
	cr_expect_eq(answer(p, "socket", 2, 0x801, 0), SECCOMP_RET_ALLOW);
	cr_expect_eq(answer(p, "socket", 2, 1, 0), SECCOMP_RET_ALLOW, "its flags do not matter");
	cr_expect_neq(answer(p, "socket", 2, 2, 0), SECCOMP_RET_ALLOW, "another type");
	cr_expect_neq(answer(p, "socket", 1, 1, 0), SECCOMP_RET_ALLOW, "another family");
	cr_expect_neq(answer(p, "socket", 0x100000028, 1, 0), SECCOMP_RET_ALLOW);
	cr_expect_neq(answer(p, "mount", 0, 0, 0), SECCOMP_RET_ALLOW, "the outer profile keeps it out");
	cr_expect_neq(answer(p, "msync", 0, 0, 0), SECCOMP_RET_ALLOW, "not seen");
	cr_expect_eq(answer(p, "clone3", 0, 0, 0), SECCOMP_RET_ERRNO);
	cr_expect_lt(pst_learn_count(out), 60);
}

Test(learn, a_newer_spelling_does_not_bring_in_the_older)
{
	struct pst_err err = {0};
	pst_auto_json *outer = baseline();
	pst_auto_json *rec = pst_learn_new("x");
	pst_auto_json *out = NULL;
	pst_auto_scprof *p = NULL;
	cr_assert_eq(pst_learn_call(rec, PST_LEARN_START, 87, 1, "x", &err), PST_OK);  /* unlink */
	cr_assert_eq(pst_learn_call(rec, PST_LEARN_START, 292, 1, "x", &err), PST_OK); /* dup3 */
	cr_assert_eq(pst_learn_propose(rec, outer, "my", &out, &err), PST_OK);
	cr_assert_eq(pst_scprof_parse(out, "", NULL, &p, &err), PST_OK);
	cr_expect_eq(answer(p, "unlinkat", 0, 0, 0), SECCOMP_RET_ALLOW, "goes with unlink");
	cr_expect_neq(answer(p, "rmdir", 0, 0, 0), SECCOMP_RET_ALLOW, "does not go with unlink");
	cr_expect_eq(answer(p, "dup3", 0, 0, 0), SECCOMP_RET_ALLOW, "seen");
	cr_expect_neq(answer(p, "dup2", 0, 0, 0), SECCOMP_RET_ALLOW, "older than what was seen");
}

Test(learn, newer_calls_left_out_are_unknown_ones_under_a_class_too)
{
	struct pst_err err = {0};
	size_t len;
	const char *text = pst_profile_builtin("web", &len);
	pst_auto_json *outer = NULL;
	pst_auto_json *rec = recording();
	pst_auto_json *out = NULL;
	pst_auto_scprof *p = NULL;
	const uint64_t none[PST_NARGS] = {0};
	cr_assert_eq(pst_json_parse(text, len, "web", &pst_json_oci, &outer, &err), PST_OK);
	cr_assert_eq(pst_learn_propose(rec, outer, "my", &out, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_scprof_parse(out, "", NULL, &p, &err), PST_OK, "%s", err.msg);
	static const char *const newer[] = {"close_range", "memfd_create", "openat2"};
	for (size_t i = 0; i < PST_NELEM(newer); i++)
		cr_expect_eq(pst_sceval(p, (uint32_t)pst_sctable_name(newer[i])->nr, none),
			     SECCOMP_RET_ERRNO | 38, "%s", newer[i]);
}

Test(learn, each_call_has_a_reason)
{
	struct pst_err err = {0};
	pst_auto_json *outer = baseline();
	pst_auto_json *rec = recording();
	pst_auto_json *out = NULL;
	pst_auto_buf text = {0};
	cr_assert_eq(pst_learn_propose(rec, outer, "my", &out, &err), PST_OK);
	cr_expect_eq(json_array_size(pst_json_at(out, "/postern/why")), pst_learn_count(out));
	cr_assert_eq(pst_json_dump(out, PST_JSON_COMPACT, &text, &err), PST_OK);
	static const char *const want[] = {"seen in nginx, worker, start-up, serving\"", "seen in probe, by exec\"",
					   "seen in worker, probe, serving, by exec\"", "goes with openat: ",
					   "the runtime calls it"};
	for (size_t i = 0; i < PST_NELEM(want); i++)
		cr_expect_not_null(strstr(pst_buf_cstr(&text), want[i]), "%s", want[i]);
}

Test(learn, recordings_are_added_up)
{
	struct pst_err err = {0};
	pst_auto_json *a = recording();
	pst_auto_json *b = recording();
	cr_assert_eq(pst_learn_incomplete(b, "a reason", &err), PST_OK);
	cr_assert_eq(pst_learn_args(b, 41, (const uint32_t[]){10, 1, 0}, &err), PST_OK);
	cr_assert_eq(pst_learn_merge(a, b, &err), PST_OK, "%s", err.msg);
	uint64_t n = 0;
	cr_expect(pst_json_u64(pst_json_at(a, "/calls/openat/start"), &n) && n == 80);
	cr_expect(pst_json_u64(pst_json_at(a, "/calls/access/exec"), &n) && n == 2);
	cr_expect(pst_json_u64(pst_json_at(a, "/runs"), &n) && n == 2);
	cr_expect_eq(json_array_size(pst_json_at(a, "/args/socket")), 2);
	cr_expect(json_is_false(json_object_get(a, "complete")));
	cr_expect_eq(json_array_size(json_object_get(a, "incomplete")), 1);
}

Test(learn, what_is_no_recording_is_refused)
{
	static const char *const bad[] = {"{}", "[]", "{\"version\":2}", "{\"version\":1,\"calls\":[]}",
					  "{\"version\":1,\"calls\":{},\"args\":{}}",
					  "{\"version\":1,\"title\":\"x\",\"calls\":{\"read\":1},\"args\":{},\"incomplete\":[]}",
					  "{\"version\":1,\"title\":\"x\",\"calls\":{},\"args\":{\"socket\":1},\"incomplete\":[]}"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err err = {0};
		pst_auto_json *j = NULL;
		cr_assert_eq(pst_json_parse(bad[i], strlen(bad[i]), "x", &pst_json_oci, &j, &err), PST_OK);
		cr_expect_eq(pst_learn_check(j, &err), PST_E_SPEC, "%s", bad[i]);
		cr_expect_neq(err.cure[0], '\0');
	}
}

Test(learn, recordings_without_the_exec_phase_are_taken)
{
	static const char old[] = "{\"version\":1,\"title\":\"x\",\"runs\":1,\"complete\":true,\"incomplete\":[],"
				  "\"calls\":{\"read\":{\"start\":1,\"serving\":2,\"end\":0,\"by\":[\"x\"]}},\"args\":{}}";
	struct pst_err err = {0};
	pst_auto_json *a = recording();
	pst_auto_json *b = NULL;
	uint64_t n = 1;
	cr_assert_eq(pst_json_parse(old, strlen(old), "x", &pst_json_oci, &b, &err), PST_OK);
	cr_assert_eq(pst_learn_merge(a, b, &err), PST_OK, "%s", err.msg);
	cr_expect(pst_json_u64(pst_json_at(a, "/calls/read/exec"), &n) && n == 0);
	cr_expect(pst_json_u64(pst_json_at(a, "/calls/read/serving"), &n) && n == 2);
}

Test(learn, the_text_counts_by_phase)
{
	struct pst_err err = {0};
	pst_auto_json *outer = baseline();
	pst_auto_json *rec = recording();
	pst_auto_json *out = NULL;
	pst_auto_buf text = {0};
	cr_assert_eq(pst_learn_propose(rec, outer, "my", &out, &err), PST_OK);
	cr_assert_eq(pst_learn_text(rec, out, outer, &text, &err), PST_OK);
	cr_expect_not_null(strstr(pst_buf_cstr(&text), "denied by the node's profile: mount\n"));
	cr_expect_null(strstr(pst_buf_cstr(&text), "wider"));
	cr_expect_not_null(strstr(pst_buf_cstr(&text), "seen       5 calls, start-up 3, serving 2, by exec 2\n"), "%s",
			   pst_buf_cstr(&text));
}
