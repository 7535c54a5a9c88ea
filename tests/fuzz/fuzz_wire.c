/* Somebody's configuration file: what install adds to it, uninstall takes away to the byte. */
#include "core/wirecontainerd.h"
#include "core/wiredocker.h"
#include "target.h"

static const char *const classes[] = {"strict"};
static const struct pst_wire wire = {.bin = "/opt/p", .classes = classes, .nclasses = 1};
static const struct pst_cd_dump dump;
static const struct pst_cd_want want = {&wire, {1, 6, 20}, &dump, "/etc/postern"};

static void containerd(const char *text, size_t size)
{
	pst_auto_buf clean = {0}, in = {0}, again = {0}, out = {0};
	bool gone;
	struct pst_err err = {0};
	/* What is there of ours already is not the file's own. */
	if (pst_cd_main(text, size, "f", NULL, &clean, &gone, &err) != PST_OK ||
	    pst_cd_main(pst_buf_cstr(&clean), clean.len, "f", &want, &in, &gone, &err) != PST_OK) {
		PST_HOLDS(err.msg[0] != '\0');
		return;
	}
	PST_HOLDS(pst_cd_main(in.data, in.len, "f", &want, &again, &gone, &err) == PST_OK);
	PST_HOLDS(again.len == in.len && memcmp(again.data, in.data, in.len) == 0);
	PST_HOLDS(pst_cd_main(in.data, in.len, "f", NULL, &out, &gone, &err) == PST_OK);
	PST_HOLDS(out.len == clean.len && (out.len == 0 || memcmp(out.data, clean.data, out.len) == 0));
}

static void docker(const char *text, size_t size)
{
	pst_auto_buf clean = {0}, in = {0}, again = {0}, out = {0};
	bool gone;
	struct pst_err err = {0};
	if (pst_docker_daemon(text, size, "f", NULL, &clean, &gone, &err) != PST_OK ||
	    pst_docker_daemon(clean.data, clean.len, "f", &wire, &in, &gone, &err) != PST_OK) {
		PST_HOLDS(err.msg[0] != '\0');
		return;
	}
	PST_HOLDS(pst_docker_daemon(in.data, in.len, "f", &wire, &again, &gone, &err) == PST_OK);
	PST_HOLDS(again.len == in.len && memcmp(again.data, in.data, in.len) == 0);
	PST_HOLDS(pst_docker_daemon(in.data, in.len, "f", NULL, &out, &gone, &err) == PST_OK);
	PST_HOLDS(out.len == clean.len && memcmp(out.data, clean.data, out.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = pst_fuzz_text(data, size);
	containerd(text, size);
	docker(text, size);
	free(text);
	return 0;
}
