/* I-1, I-2, I-7, I-8 over 10,000 random specs: the plan only tightens, gives no host
 * root away, explains each edit, and a plan of the planned spec changes nothing. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "core/json.h"
#include "core/plan.h"
#include "core/profiles.h"

#define ROUNDS 10000

static json_t *profile_tree;

static const json_t *profile(const char *name, void *arg)
{
	(void)arg;
	size_t len;
	const char *text = pst_profile_builtin(name, &len);
	if (profile_tree == NULL && text != NULL)
		(void)!pst_json_parse(text, len, name, &pst_json_oci, &profile_tree, NULL);
	return text == NULL ? NULL : profile_tree;
}

static json_t *some_caps(void)
{
	const pst_capset bits = chance_one_in(8) ? PST_CAPS_ALL : chance_next() & chance_next() & PST_CAPS_ALL;
	return pst_caps_json(bits);
}

static json_t *some_seccomp(void)
{
	static const char *const texts[] = {
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"chmod\",\"socket\"],"
		"\"action\":\"SCMP_ACT_ERRNO\"}]}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"write\",\"openat\","
		"\"exit_group\",\"ptrace\"],\"action\":\"SCMP_ACT_ALLOW\"}]}",
		"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,\"syscalls\":[{\"names\":[\"socket\"],"
		"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":5,\"op\":\"SCMP_CMP_LT\"}]}]}",
	};
	json_t *j = NULL;
	const char *t = texts[chance_below(3)];
	(void)!pst_json_parse(t, strlen(t), "t", &pst_json_oci, &j, NULL);
	return j;
}

static void add_mounts(json_t *spec)
{
	static const char *const sources[] = {"/etc", "/var/lib/docker/volumes/a", "/run/docker.sock", "/dev/sda",
					      "/proc", "/b/hosts"};
	json_t *m = json_array();
	json_array_append_new(m, json_pack("{s:s,s:s,s:s}", "destination", "/proc", "type", "proc", "source", "proc"));
	json_array_append_new(m, json_pack("{s:s,s:s,s:s}", "destination", "/sys", "type", "sysfs", "source", "sysfs"));
	for (unsigned i = chance_below(3); i > 0; i--)
		json_array_append_new(m, json_pack("{s:s,s:s,s:s,s:[s,s,s]}", "destination", "/v", "type", "bind",
						   "source", sources[chance_below(6)], "options", "rbind",
						   chance_one_in(4) ? "rslave" : "rprivate",
						   chance_one_in(3) ? "rw" : "ro"));
	json_object_set_new(spec, "mounts", m);
}

static json_t *some_spec(void)
{
	static const char *const ns[] = {"pid", "ipc", "uts", "mount", "network", "cgroup"};
	json_t *list = json_array();
	for (unsigned i = 0; i < 6; i++)
		if (i == 3 || !chance_one_in(12))
			json_array_append_new(list, json_pack("{s:s}", "type", ns[i]));
	json_t *s = json_pack("{s:s, s:{s:b, s:{s:i,s:i}, s:{s:o,s:o,s:o,s:o,s:o}, s:[s]}, s:{s:s,s:b}, s:{s:o, s:{s:{}}}}",
			      "ociVersion", "1.0.2", "process", "noNewPrivileges", (int)chance_one_in(2), "user",
			      "uid", (int)chance_below(3) * 1000, "gid", 0, "capabilities", "bounding", some_caps(),
			      "effective", some_caps(), "inheritable", some_caps(), "permitted", some_caps(), "ambient",
			      some_caps(), "args", "true", "root", "path", "/b/rootfs", "readonly",
			      (int)chance_one_in(2), "linux", "namespaces", list, "resources", "pids");
	if (!chance_one_in(3))
		(void)!pst_json_put(s, "/linux/seccomp", some_seccomp());
	if (chance_one_in(10)) {
		(void)!pst_json_put(s, "/linux/namespaces/-", json_pack("{s:s}", "type", "user"));
		(void)!pst_json_put(s, "/linux/uidMappings", json_pack("[{s:i,s:i,s:i}]", "containerID", 0, "hostID",
								       chance_one_in(2) ? 0 : 300000, "size", 65536));
	}
	add_mounts(s);
	return s;
}

static json_t *facts_for(const json_t *spec)
{
	json_t *mounts = json_array();
	const json_t *m = json_object_get(spec, "mounts");
	for (size_t i = 0; i < json_array_size(m); i++) {
		const char *src = json_string_value(json_object_get(json_array_get(m, i), "source"));
		const char *kind = strstr(src, ".sock") ? "socket" : strstr(src, "/dev/") ? "blk" : "dir";
		json_array_append_new(mounts, json_pack("{s:I,s:s,s:s,s:s,s:s}", "index", (json_int_t)i, "source", src,
							"kind", kind, "map", chance_one_in(5) ? "none" : "recursive",
							"fs", "ext4"));
	}
	return json_pack("{s:{s:s,s:b,s:s}, s:{s:b}, s:{s:s,s:s,s:[i,i,i],s:b,s:b}, s:{s:I},"
			 "s:{s:s,s:s,s:{s:s,s:s,s:s,s:s},s:o,s:{}}}",
			 "kernel", "release", "6.18", "idmap", 1, "overlay", "fd", "caller", "root", 1, "runtime",
			 "path", "/usr/sbin/runc", "name", "runc", "version", 1, 1, 5, "joinsNetns", 0, "seccompFlags",
			 0, "ids", "base", (json_int_t)1879048192, "bundle", "path", "/b", "stage", "/s/x", "rootfs",
			 "kind", "dir", "path", "/b/rootfs", "map", "recursive", "why", "", "mounts", mounts,
			 "namespaces");
}

static int plan(json_t *tree, const struct pst_policy *policy, const json_t *facts_tree, struct pst_plan *p,
		struct pst_spec *spec, struct pst_err *err)
{
	struct pst_facts facts;
	int rc = pst_spec_parse(tree, spec, err);
	if (rc == PST_OK)
		rc = pst_facts_parse(facts_tree, &facts, err);
	const struct pst_plan_input in = {.spec = spec, .policy = policy, .facts = &facts, .profile = profile};
	return rc == PST_OK ? pst_plan_make(&in, p, err) : rc;
}

static void tightened(const struct pst_spec *in, const struct pst_plan *p, unsigned round)
{
	struct pst_spec out;
	struct pst_err err = {0};
	cr_assert_eq(pst_spec_parse(p->spec, &out, &err), PST_OK, "round %u: %s", round, err.msg);
	for (int k = 0; k < PST_CAPS_KINDS; k++)
		cr_assert_eq(out.caps[k] & ~in->caps[k], 0, "round %u: capability added", round);
	cr_assert(out.no_new_privs || !in->no_new_privs, "round %u: no_new_privs lowered", round);
	for (int k = 0; k < PST_NS_COUNT; k++)
		cr_assert(out.ns[k].present || !in->ns[k].present || in->ns[k].path != NULL,
			  "round %u: namespace lost", round);
	if (p->ids == PST_HOW_MAP)
		cr_assert(out.nuid_map == 1 && out.uid_map[0].host >= 65536 && out.uid_map[0].size == 65536,
			  "round %u: I-2", round);
	for (size_t i = 0; i < p->edits.n; i++)
		cr_assert(p->edits.v[i].reason[0] != '\0' && p->edits.v[i].source[0] != '\0', "round %u: I-8", round);
	pst_spec_done(&out);
}

Test(plan, random_specs_are_only_tightened_and_planned_once)
{
	struct pst_policy policy = {0};
	struct pst_err err = {0};
	unsigned planned = 0, refused = 0;
	cr_assert_eq(pst_policy_build(NULL, NULL, 0, NULL, &policy, &err), PST_OK, "%s", err.msg);
	for (unsigned round = 0; round < ROUNDS; round++) {
		chance_seed(round);
		pst_auto_json *tree = some_spec();
		pst_auto_json *facts = facts_for(tree);
		struct pst_plan p, again;
		struct pst_spec spec, second;
		if (plan(tree, &policy, facts, &p, &spec, &err) != PST_OK) {
			cr_assert(err.code == PST_E_POLICY || err.code == PST_E_SPEC, "round %u: %s", round, err.msg);
			cr_assert(err.pointer[0] != '\0' && err.cure[0] != '\0', "round %u: %s", round, err.msg);
			refused++;
			pst_spec_done(&spec);
			continue;
		}
		planned++;
		tightened(&spec, &p, round);
		pst_auto_json *facts2 = facts_for(p.spec);
		cr_assert_eq(plan(p.spec, &policy, facts2, &again, &second, &err), PST_OK, "round %u: I-7: %s", round,
			     err.msg);
		cr_assert_eq(again.edits.n, 0, "round %u: I-7: %s", round,
			     again.edits.n != 0 ? again.edits.v[0].pointer : "");
		pst_plan_done(&again);
		pst_spec_done(&second);
		pst_plan_done(&p);
		pst_spec_done(&spec);
	}
	cr_assert(planned > ROUNDS / 10 && refused > ROUNDS / 10, "%u planned, %u refused", planned, refused);
	json_decref(profile_tree);
	pst_policy_done(&policy);
}
