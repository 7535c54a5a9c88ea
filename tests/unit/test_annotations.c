#include <criterion/criterion.h>
#include <string.h>

#include "core/annotations.h"
#include "core/json.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, NULL), PST_OK, "%s",
		     text);
	return j;
}

static struct pst_policy policy(void)
{
	pst_auto_json *doc =
		parse("{\"limits\":{\"pids\":{\"max\":1000},\"memory\":{\"max\":\"1Gi\"},"
		      "\"cpu\":{\"max\":2},\"network\":{\"egress\":\"1Gbit\"}},\"profile\":{\"allow\":[\"strict\"]},"
		      "\"exempt\":{\"namespaces\":[\"kube-system\"]},"
		      "\"passAnnotations\":[\"run.oci.keep_original_groups\",\"org.systemd.*\"]}");
	json_t *const docs[] = {doc};
	const char *const names[] = {"p.json"};
	struct pst_policy p;
	cr_assert_eq(pst_policy_build(docs, names, 1, NULL, &p, NULL), PST_OK);
	return p;
}

/* *keep holds what the strings of *t are borrowed from. */
static int read_text(const char *text, struct pst_tighten *t, json_t **keep, struct pst_err *err)
{
	struct pst_policy p = policy();
	*keep = text == NULL ? NULL : parse(text);
	const int rc = pst_annotations_read(*keep, &p, t, err);
	pst_policy_done(&p);
	return rc;
}

static struct pst_err refused(const char *text, const char *pointer)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {.pids = 7};
	struct pst_err err = {0};
	cr_assert_eq(read_text(text, &t, &keep, &err), PST_E_POLICY, "accepted: %s", text);
	cr_expect_str_eq(err.pointer, pointer);
	cr_expect_neq(err.cure[0], '\0');
	cr_expect_neq(err.rule[0], '\0');
	cr_expect_eq(t.pids, 7, "failure must leave the output alone");
	return err;
}

static bool exempt(const char *text)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {0};
	cr_assert_eq(read_text(text, &t, &keep, NULL), PST_OK, "%s", text);
	return t.exempt;
}

Test(annotations, tighten_inside_the_policy)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {0};
	struct pst_err err = {0};
	cr_assert_eq(read_text("{\"postern/profile\":\"strict\",\"postern/pids\":\"100\","
			       "\"postern/memory\":\"256Mi\",\"postern/cpu\":\"500m\","
			       "\"postern/nofile\":\"1024\",\"other\":\"x\"}",
			       &t, &keep, &err),
		     PST_OK, "%s", err.msg);
	cr_expect_str_eq(t.profile, "strict");
	cr_expect(t.has_pids && t.has_memory && t.has_cpu && t.has_nofile);
	cr_expect_eq(t.pids, 100);
	cr_expect_eq(t.memory, 256 << 20);
	cr_expect_eq(t.cpu, 500);
	cr_expect_eq(t.nofile, 1024);
	cr_expect_not(t.exempt);
}

Test(annotations, bandwidth_is_said_in_bits)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {0};
	struct pst_err err = {0};
	cr_assert_eq(read_text("{\"postern/net-egress\":\"10Mbit\",\"postern/net-ingress\":\"1500k\"}", &t, &keep,
			       &err), PST_OK, "%s", err.msg);
	cr_expect(t.has_network[PST_NET_EGRESS] && t.has_network[PST_NET_INGRESS]);
	cr_expect_eq(t.network[PST_NET_EGRESS], 10000000);
	cr_expect_eq(t.network[PST_NET_INGRESS], 1500000);
	err = refused("{\"postern/net-egress\":\"2Gbit\"}", "/annotations/postern~1net-egress");
	cr_expect_str_eq(err.rule, "p.json /limits/network/egress");
	cr_expect_str_eq(err.msg, "annotation postern/net-egress: 2Gbit is above the node's ceiling");
	refused("{\"postern/net-egress\":\"100m\"}", "/annotations/postern~1net-egress");
	refused("{\"postern/net-ingress\":\"0\"}", "/annotations/postern~1net-ingress");
}

Test(annotations, none_at_all_ask_for_nothing)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {.has_pids = true};
	cr_assert_eq(read_text(NULL, &t, &keep, NULL), PST_OK);
	cr_expect_not(t.has_pids);
	cr_expect_null(t.profile);
}

Test(annotations, what_would_loosen_is_refused_with_the_rule_and_its_file)
{
	struct pst_err e = refused("{\"postern/pids\":\"1001\"}", "/annotations/postern~1pids");
	cr_expect_str_eq(e.rule, "p.json /limits/pids/max");
	e = refused("{\"postern/profile\":\"baseline\"}", "/annotations/postern~1profile");
	cr_expect_str_eq(e.rule, "p.json /profile/allow");
	refused("{\"postern/memory\":\"2Gi\"}", "/annotations/postern~1memory");
	refused("{\"postern/cpu\":\"2.001\"}", "/annotations/postern~1cpu");
}

Test(annotations, what_does_not_parse_is_refused)
{
	static const char *const bad[] = {"", "0", "-1", "lots", "1 ", "unlimited", "18446744073709551616"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		char text[80];
		snprintf(text, sizeof text, "{\"postern/pids\":\"%s\"}", bad[i]);
		refused(text, "/annotations/postern~1pids");
	}
	struct pst_err e = refused("{\"postern/memory\":\"500m\"}", "/annotations/postern~1memory");
	cr_expect(strstr(e.cure, "thousandth") != NULL, "%s", e.cure);
	refused("{\"postern/profile\":\"../../etc/passwd\"}", "/annotations/postern~1profile");
	refused("{\"postern/profile\":\"\"}", "/annotations/postern~1profile");
}

Test(annotations, unknown_ones_are_refused_with_the_nearest)
{
	struct pst_err e = refused("{\"postern/pid\":\"5\"}", "/annotations/postern~1pid");
	cr_expect(strstr(e.cure, "postern/pids") != NULL, "%s", e.cure);
	e = refused("{\"Postern/pids\":\"5\"}", "/annotations/Postern~1pids");
	cr_expect(strstr(e.cure, "postern/pids") != NULL, "%s", e.cure);
	refused("{\"postern/\":\"5\"}", "/annotations/postern~1");
}

Test(annotations, known_ones_nothing_enforces_are_refused)
{
	static const char *const names[] = {"exec-gate", "ready", "phase-serve",
					    "phase-exec"};
	for (size_t i = 0; i < PST_NELEM(names); i++) {
		char text[80], pointer[80];
		snprintf(text, sizeof text, "{\"postern/%s\":\"1\"}", names[i]);
		snprintf(pointer, sizeof pointer, "/annotations/postern~1%s", names[i]);
		struct pst_err e = refused(text, pointer);
		cr_expect(strstr(e.msg, "not supported by this version") != NULL, "%s", e.msg);
	}
}

Test(annotations, those_that_steer_the_runtime_need_the_policy)
{
	refused("{\"run.oci.seccomp_bpf_data\":\"x\"}", "/annotations/run.oci.seccomp_bpf_data");
	refused("{\"org.criu.config\":\"/x\"}", "/annotations/org.criu.config");
	refused("{\"bundle\":\"/elsewhere\"}", "/annotations/bundle");
	refused("{\"module.wasm.image/variant\":\"compat\"}",
		"/annotations/module.wasm.image~1variant");
	cr_expect_not(exempt("{\"run.oci.keep_original_groups\":\"1\"}"));
	cr_expect_not(exempt("{\"org.systemd.property.CollectMode\":\"'inactive'\"}"));
}

Test(annotations, values_must_be_strings)
{
	pst_auto_json *keep = NULL;
	struct pst_tighten t = {0};
	struct pst_err err = {0};
	cr_assert_eq(read_text("{\"a/b\":5}", &t, &keep, &err), PST_E_SPEC);
	cr_expect_str_eq(err.pointer, "/annotations/a~1b");
}

Test(annotations, a_namespace_is_exempt_only_when_no_key_disputes_it)
{
	cr_expect(exempt("{\"io.kubernetes.cri.sandbox-namespace\":\"kube-system\"}"));
	cr_expect(exempt("{\"io.kubernetes.pod.namespace\":\"kube-system\"}"));
	cr_expect(exempt("{\"io.kubernetes.cri.sandbox-namespace\":\"kube-system\","
			 "\"io.kubernetes.pod.namespace\":\"kube-system\"}"));
	cr_expect_not(exempt("{\"io.kubernetes.cri.sandbox-namespace\":\"default\"}"));
	cr_expect_not(exempt("{\"io.kubernetes.cri.sandbox-namespace\":\"kube-system\","
			     "\"io.kubernetes.pod.namespace\":\"default\"}"));
	cr_expect_not(exempt("{\"io.kubernetes.cri.sandbox-namespace\":\"default\","
			     "\"io.kubernetes.pod.namespace\":\"kube-system\"}"));
	cr_expect_not(exempt("{\"io.kubernetes.pod.namespace\":\"kube-system\","
			     "\"io.kubernetes.cri-o.Namespace\":\"default\"}"));
	cr_expect_not(exempt("{}"));
}

/* What a policy that passes nothing says of one annotation. */
static int plainly(const char *text)
{
	pst_auto_json *doc = parse("{}");
	pst_auto_json *keep = parse(text);
	json_t *const docs[] = {doc};
	const char *const names[] = {"p.json"};
	struct pst_policy p;
	struct pst_tighten t = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_build(docs, names, 1, NULL, &p, NULL), PST_OK);
	const int rc = pst_annotations_read(keep, &p, &t, &err);
	pst_policy_done(&p);
	return rc;
}

Test(annotations, how_systemd_ends_the_scope_may_be_said)
{
	static const char *const good[] = {
		"{\"org.systemd.property.KillSignal\":\"15\"}",
		"{\"org.systemd.property.TimeoutStopUSec\":\"uint64 10000000\"}",
	};
	static const char *const bad[] = {
		"{\"org.systemd.property.KillSignal\":\"65\"}",
		"{\"org.systemd.property.KillSignal\":\"int32 15\"}",
		"{\"org.systemd.property.KillSignal\":\"15 \"}",
		"{\"org.systemd.property.KillSignals\":\"15\"}",
		"{\"org.systemd.property.TimeoutStopUSec\":\"uint64 3600000001\"}",
		"{\"org.systemd.property.TimeoutStopUSec\":\"uint64 -1\"}",
		"{\"org.systemd.property.Slice\":\"'system.slice'\"}",
		"{\"org.systemd.property.DevicePolicy\":\"'auto'\"}",
	};
	for (size_t i = 0; i < PST_NELEM(good); i++)
		cr_expect_eq(plainly(good[i]), PST_OK, "%s", good[i]);
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_expect_eq(plainly(bad[i]), PST_E_POLICY, "%s", bad[i]);
}
