/*
 * core/podname.h - what Kubernetes calls a container, from its annotations. Pure.
 *
 * containerd's CRI writes io.kubernetes.cri.*, CRI-O io.kubernetes.*.
 */
#pragma once

#include <jansson.h>

#include "base/attr.h"

enum pst_podname { PST_POD_NAME, PST_POD_NAMESPACE, PST_POD_CONTAINER, PST_POD_NAMES };

/* "pod", "namespace", "container". */
extern const char *const pst_podname_keys[PST_POD_NAMES];

/* The name, borrowed from `annotations` (may be NULL); NULL if there is none. */
PST_CHECKED const char *pst_podname(const json_t *annotations, enum pst_podname which);
