/*
 * host/scbuild.h - compile a profile with libseccomp, as a runtime would.
 *
 * For `postern profile test` and the property tests: what a container gets is
 * compiled by the OCI runtime. The work is done in a child with a time limit,
 * since libseccomp can fail to return on hostile rule sets, and probes the kernel.
 */
#pragma once

#include "base/attr.h"
#include "base/err.h"
#include "core/bpfsim.h"
#include "core/scprof.h"

#define PST_SCBUILD_MS 5000

struct pst_scbuilt {
	struct sock_filter *insn; /* malloc'd */
	size_t n;
};

/* Frees; accepts an empty one. */
void pst_scbuilt_done(struct pst_scbuilt *b);
#define pst_auto_scbuilt PST_CLEANUP(pst_scbuilt_done) struct pst_scbuilt

/*
 * p    names libseccomp does not know are left out, as runtimes do.
 * ms   time limit, milliseconds (PST_SCBUILD_MS).
 * ret  on success the exported program, checked (pst_bpf_check).
 *
 * PST_E_HOST when the child cannot be made, PST_E_RUNTIME when libseccomp fails
 * or takes too long.
 */
PST_CHECKED PST_NONNULL(1, 3)
int pst_scbuild(const struct pst_scprof *p, int ms, struct pst_scbuilt *ret, struct pst_err *err);
