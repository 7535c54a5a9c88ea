/*
 * core/limitwatch.h - c/KEY/limits.watch: the limits the keeper looks after. Pure.
 *
 * Lines of fields divided by tabs (docs/formats.md):
 *
 *   limit   NAME VALUE SOURCE   memory and disk-size in bytes, pids, cpu in thousandths of a
 *                               core, net-egress and net-ingress in bits a second
 *   cgroup  NAME VERSION DIRECTORY
 *   link    NAME INDEX          a link whose root qdisc holds net-egress or net-ingress
 *   tree    disk-size HOW PATH  what to measure: all of it, or what has "grown" since the start
 *
 * The plan gives the first kind, create the second, once the runtime has made the
 * container's cgroup. Lines of another kind and limits of another name are for others.
 */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/edit.h"

#define PST_LIMITWATCH_FILE "limits.watch"
#define PST_LIMITWATCH_MAX 8192 /* bytes of the file */
#define PST_LIMITWATCH_CANNOT '!' /* the keeper's answer: it cannot look after them */

/*
 * The limits of a hardened spec, each with its source: the last edit that set it, or the
 * caller's spec. Appends nothing for a spec without any. PST_E_NOMEM.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
int pst_limitwatch_make(const json_t *spec, const struct pst_edits *edits, struct pst_buf *out,
			struct pst_err *err);

/*
 * The rest of the line "WHAT NAME ..." of `text`, or NULL: "VALUE SOURCE", "VERSION
 * DIRECTORY". Borrowed; it ends with the line, its fields with a tab.
 */
PST_CHECKED PST_NONNULL(1, 2, 3)
const char *pst_limitwatch_find(const char *text, const char *what, const char *name);
