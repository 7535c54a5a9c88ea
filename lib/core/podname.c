#include "core/podname.h"

#include "core/json.h"

const char *const pst_podname_keys[PST_POD_NAMES] = {"pod", "namespace", "container"};

static const char *const annotations_of[PST_POD_NAMES][2] = {
	{"io.kubernetes.cri.sandbox-name", "io.kubernetes.pod.name"},
	{"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.pod.namespace"},
	{"io.kubernetes.cri.container-name", "io.kubernetes.container.name"},
};

const char *pst_podname(const json_t *annotations, enum pst_podname which)
{
	const char *v = NULL;
	for (size_t i = 0; v == NULL && i < 2; i++)
		v = pst_json_str(json_object_get(annotations, annotations_of[which][i]));
	return v;
}
