#include <criterion/criterion.h>
#include <string.h>

#include "core/wiredocker.h"
#include "core/wirefiles.h"

static const char *const classes[] = {"strict"};
static const struct pst_wire one = {.bin = "/opt/p"};
static const struct pst_wire two = {.bin = "/opt/p", .policy = "/p.json", .classes = classes, .nclasses = 1};

static char *daemon_with(const char *text, const struct pst_wire *w, bool *gone)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_docker_daemon(text, text != NULL ? strlen(text) : 0, "/d.json", w, &out, gone, &err),
		     PST_OK, "%s: %s", text, err.msg);
	return pst_buf_take(&out);
}

static void becomes(const char *text, const struct pst_wire *w, const char *want)
{
	bool gone;
	pst_auto_free char *got = daemon_with(text, w, &gone);
	cr_assert_str_eq(got, want);
}

Test(wiredocker, runtimes_go_in_behind_the_brace)
{
	becomes(NULL, &one, "{\"runtimes\": {\"postern\": {\"path\":\"/opt/p/postern\"}}}\n");
	becomes("{\n  \"debug\": true\n}\n", &one,
		"{\n  \"runtimes\": {\"postern\": {\"path\":\"/opt/p/postern\"}},\n  \"debug\": true\n}\n");
	becomes("{}", &one, "{\n  \"runtimes\": {\"postern\": {\"path\":\"/opt/p/postern\"}}}");
	becomes("{\"runtimes\": {\n    \"x\": {\"path\": \"/x\"}}}", &two,
		"{\"runtimes\": {\n    \"postern\": {\"path\":\"/opt/p/postern\",\"runtimeArgs\":[\"--policy\",\"/p.json\"]},"
		"\n    \"postern-strict\": {\"path\":\"/opt/p/postern\",\"runtimeArgs\":[\"--policy\",\"/p.json\",\"--class\","
		"\"strict\"]},\n    \"x\": {\"path\": \"/x\"}}}");
}

Test(wiredocker, in_and_out_leaves_the_file_as_it_was)
{
	static const char *const texts[] = {
		"{}", "{ }\n", "{\n}\n", "{\"a\":1}", "{\r\n\t\"a\": 1.10,\r\n\t\"b\": 18446744073709551615\r\n}",
		"{\"runtimes\":{}}", "{\"runtimes\": {\n  }, \"z\": [1, {\"runtimes\": {}}]}",
		"{\"z\": \"}{\\\"runtimes\\\": {\", \"runtimes\": {\"x\": {\"path\": \"/x\"}}}",
		"  {\"runtimes\" : { \"postern2\": {\"path\": \"/x\"} } , \"b\": null }\n\n",
	};
	for (size_t i = 0; i < PST_NELEM(texts); i++) {
		bool gone;
		pst_auto_free char *in = daemon_with(texts[i], &one, &gone);
		pst_auto_free char *again = daemon_with(in, &one, &gone);
		cr_assert_str_eq(again, in);
		pst_auto_free char *more = daemon_with(in, &two, &gone);
		pst_auto_free char *out = daemon_with(more, NULL, &gone);
		cr_assert_str_eq(out, texts[i]);
		cr_assert_not(gone);
		pst_auto_free char *none = daemon_with(out, NULL, &gone);
		cr_assert_str_eq(none, texts[i]);
	}
}

Test(wiredocker, a_default_runtime_that_would_be_gone_is_refused)
{
	static const char *const texts[] = {
		"{\"default-runtime\": \"postern-strict\", \"debug\": true}",
		"{\"default-runtime\": \"runc\", \"debug\": true}",
	};
	for (size_t i = 0; i < PST_NELEM(texts); i++) {
		bool gone;
		pst_auto_free char *in = daemon_with(texts[i], &two, &gone);
		const struct pst_wire *const later[] = {NULL, &one}; /* none, and without the class */
		for (size_t k = 0; k < PST_NELEM(later); k++) {
			pst_auto_buf out = {0};
			struct pst_err err = {0};
			const int rc = pst_docker_daemon(in, strlen(in), "/d.json", later[k], &out, &gone, &err);
			cr_assert_eq(rc, i == 0 ? PST_E_STATE : PST_OK);
			if (rc == PST_OK)
				continue;
			cr_assert_str_eq(err.msg, "the default runtime is postern-strict, which would be gone");
			cr_assert_str_eq(err.pointer, "/default-runtime");
			cr_assert_str_eq(err.file, "/d.json");
			cr_assert_eq(out.len, 0);
		}
	}
}

Test(wiredocker, a_file_made_for_us_goes_with_us)
{
	bool gone;
	pst_auto_free char *in = daemon_with(NULL, &two, &gone);
	free(daemon_with(in, NULL, &gone));
	cr_assert(gone);
}

Test(wiredocker, ours_are_found_in_a_file_that_a_tool_wrote_anew)
{
	static const char text[] =
		"{\n    \"log-driver\": \"x\",\n    \"runtimes\": {\n        \"nv\": {\n            \"path\": \"/nv\"\n        },\n"
		"        \"postern\": {\n            \"path\": \"/opt/p/postern\"\n        },\n"
		"        \"postern-strict\": {\n            \"path\": \"/opt/p/postern\",\n            \"runtimeArgs\": [\n"
		"                \"--class\",\n                \"strict\"\n            ]\n        }\n    }\n}\n";
	becomes(text, NULL,
		"{\n    \"log-driver\": \"x\",\n    \"runtimes\": {\n        \"nv\": {\n            \"path\": \"/nv\"\n        }\n    }\n}\n");
	becomes(text, &one,
		"{\n    \"log-driver\": \"x\",\n    \"runtimes\": {\n    \"postern\": {\"path\":\"/opt/p/postern\"},"
		"\n        \"nv\": {\n            \"path\": \"/nv\"\n        }\n    }\n}\n");
}

static void refused(const char *text, int code, const char *pointer)
{
	pst_auto_buf out = {0};
	bool gone;
	struct pst_err err = {0};
	cr_assert_eq(pst_docker_daemon(text, strlen(text), "/d.json", &one, &out, &gone, &err), code, "%s", text);
	cr_assert_str_eq(err.pointer, pointer);
	cr_assert_str_eq(err.file, "/d.json");
}

Test(wiredocker, what_stands_in_the_way_is_refused_with_its_pointer)
{
	refused("", PST_E_SPEC, "");
	refused("{", PST_E_SPEC, "");
	refused("[]", PST_E_STATE, "");
	refused("{\"runtimes\": []}", PST_E_STATE, "/runtimes");
	refused("{\"runtimes\": {\"postern\": {\"path\": \"/usr/bin/theirs\"}}}", PST_E_STATE, "/runtimes/postern");
	refused("{\"runtimes\": {\"postern\": {\"runtimeType\": \"x\"}}}", PST_E_STATE, "/runtimes/postern");
	refused("{\"runtimes\": {\"postern-strict\": {\"path\": \"/p/postern\", \"runtimeArgs\": [\"--debug\"]}}}",
		PST_E_STATE, "/runtimes/postern-strict");
	refused("{\"a\": 1, \"a\": 2}", PST_E_SPEC, "/a");
	refused("{\"runtimes\": {\"post\\u0065rn\": {\"path\": \"/p/postern\"}}}", PST_E_STATE, "/runtimes");
}

Test(wiredocker, uninstall_leaves_a_strangers_runtime_of_that_name)
{
	static const char text[] = "{\"runtimes\": {\"postern\": {\"path\": \"/usr/bin/theirs\"}}}";
	becomes(text, NULL, text);
}

Test(wiredocker, files_for_podman_and_crio)
{
	pst_auto_buf podman = {0}, crio = {0};
	pst_wire_podman(&one, &podman);
	pst_wire_crio(&one, &crio);
	cr_assert_str_eq(podman.data, "# `postern uninstall podman` takes this file away.\n[engine.runtimes]\n"
				      "postern = [\"/opt/p/postern\"]\n");
	cr_assert_not_null(strstr(crio.data, "[crio.runtime.runtimes.postern]\nruntime_path = \"/opt/p/postern\"\n"));
}
