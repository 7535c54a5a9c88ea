#include "core/scdisasm.h"
#include "core/surface.h"
#include "scfixture.h"

#define ALLOW(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"

Test(surface, the_score_is_the_sum_of_its_parts)
{
	pst_auto_scprof *p = builtin("baseline");
	const struct pst_surface_in in = {.name = "baseline", .p = p, .caps = 1};
	struct pst_surface s;
	unsigned sum = 0;
	unsigned most = 0;
	pst_surface_make(&in, &s);
	for (size_t i = 0; i < PST_SURFACE_PARTS; i++) {
		sum += s.part[i].points;
		most += s.part[i].most;
		cr_expect_leq(s.part[i].points, s.part[i].most);
	}
	cr_expect_eq(sum, s.score);
	cr_expect_eq(most, 100000);
}

Test(surface, no_filter_is_a_hundred_and_nothing_is_nothing)
{
	pst_auto_scprof *p = rules("");
	const struct pst_surface_in open = {.name = "open", .caps = PST_CAPS_ALL};
	const struct pst_surface_in shut = {.name = "shut", .p = p};
	struct pst_surface s;
	pst_surface_make(&open, &s);
	cr_expect_eq(s.score, 100000);
	pst_surface_make(&shut, &s);
	cr_expect_eq(s.score, 0);
}

Test(surface, groups_hold_every_call_once)
{
	const struct pst_surface_in in = {.name = "open"};
	struct pst_surface s;
	size_t n = 0;
	pst_surface_make(&in, &s);
	for (size_t i = 0; i < s.ngroups; i++) {
		size_t k = 0;
		while (pst_surface_call(&s.group[i], k) != NULL)
			k++;
		cr_expect_eq(k, s.group[i].n, "%s", s.group[i].group->name);
		n += k;
	}
	cr_expect_eq(n, s.n);
}

Test(surface, a_recording_counts_what_gets_through)
{
	pst_auto_scprof *p = rules(ALLOW("\"read\""));
	bool used[PST_SC_NATIVE] = {[0] = true, [1] = true};
	const struct pst_surface_in in = {.name = "x", .p = p, .used = used};
	struct pst_surface s;
	pst_surface_make(&in, &s);
	cr_expect(s.used == 2 && s.used_open == 1);
}

static const char spec[] =
	"{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/run/"
	"netns/a\"}]},"
	"\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
	"{\"destination\":\"/ro\",\"source\":\"/srv/ro\",\"options\":[\"bind\",\"ro\"]},"
	"{\"destination\":\"/data\",\"source\":\"/run/stage/v2\",\"options\":[\"rbind\"]},"
	"{\"destination\":\"/<script>\",\"type\":\"bind\",\"source\":\"/a&b\\\"'\"}]}";

Test(surface, host_side_of_a_container)
{
	pst_auto_json *j = json_loads(spec, 0, NULL);
	pst_auto_json *steps = json_loads(
		"[{\"step\":\"volume\",\"arg\":{\"index\":2,\"source\":\"/srv/data\"}}]", 0, NULL);
	const struct pst_surface_in in = {.name = "c", .spec = j, .steps = steps};
	struct pst_surface s;
	struct pst_surface_path p;
	pst_surface_make(&in, &s);
	cr_assert(pst_surface_path(&s, 0, &p));
	cr_expect_str_eq(p.source, "/srv/data");
	cr_expect_str_eq(p.destination, "/data");
	cr_assert(pst_surface_path(&s, 1, &p));
	cr_expect_not(pst_surface_path(&s, 2, &p));
	cr_expect_str_eq(pst_surface_namespace(&s, "pid"), "own");
	cr_expect_str_eq(pst_surface_namespace(&s, "network"), "joined");
	cr_expect_str_eq(pst_surface_namespace(&s, "user"), "the host's");
}

Test(surface, nothing_from_outside_is_markup)
{
	pst_auto_json *j = json_loads(spec, 0, NULL);
	pst_auto_json *meta =
		json_loads("{\"summary\":\"</p><img src=x onerror=alert(1)>\\u202e\",\"why\":"
			   "[{\"calls\":[\"bpf\"],\"why\":\"<b onload='x'>\"}]}",
			   0, NULL);
	pst_auto_scprof *p = rules(ALLOW("\"read\""));
	const struct pst_surface_in in = {
		.name = "\"><script>alert(1)</script>", .p = p, .spec = j, .meta = meta};
	struct pst_surface s;
	pst_auto_buf out = {0};
	pst_surface_make(&in, &s);
	pst_surface_html(&s, &out);
	const char *page = pst_buf_cstr(&out);
	cr_expect(pst_buf_ok(&out));
	cr_expect_null(strstr(page, "<script"));
	cr_expect_null(strstr(page, "<img"));
	cr_expect_null(strstr(page, "<b onload"));
	cr_expect_null(strstr(page, "\xe2\x80\xae"));
	cr_expect_not_null(strstr(page, "&lt;script&gt;alert(1)"));
	cr_expect_not_null(strstr(page, "/a&amp;b&quot;&#39;"));
}

Test(surface, the_page_loads_nothing_and_runs_nothing)
{
	pst_auto_scprof *p = builtin("baseline");
	const struct pst_surface_in in = {.name = "baseline", .p = p};
	static const char *const never[] = {"http:", "https:",  "url(",  "@import",
					    "<link", "<script", " src=", "onclick"};
	struct pst_surface s;
	pst_auto_buf out = {0};
	pst_surface_make(&in, &s);
	pst_surface_html(&s, &out);
	for (size_t i = 0; i < PST_NELEM(never); i++)
		cr_expect_null(strstr(pst_buf_cstr(&out), never[i]), "%s", never[i]);
	cr_expect_not_null(strstr(pst_buf_cstr(&out), "prefers-color-scheme:dark"));
}

Test(surface, json_says_the_same)
{
	pst_auto_scprof *p = builtin("baseline");
	pst_auto_scprof *d = rules(ALLOW("\"read\", \"ptrace\""));
	const struct pst_surface_in in = {.name = "baseline", .p = p, .docker = d};
	struct pst_surface s;
	pst_surface_make(&in, &s);
	pst_auto_json *j = pst_surface_json(&s);
	cr_assert_not_null(j);
	cr_expect_eq((size_t)json_integer_value(pst_json_at(j, "/counts/allowed")),
		     s.state[PST_SC_ALLOWED]);
	cr_expect_eq((size_t)json_integer_value(pst_json_at(j, "/cves/open")), s.cves_open);
	cr_expect_eq(json_array_size(pst_json_at(j, "/cves/list")), s.cves);
	cr_expect_str_eq(pst_json_str(pst_json_at(j, "/againstDockerDefault/onlyThere/0")),
			 "ptrace");
}

Test(scdisasm, names_calls_arguments_and_answers)
{
	static const struct sock_filter prog[] = {
		{0x20, 0, 0, 4},          {0x15, 0, 5, 0xc000003e}, {0x20, 0, 0, 0},
		{0x15, 0, 2, 41},         {0x20, 0, 0, 16},         {0x15, 1, 0, 1},
		{0x06, 0, 0, 0x00050001}, {0x06, 0, 0, 0x7fff0000},
	};
	pst_auto_buf out = {0};
	pst_scdisasm((struct pst_bpf){prog, PST_NELEM(prog)}, &out);
	cr_expect_str_eq(pst_buf_cstr(&out), "    0  value = arch\n"
					     "    1  if value = x86_64 go to 2, else to 7\n"
					     "    2  value = call\n"
					     "    3  if value = socket go to 4, else to 6\n"
					     "    4  value = arg1.low\n"
					     "    5  if value = 0x1 go to 7\n"
					     "    6  answer: EPERM\n"
					     "    7  answer: allowed\n");
}
