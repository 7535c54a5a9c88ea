#include "core/cves.h"

#include <stdio.h>
#include <string.h>

#include "core/scview.h"

#define PST_CVE_IO_URING 1u   /* io_uring makes the call too */
#define PST_CVE_SOCKETCALL 2u /* socketcall of i386 makes the call too */

/* One call with the arguments a bug needs; or (slot -1) an ABI. */
struct atom {
	int slot;
	unsigned abi;  /* PST_SCARCH_* */
	unsigned also; /* PST_CVE_* */
	struct pst_box box;
};

/* One of atoms[first .. first + n) has to get through. */
struct clause {
	unsigned short first, n;
};

#include "cves_data.h"

const struct pst_cve *pst_cve_at(size_t i)
{
	return i < PST_NELEM(table) ? &table[i] : NULL;
}

static bool passes(const struct pst_cve_view *v, const char *name, const struct pst_box *box)
{
	const struct pst_sc *sc = pst_sctable_name(name);
	return sc != NULL && pst_scview_passes(v->p, (unsigned)sc->slot, box, v->notify_denies);
}

/* io_uring works for its owner without any further call that a filter sees. */
static bool by_ring(const struct pst_cve_view *v)
{
	static const struct pst_box all;
	return passes(v, "io_uring_setup", &all);
}

/* libseccomp opens socketcall with any rule that opens one of its calls. */
static bool by_socketcall(const struct pst_cve_view *v, unsigned slot)
{
	static const struct pst_box all;
	if ((v->p->archs & PST_SCARCH_X86) == 0)
		return false;
	return passes(v, "socketcall", &all) ||
	       pst_scview_passes(v->p, slot, &all, v->notify_denies);
}

static bool atom_open(const struct atom *a, const struct pst_cve_view *v)
{
	if (v->p == NULL)
		return true;
	if (a->slot < 0)
		return (v->p->archs & a->abi) != 0;
	return pst_scview_passes(v->p, (unsigned)a->slot, &a->box, v->notify_denies) ||
	       ((a->also & PST_CVE_IO_URING) != 0 && by_ring(v)) ||
	       ((a->also & PST_CVE_SOCKETCALL) != 0 && by_socketcall(v, (unsigned)a->slot));
}

static bool clause_open(const struct clause *c, const struct pst_cve_view *v)
{
	for (unsigned i = 0; i < c->n; i++)
		if (atom_open(&atoms[c->first + i], v))
			return true;
	return false;
}

/* Why a clause is closed: no call of it gets through at all, or not with these arguments. */
static enum pst_cve_state closed_by(const struct clause *c, const struct pst_cve_view *v,
				    const struct pst_sc **why)
{
	static const struct pst_box all;
	enum pst_cve_state s = PST_CVE_BY_CALL;
	if (atoms[c->first].slot < 0)
		return PST_CVE_BY_ABI;
	const struct pst_sc *sc = pst_sctable_slot((unsigned)atoms[c->first].slot);
	for (unsigned i = 0; i < c->n && s == PST_CVE_BY_CALL; i++) {
		const unsigned slot = (unsigned)atoms[c->first + i].slot;
		if (!pst_scview_passes(v->p, slot, &all, v->notify_denies))
			continue;
		s = PST_CVE_BY_ARGS;
		sc = pst_sctable_slot(slot);
	}
	if (why != NULL)
		*why = sc;
	return s;
}

bool pst_cve_userns(const struct pst_cve_view *v)
{
	/* CLONE_NEWUSER, linux/sched.h; clone3 has its flags in memory */
	static const struct pst_box newuser = {.arg = {{0x10000000, 0x10000000}}};
	static const struct pst_box all;
	return v->p == NULL || passes(v, "clone", &newuser) || passes(v, "unshare", &newuser) ||
	       passes(v, "clone3", &all);
}

enum pst_cve_state pst_cve_judge(const struct pst_cve *cve, const struct pst_cve_view *v,
				 const struct pst_sc **why)
{
	if (why != NULL)
		*why = NULL;
	for (unsigned i = 0; i < cve->count; i++)
		if (!clause_open(&clauses[cve->first + i], v))
			return closed_by(&clauses[cve->first + i], v, why);
	const int cap = cve->cap[0] == '\0' ? -1 : pst_caps_number(cve->cap);
	if (cap >= 0 && ((v->caps >> cap) & 1) == 0 && !(cve->userns && pst_cve_userns(v)))
		return PST_CVE_BY_CAP;
	return PST_CVE_OPEN;
}

size_t pst_cve_count_open(const struct pst_cve_view *v, size_t *ret_total)
{
	size_t open = 0;
	for (size_t i = 0; i < PST_NELEM(table); i++)
		open += pst_cve_judge(&table[i], v, NULL) == PST_CVE_OPEN;
	if (ret_total != NULL)
		*ret_total = PST_NELEM(table);
	return open;
}

bool pst_cve_names(const struct pst_cve *cve, const struct pst_sc *sc)
{
	for (unsigned i = 0; i < cve->count; i++) {
		const struct clause *c = &clauses[cve->first + i];
		for (unsigned k = 0; k < c->n; k++)
			if (atoms[c->first + k].slot == sc->slot)
				return true;
	}
	return false;
}

const char *pst_cve_words(const struct pst_cve *cve, enum pst_cve_state s, const struct pst_sc *why,
			  char *buf, size_t size)
{
	const char *name = why != NULL ? why->name : "a call";
	switch (s) {
	case PST_CVE_BY_CALL:
		snprintf(buf, size, "%s is denied", name);
		break;
	case PST_CVE_BY_ARGS:
		snprintf(buf, size, "%s is denied with the arguments it needs", name);
		break;
	case PST_CVE_BY_ABI:
		snprintf(buf, size, "the ABI it needs is shut");
		break;
	case PST_CVE_BY_CAP:
		snprintf(buf, size, "%s is missing", cve->cap);
		break;
	case PST_CVE_OPEN:
		snprintf(buf, size, "open");
		break;
	}
	return buf;
}
