/*
 * host/nodelook.h - every container of the node, its limits and what it uses.
 */
#pragma once

#include "core/nodestat.h"
#include "host/container.h"

/*
 * Look once. Keepers are asked to write what they have counted; those that do not answer
 * cost two seconds at most, all together. A container that goes away meanwhile is left
 * out; one that cannot be read is counted in `unread`. No state directory: no
 * containers. Needs root.
 */
PST_CHECKED PST_NONNULL(1, 2)
int pst_node_look(const struct pst_global *g, struct pst_nodestat *ret, struct pst_err *err);
