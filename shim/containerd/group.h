/*
 * containerd/group.h - which containers share a shim.
 */
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

/*
 * The group named by config.json in the working directory: its annotation
 * io.containerd.runc.v2.group, else io.kubernetes.cri.sandbox-id; "" without either, or
 * without a config.json. A file that is no JSON is nobody's group: Create will say so.
 * A name that does not fit, or holds a slash, is PST_E_SPEC.
 */
PST_CHECKED PST_NONNULL(1)
int pst_group_read(char *ret, size_t size, struct pst_err *err);
