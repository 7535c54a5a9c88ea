/*
 * core/surface.h - what of the kernel and the host a profile or a container reaches.
 *
 * Pure. pst_surface_make counts; the writers put the result into words, JSON, or one
 * HTML page without scripts. Borrowed members of the input must live as long as the
 * surface does.
 *
 * The exposure score goes from 0 (nothing reachable) to 100 (no filter, every
 * capability); its parts and their arithmetic are in the result. It compares
 * confinements with each other; it is no probability.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/cves.h"
#include "core/scgroup.h"
#include "core/scview.h"

struct pst_surface_in {
	const char *name;                /* of the profile, or the container's id */
	const json_t *meta;              /* the profile's `postern` member, or NULL */
	const struct pst_scprof *p;      /* NULL: no filter */
	const struct pst_scprof *docker; /* Docker's default to compare with, or NULL */
	pst_capset caps;
	pst_capset docker_caps; /* what Docker gives a container */
	bool notify_denies;
	const bool *used;    /* [PST_SC_NATIVE]: seen in a recording; NULL: none given */
	const json_t *spec;  /* a container's hardened config.json, or NULL */
	const json_t *steps; /* the steps of its plan, or NULL */
};

struct pst_surface_group {
	const struct pst_scgroup *group;
	size_t state[PST_SC_NSTATES];
	size_t used;
	size_t n;
};

#define PST_SURFACE_GROUPS 48

/* One part of the score, in thousandths of a point. */
struct pst_surface_part {
	const char *what;
	char how[120]; /* the arithmetic, "40 x 272.5 / 362" */
	unsigned points;
	unsigned most;
};

#define PST_SURFACE_PARTS 5

struct pst_surface {
	const struct pst_surface_in *in;
	struct pst_cve_view view;
	struct pst_surface_group group[PST_SURFACE_GROUPS];
	size_t ngroups;
	size_t state[PST_SC_NSTATES]; /* calls of an ordinary kernel, by state */
	size_t n;
	size_t used, used_open; /* calls seen in the recording; those of them that get through */
	size_t cves_open, cves;
	struct pst_surface_part part[PST_SURFACE_PARTS];
	unsigned score; /* thousandths */
};

/* Count. `in` is borrowed. */
PST_NONNULL(1, 2) void pst_surface_make(const struct pst_surface_in *in, struct pst_surface *ret);

/* The i-th call of a group that an ordinary kernel has, in order of numbers; NULL at the end. */
const struct pst_sc *pst_surface_call(const struct pst_surface_group *g, size_t i);

/* Append a call's conditions, "only family AF_UNIX; ...": what gets through. Nothing for
 * a call without conditions. */
PST_NONNULL(1, 2, 3)
void pst_surface_when(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out);

/* Append what a denied call's (or a conditional call's other) arguments are answered:
 * "EPERM", "EAFNOSUPPORT for family ...; else EPERM". Nothing where nothing is denied. */
PST_NONNULL(1, 2, 3)
void pst_surface_denied(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out);

/* Why a profile treats a call as it does: its own words for it, else what the table of
 * calls says. Never NULL; borrowed. */
PST_NONNULL(1, 2)
const char *pst_surface_why(const struct pst_surface *s, const struct pst_sc *sc);

/* What becomes of a notified call: "denied and recorded" by our keeper, or "put to an agent". */
PST_NONNULL(1) const char *pst_surface_notified(const struct pst_surface *s);

/* Append what the profile itself says its rules for a call let through ("UNIX sockets;
 * TCP over IPv4 and IPv6"). Nothing when it says nothing. */
PST_NONNULL(1, 2, 3)
void pst_surface_reasons(const struct pst_surface *s, const struct pst_sc *sc, struct pst_buf *out);

/* One writable host path of a container: i from 0; false at the end. */
struct pst_surface_path {
	const char *source, *destination;
};
PST_CHECKED PST_NONNULL(1, 3) bool pst_surface_path(const struct pst_surface *s, size_t i,
						    struct pst_surface_path *ret);

/* "own", "joined" or "the host's": whose namespace of that type (as the spec calls it). */
PST_NONNULL(1, 2)
const char *pst_surface_namespace(const struct pst_surface *s, const char *type);

/* The types a spec can name, i from 0 until NULL. */
const char *pst_surface_nstype(size_t i);

/* The whole as JSON; new reference, NULL without memory. */
PST_CHECKED PST_NONNULL(1) json_t *pst_surface_json(const struct pst_surface *s);

/* For a person: the counts, bugs and score; with `all` every group's calls with their
 * conditions and answers, and the comparison with Docker's default. */
PST_NONNULL(1, 3) void pst_surface_text(const struct pst_surface *s, bool all, struct pst_buf *out);

/* One page of HTML: a picture of the whole table, the bugs, and the rest. */
PST_NONNULL(1, 2) void pst_surface_html(const struct pst_surface *s, struct pst_buf *out);
