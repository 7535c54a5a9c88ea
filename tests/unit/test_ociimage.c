#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/ociimage.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MAN "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""
#define IDX "\"mediaType\":\"application/vnd.oci.image.index.v1+json\""
#define ENTRY(hex, tag)                                                       \
	"{" MAN ",\"digest\":\"sha256:" hex "\",\"size\":7,\"annotations\":{" \
	"\"org.opencontainers.image.ref.name\":\"" tag "\"}}"
#define CONF                                                           \
	"{\"mediaType\":\"application/vnd.oci.image.config.v1+json\"," \
	"\"digest\":\"sha256:" A64 "\",\"size\":3}"
#define LAYER(media) "{\"mediaType\":\"" media "\",\"digest\":\"sha256:" B64 "\",\"size\":9}"

static int pick(const char *text, const char *tag, struct pst_oci_desc *d, struct pst_err *err)
{
	return pst_ociimage_index(text, strlen(text), "index.json", tag, d, err);
}

Test(ociimage, digest_takes_only_sha256_and_64_lower_case_digits)
{
	char hex[PST_OCI_HEX + 1] = "same";
	static const char *const bad[] = {"",
					  "sha256:",
					  "sha256:" A64 "a",
					  "sha512:" A64,
					  "SHA256:" A64,
					  A64,
					  "sha256:../../../../etc/passwd",
					  "sha256:Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
					  "aaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_expect_eq(pst_ociimage_digest(bad[i], hex, NULL), PST_E_SPEC, "%s", bad[i]);
	cr_expect_str_eq(hex, "same");
	cr_assert_eq(pst_ociimage_digest("sha256:" A64, hex, NULL), PST_OK);
	cr_expect_str_eq(hex, A64);
}

Test(ociimage, layout_of_another_version_is_refused)
{
	const char *good = "{\"imageLayoutVersion\":\"1.0.0\"}";
	const char *bad = "{\"imageLayoutVersion\":\"2.0.0\"}";
	struct pst_err err = {0};
	cr_expect_eq(pst_ociimage_layout(good, strlen(good), "oci-layout", &err), PST_OK);
	cr_expect_eq(pst_ociimage_layout(bad, strlen(bad), "oci-layout", &err), PST_E_SPEC);
	cr_expect_str_eq(err.file, "oci-layout");
	cr_expect_str_eq(err.pointer, "/imageLayoutVersion");
	cr_expect_neq(err.cure[0], '\0');
}

Test(ociimage, the_only_entry_needs_no_tag_and_several_need_latest)
{
	struct pst_oci_desc d;
	struct pst_err err = {0};
	cr_assert_eq(pick("{\"manifests\":[" ENTRY(A64, "odd") "]}", NULL, &d, &err), PST_OK);
	cr_expect_str_eq(d.hex, A64);
	cr_expect_eq(d.size, 7);
	const char *two = "{\"manifests\":[" ENTRY(A64, "v1") "," ENTRY(B64, "latest") "]}";
	cr_assert_eq(pick(two, NULL, &d, &err), PST_OK);
	cr_expect_str_eq(d.hex, B64);
	cr_assert_eq(pick(two, "v1", &d, &err), PST_OK);
	cr_expect_str_eq(d.hex, A64);
	const char *none = "{\"manifests\":[" ENTRY(A64, "v1") "," ENTRY(B64, "v2") "]}";
	cr_expect_eq(pick(none, NULL, &d, &err), PST_E_SPEC);
	cr_expect_eq(pick(none, "v3", &d, &err), PST_E_SPEC);
	cr_expect_not_null(strstr(err.cure, "v1, v2"), "%s", err.cure);
	cr_expect_str_eq(d.hex, A64, "a failure leaves out alone");
}

Test(ociimage, containerd_names_are_tags_too)
{
	struct pst_oci_desc d;
	struct pst_err err = {0};
	const char *t =
		"{\"manifests\":[{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":1,"
		"\"annotations\":{\"io.containerd.image.name\":\"registry.test/a/b:v9\"}}," ENTRY(
			B64, "x") "]}";
	cr_assert_eq(pick(t, "v9", &d, &err), PST_OK, "%s", err.msg);
	cr_expect_str_eq(d.hex, A64);
	cr_assert_eq(pick(t, "registry.test/a/b:v9", &d, &err), PST_OK);
	cr_expect_str_eq(d.hex, A64);
}

Test(ociimage, platform_decides_inside_an_index)
{
	const char *t = "{\"manifests\":["
			"{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":1,"
			"\"platform\":{\"os\":\"linux\",\"architecture\":\"s390x\"}},"
			"{" MAN ",\"digest\":\"sha256:" B64 "\",\"size\":1,"
			"\"platform\":{\"os\":\"linux\",\"architecture\":\"" PST_OCI_ARCH "\"}}]}";
	struct pst_oci_desc d;
	struct pst_err err = {0};
	cr_assert_eq(pst_ociimage_platform(t, strlen(t), "blob", &d, &err), PST_OK);
	cr_expect_str_eq(d.hex, B64);
	cr_assert_eq(pick(t, NULL, &d, &err), PST_OK, "a flat index of platforms works as well");
	cr_expect_str_eq(d.hex, B64);
	const char *foreign = "{\"manifests\":[{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":1,"
			      "\"platform\":{\"os\":\"windows\",\"architecture\":\"amd64\"}}]}";
	cr_expect_eq(pst_ociimage_platform(foreign, strlen(foreign), "blob", &d, &err), PST_E_SPEC);
}

Test(ociimage, broken_descriptors_name_file_and_pointer)
{
	static const struct {
		const char *text;
		const char *pointer;
	} t[] = {
		{"{}", "/manifests"},
		{"{\"manifests\":[]}", "/manifests"},
		{"{\"manifests\":{}}", "/manifests"},
		{"{\"manifests\":[3]}", "/manifests/0/mediaType"},
		{"{\"manifests\":[{" MAN ",\"digest\":7,\"size\":1}]}", "/manifests/0/digest"},
		{"{\"manifests\":[{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":-1}]}",
		 "/manifests/0/size"},
		{"{\"manifests\":[{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":1e99}]}",
		 "/manifests/0/size"},
		{"{\"manifests\":[{" MAN ",\"digest\":\"sha256:" A64 "\",\"size\":999999999}]}",
		 "/manifests/0/size"},
		{"[1]", ""},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		struct pst_oci_desc d;
		struct pst_err err = {0};
		cr_expect_eq(pick(t[i].text, NULL, &d, &err), PST_E_SPEC, "%s", t[i].text);
		cr_expect_str_eq(err.file, "index.json");
		cr_expect_str_eq(err.pointer, t[i].pointer, "%s: %s", t[i].text, err.pointer);
	}
}

Test(ociimage, manifest_knows_the_layer_media_types_of_oci_and_docker)
{
	const char *t =
		"{\"config\":" CONF
		",\"layers\":[" LAYER("application/vnd.oci.image.layer.v1.tar") "," LAYER("applicat"
											  "ion/"
											  "vnd.oci."
											  "image."
											  "layer."
											  "v1.tar+"
											  "gzip") "," LAYER(
			"application/vnd.oci.image.layer.v1.tar+zstd") "," LAYER("application/"
										 "vnd.docker.image."
										 "rootfs.diff.tar."
										 "gzip") "]}";
	struct pst_oci_manifest m;
	struct pst_err err = {0};
	cr_assert_eq(pst_ociimage_manifest(t, strlen(t), "blob", &m, &err), PST_OK, "%s", err.msg);
	cr_expect_eq(m.nlayers, 4);
	cr_expect_eq(m.layers[0].kind, PST_OCI_TAR);
	cr_expect_eq(m.layers[1].kind, PST_OCI_TAR_GZIP);
	cr_expect_eq(m.layers[2].kind, PST_OCI_TAR_ZSTD);
	cr_expect_eq(m.layers[3].kind, PST_OCI_TAR_GZIP);
	cr_expect_eq(m.config.size, 3);
	pst_oci_manifest_done(&m);

	const char *odd = "{\"config\":" CONF ",\"layers\":[" LAYER("application/x-wasm") "]}";
	cr_expect_eq(pst_ociimage_manifest(odd, strlen(odd), "blob", &m, &err), PST_E_SPEC);
	cr_expect_str_eq(err.pointer, "/layers/0/mediaType");
	const char *self = "{\"config\":" CONF ",\"layers\":[" CONF "]}";
	cr_expect_eq(pst_ociimage_manifest(self, strlen(self), "blob", &m, &err), PST_E_SPEC);
	const char *empty = "{\"config\":" CONF ",\"layers\":[]}";
	cr_expect_eq(pst_ociimage_manifest(empty, strlen(empty), "blob", &m, &err), PST_E_SPEC);
}

static int conf(const char *text, size_t n, struct pst_oci_config *c, struct pst_err *err)
{
	return pst_ociimage_config(text, strlen(text), "blob", n, c, err);
}

#define ROOTFS "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"sha256:" A64 "\"]}"

Test(ociimage, config_gives_what_a_launch_needs)
{
	const char *t =
		"{\"os\":\"linux\",\"architecture\":\"" PST_OCI_ARCH "\",\"config\":{"
		"\"Entrypoint\":[\"/e\",\"x\"],\"Cmd\":null,\"Env\":[\"A=b=c\"],"
		"\"User\":\"daemon\",\"WorkingDir\":\"/srv\",\"StopSignal\":\"SIGQUIT\","
		"\"ExposedPorts\":{\"80/tcp\":{}},\"Volumes\":{\"/data\":{}},\"New\":1}," ROOTFS
		"}";
	struct pst_oci_config c;
	struct pst_err err = {0};
	cr_assert_eq(conf(t, 1, &c, &err), PST_OK, "%s", err.msg);
	cr_expect_str_eq(c.entrypoint[1], "x");
	cr_expect_null(c.entrypoint[2]);
	cr_expect_null(c.cmd[0]);
	cr_expect_str_eq(c.env[0], "A=b=c");
	cr_expect_str_eq(c.volumes[0], "/data");
	cr_expect_str_eq(c.user, "daemon");
	cr_expect_str_eq(c.workdir, "/srv");
	cr_expect_str_eq(c.stop_signal, "SIGQUIT");
	cr_expect_str_eq(c.diffids[0], A64);
	pst_oci_config_done(&c);
	cr_assert_eq(conf("{" ROOTFS "}", 1, &c, &err), PST_OK, "an image may have no config");
	cr_expect_null(c.user);
	cr_expect_null(c.cmd[0]);
	pst_oci_config_done(&c);
}

Test(ociimage, config_with_wrong_types_or_counts_is_refused)
{
	static const struct {
		const char *text;
		const char *pointer;
	} t[] = {
		{"{\"config\":{\"Cmd\":\"sh\"}," ROOTFS "}", "/config/Cmd"},
		{"{\"config\":{\"Cmd\":[1]}," ROOTFS "}", "/config/Cmd"},
		{"{\"config\":{\"Cmd\":[\"a\\u0000b\"]}," ROOTFS "}", "/config/Cmd/0"},
		{"{\"config\":{\"Env\":[\"NOVALUE\"]}," ROOTFS "}", "/config/Env"},
		{"{\"config\":{\"User\":7}," ROOTFS "}", "/config/User"},
		{"{\"config\":[]," ROOTFS "}", "/config"},
		{"{\"architecture\":\"s390x\"," ROOTFS "}", "/architecture"},
		{"{}", "/rootfs/type"},
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}", "/rootfs/diff_ids"},
		{"{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"x\"]}}", "/rootfs/diff_ids/0"},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		struct pst_oci_config c;
		struct pst_err err = {0};
		cr_expect_eq(conf(t[i].text, 1, &c, &err), PST_E_SPEC, "%s", t[i].text);
		cr_expect_str_eq(err.pointer, t[i].pointer, "%s: %s", t[i].text, err.pointer);
	}
}

Test(ociimage, a_colon_after_the_last_slash_starts_the_tag)
{
	const char *tag = NULL;
	cr_expect_eq(pst_ociimage_split("/a:b/img", &tag), 8);
	cr_expect_null(tag);
	cr_expect_eq(pst_ociimage_split("/a/img:v1", &tag), 6);
	cr_expect_str_eq(tag, "v1");
	cr_expect_eq(pst_ociimage_split("img:", &tag), 3);
	cr_expect_str_eq(tag, "");
}
