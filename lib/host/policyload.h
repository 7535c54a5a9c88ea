/*
 * host/policyload.h - read the node's policy: one file and its drop-in folder.
 */
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/policy.h"

/*
 * Read `file` and then the *.json files of the folder beside it ("policy.json":
 * "policy.d") in name order, and merge them over the built-in policy.
 *
 * file      absolute or relative path
 * required  the file was asked for: its absence is an error. Otherwise a missing file
 *           and a missing folder mean the built-in policy.
 *
 * Files must be root's and not writable by others (pst_io_read_trusted), the folder
 * likewise, no links. Names that start with a dot or do not end in .json are left
 * out; at most 64 files of 1 MiB. PST_E_POLICY with file and pointer; PST_E_HOST.
 */
PST_CHECKED PST_NONNULL(1, 4)
int pst_policy_load(const char *file, bool required, const char *class_name,
		    struct pst_policy *ret, struct pst_err *err);
