#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/policy.h"
#include "core/policy_priv.h"

static json_t *parse(const char *text)
{
	json_t *j = NULL;
	struct pst_err err = {0};
	cr_assert_eq(pst_json_parse(text, strlen(text), "t", &pst_json_oci, &j, &err), PST_OK, "%s: %s",
		     text, err.msg);
	return j;
}

static int build(const char *text, const char *class, struct pst_policy *p, struct pst_err *err)
{
	pst_auto_json *doc = parse(text);
	json_t *const docs[] = {doc};
	const char *const names[] = {"policy.json"};
	return pst_policy_build(docs, names, 1, class, p, err);
}

static struct pst_err refused(const char *text, const char *pointer)
{
	struct pst_policy p = {.pool_first = 7};
	struct pst_err err = {0};
	cr_assert_eq(build(text, NULL, &p, &err), PST_E_POLICY, "accepted: %s", text);
	cr_expect_str_eq(err.pointer, pointer, "%s: pointer %s", text, err.pointer);
	cr_expect_str_eq(err.file, "policy.json");
	cr_expect_neq(err.cure[0], '\0', "%s: no cure", text);
	cr_expect_eq(p.pool_first, 7, "failure must leave the output alone");
	return err;
}

static bool has(const struct pst_strv *l, const char *s)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->v[i], s) == 0)
			return true;
	return false;
}

Test(policy, built_in_is_valid_and_refuses_every_grant)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(pst_policy_build(NULL, NULL, 0, NULL, &p, &err), PST_OK, "%s", err.msg);
	for (int k = 0; k < PST_G_COUNT; k++)
		cr_expect_eq(p.grants[k], PST_REFUSE);
	cr_expect_str_eq(p.runtime_path, "runc");
	cr_expect(p.safety_net);
	cr_expect_eq(p.ids_mode, PST_IDS_MAP);
	cr_expect_eq(p.ids_fallback, PST_FB_REFUSE);
	cr_expect_not(p.pool_set);
	cr_expect_str_eq(p.profile_default, "baseline");
	cr_expect_eq(p.profile_mode, PST_MODE_ENFORCE);
	cr_expect_not(p.nnp_force);
	cr_expect_not(p.pids.has_default || p.pids.has_max || p.memory.has_max || p.cpu.has_max);
	char caps[256];
	cr_expect_str_eq(pst_caps_text(p.cap_ceiling, caps, sizeof caps),
			 "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID NET_BIND_SERVICE "
			 "NET_RAW SYS_CHROOT SETFCAP");
	cr_expect(has(&p.volume_roots, "/var/lib/kubelet/pods"));
	cr_expect(has(&p.mask_paths, "/proc/kcore"));
	cr_expect(has(&p.readonly_paths, "/proc/sys"));
	char src[128];
	cr_expect_str_eq(pst_policy_source(&p, "/grants/hostPID", src, sizeof src),
			 "built-in policy /grants/hostPID");
	pst_policy_done(&p);
}

Test(policy, every_typed_key_reaches_its_field)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(
		build("{\"version\":1,\"runtime\":{\"path\":\"/usr/bin/crun\",\"safetyNet\":false},"
		      "\"ids\":{\"mode\":\"off\",\"fallback\":\"off\",\"size\":65536,"
		      "\"pool\":{\"first\":1879048192,\"blocks\":4095}},"
		      "\"profile\":{\"default\":\"strict\",\"allow\":[\"a\",\"b\"],\"mode\":\"off\"},"
		      "\"capabilities\":{\"ceiling\":[\"*\"]},\"noNewPrivileges\":\"force\","
		      "\"grants\":{\"privileged\":\"pass\",\"userns\":\"confine\"},"
		      "\"volumeRoots\":[\"/srv\"],\"exempt\":{\"namespaces\":[\"kube-system\"]},"
		      "\"passAnnotations\":[\"run.oci.keep*\"],"
		      "\"limits\":{\"pids\":{\"default\":1024,\"max\":\"32k\"},\"memory\":{\"max\":\"8Gi\"},"
		      "\"cpu\":{\"default\":0.5,\"max\":4},\"nofile\":{\"max\":1048576}},"
		      "\"paths\":{\"masked\":[],\"readOnly\":[\"/proc/sys\"]}}",
		      "", &p, &err),
		PST_OK, "%s %s", err.pointer, err.msg);
	cr_expect_str_eq(p.runtime_path, "/usr/bin/crun");
	cr_expect_not(p.safety_net);
	cr_expect_eq(p.ids_mode, PST_IDS_OFF);
	cr_expect_eq(p.ids_fallback, PST_FB_OFF);
	cr_expect(p.pool_set);
	cr_expect_eq(p.pool_first, 1879048192);
	cr_expect_eq(p.pool_blocks, 4095);
	cr_expect_str_eq(p.profile_default, "strict");
	cr_expect_eq(p.profile_allow.n, 2);
	cr_expect_eq(p.profile_mode, PST_MODE_OFF);
	cr_expect_eq(p.cap_ceiling, PST_CAPS_ALL);
	cr_expect(p.nnp_force);
	cr_expect_eq(p.grants[PST_G_PRIVILEGED], PST_PASS);
	cr_expect_eq(p.grants[PST_G_USERNS], PST_CONFINE);
	cr_expect_eq(p.grants[PST_G_HOST_PID], PST_REFUSE);
	cr_expect_eq(p.volume_roots.n, 1, "arrays are replaced, not joined");
	cr_expect(has(&p.exempt_namespaces, "kube-system"));
	cr_expect(has(&p.pass_annotations, "run.oci.keep*"));
	cr_expect_eq(p.pids.dflt, 1024);
	cr_expect_eq(p.pids.max, 32000);
	cr_expect_not(p.memory.has_default);
	cr_expect_eq(p.memory.max, UINT64_C(8) << 30);
	cr_expect_eq(p.cpu.dflt, 500);
	cr_expect_eq(p.cpu.max, 4000);
	cr_expect_eq(p.rlimits[PST_RL_NOFILE].max, 1048576);
	cr_expect_eq(p.mask_paths.n, 0);
	cr_expect_eq(p.readonly_paths.n, 1);
	pst_policy_done(&p);
}

Test(policy, later_files_win_and_reasons_name_the_innermost)
{
	pst_auto_json *a = parse("{\"limits\":{\"pids\":{\"max\":100},\"cpu\":{\"max\":2}},"
				 "\"grants\":{\"hostPID\":\"pass\"},\"ids\":{\"mode\":\"map\"}}");
	pst_auto_json *b = parse("{\"limits\":{\"pids\":{\"max\":50}},"
				 "\"classes\":{\"hard\":{\"limits\":{\"pids\":{\"max\":5}},"
				 "\"grants\":{\"hostPID\":\"refuse\"}}}}");
	pst_auto_json *c = parse("{\"limits\":{\"cpu\":null}}");
	json_t *const docs[] = {a, b, c};
	const char *const names[] = {"/etc/p.json", "/etc/p.d/b.json", "/etc/p.d/c.json"};
	struct pst_policy p;
	char src[160];

	cr_assert_eq(pst_policy_build(docs, names, 3, NULL, &p, NULL), PST_OK);
	cr_expect_eq(p.pids.max, 50);
	cr_expect_not(p.cpu.has_max, "null takes a limit away");
	cr_expect_str_eq(pst_policy_source(&p, "/limits/pids/max", src, sizeof src),
			 "/etc/p.d/b.json /limits/pids/max");
	cr_expect_str_eq(pst_policy_source(&p, "/grants/hostPID", src, sizeof src),
			 "/etc/p.json /grants/hostPID");
	cr_expect_str_eq(pst_policy_source(&p, "/paths/masked/3", src, sizeof src),
			 "built-in policy /paths/masked");
	cr_expect_str_eq(pst_policy_source(&p, "/ids", src, sizeof src), "/etc/p.json /ids");
	cr_expect_str_eq(pst_policy_source(&p, "/nowhere", src, sizeof src),
			 "built-in policy /nowhere");
	pst_policy_done(&p);

	cr_assert_eq(pst_policy_build(docs, names, 3, "hard", &p, NULL), PST_OK);
	cr_expect_eq(p.pids.max, 5);
	cr_expect_eq(p.grants[PST_G_HOST_PID], PST_REFUSE);
	cr_expect_str_eq(pst_policy_source(&p, "/limits/pids/max", src, sizeof src),
			 "/etc/p.d/b.json /classes/hard/limits/pids/max");
	pst_policy_done(&p);
}

Test(policy, an_unknown_class_is_refused_with_the_nearest)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(build("{\"classes\":{\"untrusted\":{}}}", "untrused", &p, &err), PST_E_POLICY);
	cr_expect(strstr(err.cure, "\"untrusted\"") != NULL, "%s", err.cure);
	cr_assert_eq(build("{}", "x", &p, &err), PST_E_POLICY);
}

Test(policy, unknown_keys_name_pointer_and_the_nearest_known_key)
{
	struct pst_err e = refused("{\"grants\":{\"hostNetwrk\":\"pass\"}}", "/grants/hostNetwrk");
	cr_expect(strstr(e.cure, "\"hostNetwork\"") != NULL, "%s", e.cure);
	refused("{\"pids\":{\"max\":1}}", "/pids");
	e = refused("{\"ids\":{\"shape\":1}}", "/ids/shape");
	cr_expect(strstr(e.cure, "mode, fallback, pool, size") != NULL, "%s", e.cure);
	refused("{\"a/b~c\":1}", "/a~1b~0c");
	refused("{\"limits\":{\"\":1}}", "/limits/");
	refused("{\"classes\":{\"x\":{\"classes\":{}}}}", "/classes/x/classes");
	refused("{\"classes\":{\"x\":{\"version\":1}}}", "/classes/x/version");
	e = refused("{\"classes\":{\"x\":{\"limit\":{}}}}", "/classes/x/limit");
	cr_expect(strstr(e.cure, "\"limits\"") != NULL, "%s", e.cure);
}

Test(policy, an_endless_key_is_refused_at_its_parent)
{
	char text[6000];
	memset(text, 'k', sizeof text);
	memcpy(text, "{\"limits\":{\"", 12);
	memcpy(text + sizeof text - 6, "\":1}}", 6);
	struct pst_err e = refused(text, "/limits");
	cr_expect(strstr(e.msg, "unknown key") != NULL);
	char noisy[] = "{\"a\\u001b[2Jb\":1}";
	struct pst_policy p;
	cr_assert_eq(build(noisy, NULL, &p, &e), PST_E_POLICY);
	cr_expect_null(strchr(e.msg, '\033'), "a terminal must not see an escape");
}

Test(policy, wrong_types_words_and_ranges_are_refused_at_their_pointer)
{
	static const char *const bad[][2] = {
		{"[]", ""},
		{"{\"version\":2}", "/version"},
		{"{\"version\":\"1\"}", "/version"},
		{"{\"runtime\":\"runc\"}", "/runtime"},
		{"{\"runtime\":{\"path\":\"bin/runc\"}}", "/runtime/path"},
		{"{\"runtime\":{\"path\":\"\"}}", "/runtime/path"},
		{"{\"runtime\":{\"path\":\"/usr/../bin/runc\"}}", "/runtime/path"},
		{"{\"runtime\":{\"safetyNet\":1}}", "/runtime/safetyNet"},
		{"{\"ids\":{\"mode\":\"Map\"}}", "/ids/mode"},
		{"{\"ids\":{\"size\":65535}}", "/ids/size"},
		{"{\"ids\":{\"pool\":{\"first\":0,\"blocks\":1}}}", "/ids/pool/first"},
		{"{\"ids\":{\"pool\":{\"first\":-65536,\"blocks\":1}}}", "/ids/pool/first"},
		{"{\"ids\":{\"pool\":{\"first\":65536.0,\"blocks\":1}}}", "/ids/pool/first"},
		{"{\"profile\":{\"default\":\"../etc/shadow\"}}", "/profile/default"},
		{"{\"profile\":{\"default\":null}}", "/profile/default"},
		{"{\"profile\":{\"allow\":\"*\"}}", "/profile/allow"},
		{"{\"profile\":{\"allow\":[\"a\",5]}}", "/profile/allow/1"},
		{"{\"capabilities\":{\"ceiling\":[\"CAP_KILL\",\"CAP_CHWON\"]}}",
		 "/capabilities/ceiling/1"},
		{"{\"capabilities\":{\"ceiling\":[\"*\",\"CAP_KILL\"]}}", "/capabilities/ceiling/0"},
		{"{\"noNewPrivileges\":true}", "/noNewPrivileges"},
		{"{\"grants\":{\"hostPID\":\"allow\"}}", "/grants/hostPID"},
		{"{\"grants\":null}", "/grants"},
		{"{\"volumeRoots\":[\"/a\",\"b\"]}", "/volumeRoots/1"},
		{"{\"volumeRoots\":[\"/a/\"]}", "/volumeRoots/0"},
		{"{\"volumeRoots\":[\"/a/../b\"]}", "/volumeRoots/0"},
		{"{\"exempt\":{\"namespaces\":[\"Kube\"]}}", "/exempt/namespaces/0"},
		{"{\"passAnnotations\":[\"a*b\"]}", "/passAnnotations/0"},
		{"{\"limits\":{\"pids\":5}}", "/limits/pids"},
		{"{\"limits\":{\"pids\":{\"max\":0}}}", "/limits/pids/max"},
		{"{\"limits\":{\"pids\":{\"max\":-1}}}", "/limits/pids/max"},
		{"{\"limits\":{\"memory\":{\"max\":\"500m\"}}}", "/limits/memory/max"},
		{"{\"limits\":{\"memory\":{\"max\":\"8 Gi\"}}}", "/limits/memory/max"},
		{"{\"limits\":{\"memory\":{\"max\":99999999999999999999}}}", "/limits/memory/max"},
		{"{\"limits\":{\"cpu\":{\"max\":[4]}}}", "/limits/cpu/max"},
		{"{\"limits\":{\"nofile\":{\"max\":\"1Ti\"}}}", "/limits/nofile/max"},
		{"{\"images\":{\"maxAge\":\"30\"}}", "/images/maxAge"},
		{"{\"denials\":{\"ratePerSecond\":0}}", "/denials/ratePerSecond"},
		{"{\"paths\":{\"masked\":[\"proc/kcore\"]}}", "/paths/masked/0"},
		{"{\"classes\":[]}", "/classes"},
		{"{\"classes\":{\"UP\":{}}}", "/classes/UP"},
		{"{\"classes\":{\"x\":1}}", "/classes/x"},
		{"{\"classes\":{\"x\":{\"ids\":{\"mode\":1}}}}", "/classes/x/ids/mode"},
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		refused(bad[i][0], bad[i][1]);
}

Test(policy, what_is_wrong_only_after_merging_is_pinned_to_its_file)
{
	refused("{\"limits\":{\"pids\":{\"default\":10,\"max\":5}}}", "/limits/pids/default");
	refused("{\"ids\":{\"pool\":{\"first\":65537,\"blocks\":1}}}", "/ids/pool/blocks");
	refused("{\"ids\":{\"pool\":{\"first\":65536,\"blocks\":65534},\"mode\":\"map\"},"
		"\"limits\":{\"cpu\":{\"default\":5,\"max\":4}}}",
		"/limits/cpu/default");
	refused("{\"ids\":{\"pool\":{\"first\":131072,\"blocks\":65534}}}", "/ids/pool/blocks");
	refused("{\"ids\":{\"pool\":{\"first\":65536}}}", "/ids/pool/first");
	refused("{\"ids\":{\"pool\":{\"blocks\":5}}}", "/ids/pool/blocks");
}

Test(policy, what_is_not_built_is_refused_by_name_not_accepted_in_silence)
{
	static const char *const bad[][2] = {
		{"{\"ids\":{\"fallback\":\"chown\"}}", "/ids/fallback"},
		{"{\"execGate\":\"deny\"}", "/execGate"},
		{"{\"images\":{\"onMissing\":\"refuse\"}}", "/images/onMissing"},
		{"{\"images\":{\"maxSeverity\":\"high\"}}", "/images/maxSeverity"},
		{"{\"classes\":{\"u\":{\"execGate\":\"deny\"}}}", "/classes/u/execGate"},
	};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_err e = refused(bad[i][0], bad[i][1]);
		cr_expect(strstr(e.msg, "not supported by this version") != NULL, "%s", e.msg);
	}
}

Test(policy, keys_that_ask_for_nothing_are_accepted)
{
	struct pst_policy p;
	struct pst_err err = {0};
	cr_assert_eq(build("{\"limits\":{\"disk\":{\"readBps\":null,\"writeBps\":null,"
			   "\"readIops\":null,\"writeIops\":null,\"size\":null},"
			   "\"network\":{\"egress\":null,\"ingress\":null},\"memory\":null},"
			   "\"denials\":{\"record\":false,\"ratePerSecond\":100},\"execGate\":\"log\","
			   "\"images\":{\"onMissing\":\"allow\",\"maxSeverity\":\"critical\","
			   "\"fixableOnly\":true,\"maxAge\":\"30d\"},\"ids\":{\"pool\":null},"
			   "\"classes\":{\"u\":{\"images\":null,\"execGate\":null}}}",
			   "u", &p, &err),
		     PST_OK, "%s %s", err.pointer, err.msg);
	pst_policy_done(&p);
}

Test(policy, table_is_sound)
{
	for (size_t i = 0; i < pst_policy_nkeys; i++) {
		const struct policy_key *k = &pst_policy_keys[i];
		cr_expect_eq(pst_policy_key(k->pointer), k, "%s stands twice", k->pointer);
		char parent[96] = "";
		memcpy(parent, k->pointer, (size_t)(strrchr(k->pointer, '/') - k->pointer));
		if (parent[0] != '\0')
			cr_expect_eq(pst_policy_key(parent)->kind, PST_PK_OBJECT, "%s", k->pointer);
		cr_expect(strlen(k->pointer) + strlen("/classes/") + 40 < 96, "%s", k->pointer);
		if (k->kind == PST_PK_WORD || k->kind == PST_PK_SWITCH)
			cr_expect_not_null(k->words);
		if (k->kind == PST_PK_TEXT || k->kind == PST_PK_LIST)
			cr_expect(k->text_ok != NULL && k->want != NULL, "%s", k->pointer);
	}
	for (int g = 0; g < PST_G_COUNT; g++)
		cr_expect_eq(strncmp(pst_grant_pointer((enum pst_grant_kind)g), "/grants/", 8), 0);
	cr_expect_str_eq(pst_grant_pointer(PST_G_USERNS), "/grants/userns");
	cr_expect_str_eq(pst_grant_word(PST_PASS), "pass");
	cr_expect_str_eq(pst_grant_word(PST_REFUSE), "refuse");
}

/* xorshift: the same mutants every run. */
static uint32_t next(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

/* Whatever the bytes: an error with a code and no output, or a policy that holds
 * its own promises and says so again when it is read back. */
static void one_mutant(char *text, size_t len)
{
	json_t *doc = NULL;
	struct pst_err err = {0};
	if (pst_json_parse(text, len, "m", &pst_json_oci, &doc, &err) != PST_OK)
		return;
	struct pst_policy p;
	const char *const names[] = {"m"};
	const int rc = pst_policy_build(&doc, names, 1, NULL, &p, &err);
	if (rc != PST_OK) {
		cr_assert_eq(rc, PST_E_POLICY, "%s: %s", text, err.msg);
		cr_assert_neq(err.cure[0], '\0', "%s: %s", text, err.msg);
	} else {
		cr_assert(p.profile_default != NULL && p.runtime_path != NULL);
		cr_assert(!p.pids.has_max || (p.pids.max >= 1 && p.pids.max <= 4194304));
		cr_assert((unsigned)p.grants[PST_G_PRIVILEGED] <= PST_PASS);
		cr_assert_eq(p.cap_ceiling & ~PST_CAPS_ALL, 0);
		pst_policy_done(&p);
	}
	json_decref(doc);
}

Test(policy, mutants_are_refused_cleanly_or_hold)
{
	static const char seed[] =
		"{\"version\":1,\"grants\":{\"privileged\":\"pass\"},\"limits\":{\"pids\":{\"default\":10,"
		"\"max\":\"1k\"},\"cpu\":{\"max\":4}},\"ids\":{\"pool\":{\"first\":1879048192,"
		"\"blocks\":4095}},\"profile\":{\"allow\":[\"*\"]},\"capabilities\":{\"ceiling\":[\"*\"]},"
		"\"volumeRoots\":[\"/a/b\"],\"classes\":{\"u\":{\"execGate\":\"log\"}}}";
	static const char bytes[] = "{}[]\":,0123456789-.eEnultrfasx/~*\\\xff ";
	uint32_t s = 2463534242u;
	for (int round = 0; round < 4000; round++) {
		char text[sizeof seed + 16];
		size_t len = sizeof seed - 1;
		memcpy(text, seed, sizeof seed);
		for (uint32_t n = 1 + next(&s) % 3; n > 0; n--) {
			const size_t at = next(&s) % len;
			const char c = bytes[next(&s) % (sizeof bytes - 1)];
			if (next(&s) % 3 == 0 && len > 8) {
				memmove(text + at, text + at + 1, len - at);
				len--;
			} else {
				text[at] = c;
			}
		}
		one_mutant(text, len);
	}
}
