/*
 * core/scdisasm.h - a seccomp filter program in words.
 *
 * Pure. One line an instruction, with the names of calls and answers beside the
 * numbers: enough to see what the kernel will do, and why a program has its size.
 */
#pragma once

#include "base/attr.h"
#include "base/buf.h"
#include "core/bpfsim.h"

/* Append the program, checked before (pst_bpf_check), as text. */
PST_NONNULL(2) void pst_scdisasm(struct pst_bpf p, struct pst_buf *out);
