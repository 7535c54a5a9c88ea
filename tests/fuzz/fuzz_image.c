/* The four documents of an image layout: the first byte says as which the rest is read. */
#include "core/ociimage.h"
#include "target.h"

static void as_manifest(const char *text, size_t len)
{
	struct pst_oci_manifest m = {0};
	struct pst_err err = {0};
	if (pst_ociimage_manifest(text, len, "fuzz", &m, &err) != PST_OK)
		PST_HOLDS(m.layers == NULL && err.code != PST_OK);
	else
		PST_HOLDS(m.nlayers <= PST_OCI_LAYERS_MAX);
	pst_oci_manifest_done(&m);
}

static void as_config(const char *text, size_t len, size_t layers)
{
	struct pst_oci_config c = {0};
	struct pst_err err = {0};
	if (pst_ociimage_config(text, len, "fuzz", layers, &c, &err) != PST_OK)
		PST_HOLDS(c.env == NULL && err.code != PST_OK);
	else
		PST_HOLDS(c.ndiffids == layers && c.env != NULL);
	pst_oci_config_done(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	const size_t len = size - 1;
	struct pst_oci_desc d = {0};
	struct pst_err err = {0};
	switch (data[0]) {
	case 'l':
		(void)!pst_ociimage_layout(text, len, "fuzz", &err);
		break;
	case 'i':
		(void)!pst_ociimage_index(text, len, "fuzz", NULL, &d, &err);
		(void)!pst_ociimage_index(text, len, "fuzz", "v1", &d, &err);
		(void)!pst_ociimage_platform(text, len, "fuzz", &d, &err);
		break;
	case 'm':
		as_manifest(text, len);
		break;
	default:
		as_config(text, len, data[0] % 4);
	}
	return 0;
}
