/*
 * core/wirefiles.h - the files of our own that Podman and CRI-O read.
 *
 * Pure. Both read every .conf file of a folder after their main one.
 */
#pragma once

#include "base/buf.h"
#include "core/wireplan.h"

/* For /etc/containers/containers.conf.d: the runtime `postern`. Podman names no flags for a
 * runtime, so there is none for a class: --runtime-flag class=CLASS chooses it. */
void pst_wire_podman(const struct pst_wire *w, struct pst_buf *out);

/* For /etc/crio/crio.conf.d: the handler `postern`; CRI-O names no flags either. */
void pst_wire_crio(const struct pst_wire *w, struct pst_buf *out);
