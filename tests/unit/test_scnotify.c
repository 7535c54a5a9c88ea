/* A profile whose denials are asked about allows what it allowed, and nothing else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "core/json.h"
#include "core/profiles.h"
#include "core/sccheck.h"
#include "core/scmeet.h"
#include "core/scnotify.h"
#include "host/scbuild.h"

static const char listener[] = "/run/postern/c/x/listener.sock";

static struct pst_scprof *builtin(const char *name)
{
	size_t len;
	struct pst_err err = {0};
	pst_auto_json *j = NULL;
	struct pst_scprof *p = NULL;
	const char *text = pst_profile_builtin(name, &len);
	cr_assert_eq(pst_json_parse(text, len, name, &pst_json_oci, &j, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(pst_scprof_parse(j, "", NULL, &p, &err), PST_OK, "%s", err.msg);
	return p;
}

static void ask(struct pst_scprof *p, const struct pst_scprof *ours, struct pst_buf *rules)
{
	struct pst_err err = {0};
	struct pst_notes notes = {0};
	size_t len;
	pst_auto_json *j = NULL;
	const char *text = pst_profile_builtin("baseline", &len);
	cr_assert_eq(pst_json_parse(text, len, "baseline", &pst_json_oci, &j, &err), PST_OK);
	const struct pst_scnotify how = {.ours = ours, .listener = listener, .notes = &notes,
					 .reasons = json_object_get(j, "postern")};
	cr_assert_eq(pst_scnotify(p, &how, rules, &err), PST_OK, "%s", err.msg);
	pst_notes_done(&notes);
}

struct pair {
	const struct pst_scprof *before, *after;
	unsigned slot;
	size_t points;
};

static bool same_side(void *ctx, const uint64_t args[PST_NARGS])
{
	struct pair *w = ctx;
	const uint32_t a = pst_sceval_slot(w->before, w->slot, args);
	const uint32_t b = pst_sceval_slot(w->after, w->slot, args);
	w->points++;
	cr_expect_eq(a == SECCOMP_RET_ALLOW, b == SECCOMP_RET_ALLOW, "%s(%lx, %lx, %lx)",
		     pst_sctable_slot(w->slot)->name, args[0], args[1], args[2]);
	if ((a & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO)
		cr_expect(b == a || b == SECCOMP_RET_USER_NOTIF);
	else
		cr_expect_eq(a, b);
	return true;
}

Test(scnotify, allows_what_it_allowed)
{
	pst_auto_scprof *before = builtin("baseline");
	pst_auto_scprof *after = builtin("baseline");
	pst_auto_buf rules = {0};
	struct pair w = {.before = before, .after = after};
	ask(after, before, &rules);
	for (w.slot = 0; w.slot < PST_SC_NATIVE; w.slot++) {
		if (pst_sctable_slot(w.slot) == NULL)
			continue;
		cr_assert(pst_sccheck_corners(&before->slot[w.slot], same_side, &w));
		cr_assert(pst_sccheck_corners(&after->slot[w.slot], same_side, &w));
	}
	cr_expect_gt(w.points, 1000);
	cr_expect_str_eq(after->listener_path, listener);
}

Test(scnotify, compiles_to_a_filter_as_strict)
{
	pst_auto_scprof *ours = builtin("baseline");
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_buf rules = {0};
	pst_auto_scbuilt built = {0};
	struct pst_err err = {0};
	ask(p, ours, &rules);
	cr_assert_eq(pst_scbuild(p, PST_SCBUILD_MS, &built, &err), PST_OK, "%s", err.msg);
	const struct pst_bpf prog = {built.insn, built.n};
	cr_expect_eq(pst_sccheck(&prog, 1, p, NULL, &err), PST_OK, "%s", err.msg);
	/* The way to mount(2), and to a socket of AF_VSOCK, ends at the listener. */
	struct seccomp_data d = {.nr = 165, .arch = 0xc000003e};
	cr_expect_eq(pst_bpf_run(prog, &d), SECCOMP_RET_USER_NOTIF);
	d = (struct seccomp_data){.nr = 41, .arch = 0xc000003e, .args = {40, 1, 0}};
	cr_expect_eq(pst_bpf_run(prog, &d), SECCOMP_RET_USER_NOTIF);
	d.args[0] = 0x100000028;
	cr_expect_eq(pst_bpf_run(prog, &d), SECCOMP_RET_USER_NOTIF);
	d = (struct seccomp_data){.nr = 435, .arch = 0xc000003e};
	cr_expect_eq(pst_bpf_run(prog, &d), SECCOMP_RET_ERRNO | ENOSYS, "clone3 stays in the kernel");
}

Test(scnotify, rules_say_the_errno_and_the_reason)
{
	pst_auto_scprof *ours = builtin("baseline");
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_buf rules = {0};
	ask(p, ours, &rules);
	const char *text = pst_buf_cstr(&rules);
	cr_expect_not_null(strstr(text, "deny\t165\tmount\t-\t1\tprofile\t"));
	cr_expect_not_null(strstr(text, "deny\t425\tio_uring_setup\t-\t38\tprofile\t"));
	cr_expect_not_null(strstr(text, "\t97\tprofile\tpacket, RDS, CAN,"), "%s", text);
	cr_expect_null(strstr(text, "clone3"));
	cr_expect_null(strstr(text, "pass\t"));
}

Test(scnotify, complain_lets_through_what_the_bound_allows_only)
{
	pst_auto_scprof *ours = builtin("baseline");
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_scprof *bound = builtin("baseline");
	struct pst_notes notes = {0};
	struct pst_err err = {0};
	pst_auto_buf rules = {0};
	struct pst_box all = {0};
	bound->slot[165].n = 0;
	cr_assert(pst_scslot_add(&bound->slot[165], &all, SECCOMP_RET_ALLOW));
	const struct pst_scnotify how = {.ours = ours, .bound = bound, .listener = listener,
					 .notes = &notes};
	cr_assert_eq(pst_scnotify(p, &how, &rules, &err), PST_OK);
	cr_expect_not_null(strstr(pst_buf_cstr(&rules), "pass\t165\tmount\t-\n"));
	cr_expect_null(strstr(pst_buf_cstr(&rules), "pass\t101\t"), "ptrace stays denied");
	pst_notes_done(&notes);
}

static bool same_action(void *ctx, const uint64_t args[PST_NARGS])
{
	struct pair *w = ctx;
	cr_expect_eq(pst_sceval_slot(w->before, w->slot, args), pst_sceval_slot(w->after, w->slot, args),
		     "%s(%lx, %lx, %lx)", pst_sctable_slot(w->slot)->name, args[0], args[1], args[2]);
	return true;
}

/* The same set, perhaps in other boxes. */
Test(scnotify, a_planned_filter_plans_to_itself)
{
	const struct pst_scmeet_opts o = {0};
	struct pst_err err = {0};
	pst_auto_scprof *ours = builtin("baseline");
	pst_auto_scprof *once = NULL, *twice = NULL, *again = NULL;
	pst_auto_buf rules = {0}, more = {0};
	cr_assert_eq(pst_scmeet(NULL, ours, &o, NULL, &once, &err), PST_OK);
	ask(once, ours, &rules);
	pst_auto_json *first = pst_scprof_emit(once);
	cr_assert_eq(pst_scprof_parse(first, "", NULL, &again, &err), PST_OK, "%s", err.msg);
	pst_scnotify_undo(again);
	cr_assert_eq(pst_scmeet(again, ours, &o, NULL, &twice, &err), PST_OK);
	ask(twice, ours, &more);
	struct pair w = {.before = once, .after = twice};
	for (w.slot = 0; w.slot < PST_SC_NATIVE; w.slot++) {
		if (pst_sctable_slot(w.slot) == NULL)
			continue;
		cr_assert(pst_sccheck_corners(&once->slot[w.slot], same_action, &w));
		cr_assert(pst_sccheck_corners(&twice->slot[w.slot], same_action, &w));
	}
}

Test(scnotify, a_profile_with_a_listener_or_an_open_default_is_left_alone)
{
	pst_auto_scprof *ours = builtin("baseline");
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_buf rules = {0};
	p->listener_path = strdup("/run/theirs.sock");
	ask(p, ours, &rules);
	cr_expect_str_eq(p->listener_path, "/run/theirs.sock");
	cr_expect_eq(rules.len, 0);
}

Test(scnotify, what_is_not_asked_about_is_told)
{
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_json *lacks = pst_scnotify_lacks(p);
	bool clone3 = false, socket = false, mount = false;
	for (size_t i = 0; i < json_array_size(lacks); i++) {
		const json_t *one = json_array_get(lacks, i);
		const char *call = json_string_value(json_object_get(one, "call"));
		const char *why = json_string_value(json_object_get(one, "why"));
		clone3 = clone3 || strcmp(call, "clone3") == 0;
		mount = mount || strcmp(call, "mount") == 0;
		socket = socket || (call[0] == '\0' && strstr(why, "socket") != NULL);
	}
	cr_expect(clone3 && socket && !mount);
}
