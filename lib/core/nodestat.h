/*
 * core/nodestat.h - the containers of a node as `top` and `metrics` show them. Pure.
 *
 * host/nodelook.h fills it. Texts come from whoever made the container: raw here, escaped
 * by who prints them.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "core/cgnum.h"
#include "core/ctrid.h"
#include "core/hits.h"
#include "core/podname.h"

struct pst_ctrstat {
	char key[PST_KEY_LEN + 1]; /* core/ctrid.h: one id may stand in several roots */
	char *id;
	char *root;                 /* of the runtime's state, as the engine gave it */
	char *names[PST_POD_NAMES]; /* NULL: not of a pod */
	char *profile;              /* NULL: none of ours */
	bool complain;              /* the profile is recorded, not enforced */
	bool up;                    /* its first process lives */
	uint32_t first;             /* host id of the container's root; 0: not moved */
	int64_t since;              /* of creation, seconds since 1970 */
	struct pst_cgnum num;
	struct pst_hits hits;
	uint64_t busy_us;           /* cpu time since the look before, PST_CGNUM_NONE: no look */
	char *counts;               /* what said[] points into */
	const char *said[PST_HITS_SAID];
};

struct pst_nodestat {
	struct pst_ctrstat *v;
	size_t n;
	size_t unread;      /* containers that could not be looked at */
	size_t leases;      /* blocks of ids that are held */
	size_t pool_blocks; /* 0: not known */
	uint64_t at_us;     /* of the look, monotonic */
	uint64_t took_us;
	uint64_t apart_us;  /* since the look before; 0: there was none */
};

void pst_nodestat_done(struct pst_nodestat *s);
#define pst_auto_nodestat PST_CLEANUP(pst_nodestat_done) struct pst_nodestat

/* busy_us and apart_us from an earlier look. */
PST_NONNULL(1, 2)
void pst_nodestat_since(struct pst_nodestat *now, const struct pst_nodestat *before);

/* The limit of cpu time in thousandths of a core, PST_CGNUM_NONE if there is none. */
PST_CHECKED uint64_t pst_cgnum_millicores(const struct pst_cgnum *n);

/* The table, for a terminal or a pipe; `color` marks what needs eyes. `gone` is an array of
 * records of limits (docs/formats.md), the newest last, shown where the container is gone. */
PST_NONNULL(1, 4)
void pst_top_text(const struct pst_nodestat *s, const json_t *gone, bool color, struct pst_buf *out);

/* The same as JSON; new reference, NULL without memory. */
PST_CHECKED json_t *pst_top_json(const struct pst_nodestat *s, const json_t *gone);

/*
 * Prometheus text (exposition format 0.0.4). Counters end in _total, units are base units.
 * A family that no container has a value for is left out.
 */
PST_NONNULL(1, 2, 3)
void pst_metrics_text(const struct pst_nodestat *s, const char *version, struct pst_buf *out);

/* A label's value between quotes: what is not printable as \xNN, then the format's own
 * escapes. */
PST_NONNULL(1, 2) void pst_metrics_label(struct pst_buf *out, const char *value);
