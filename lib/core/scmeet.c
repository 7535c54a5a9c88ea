#include "core/scmeet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

static const struct pst_box everything;

struct meet {
	const struct pst_scprof *a; /* the caller's */
	const struct pst_scprof *b; /* ours */
	const struct pst_scmeet_opts *o;
	struct pst_notes *notes;
	struct pst_scprof *r;
	bool a_notify_denied; /* the caller's listener is refused */
	bool b_notify_denied; /* ours gives way to the caller's */
};

/* A rule, or a profile's default. */
struct act {
	uint32_t ret;
	bool named;
};

/* One side of a call: its rules, and which of the two it is. */
struct side {
	const struct pst_scslot *s;
	uint32_t def;
	bool caller;
};

/* The stronger action; between errnos the order of scmeet.h. A caller's rule that
 * only says the result's default counts as unnamed, for the emitted profile does
 * not show it and a second meet must come to the same end. */
static uint32_t pick(const struct meet *m, struct act a, struct act b)
{
	if (pst_scret_stronger(a.ret, b.ret))
		return a.ret;
	if (pst_scret_stronger(b.ret, a.ret))
		return b.ret;
	if (b.named && (!a.named || a.ret == m->r->def))
		return b.ret;
	return a.ret;
}

static uint32_t deny_word(const struct meet *m)
{
	return pst_scret_denies(m->r->def) ? m->r->def : SECCOMP_RET_ERRNO | EPERM;
}

/* A rule's action, with listeners that lose replaced by a denial. */
static uint32_t rule_ret(const struct meet *m, const struct side *x, uint32_t i)
{
	const uint32_t ret = x->s->v[i].ret;
	const bool lost = x->caller ? m->a_notify_denied : m->b_notify_denied;
	return ret == SECCOMP_RET_USER_NOTIF && lost ? deny_word(m) : ret;
}

/* pick() with the sides put in order. */
static uint32_t pick_sides(const struct meet *m, const struct side *x, struct act ax, struct act ay)
{
	return x->caller ? pick(m, ax, ay) : pick(m, ay, ax);
}

static bool add_all(struct pst_scslot *out, const struct pst_boxes *l, uint32_t ret)
{
	for (size_t i = 0; i < l->n; i++)
		if (!pst_scslot_add(out, &l->v[i], ret))
			return false;
	return true;
}

/*
 * The rules of y where x has no rule. Where the action is y's own, the whole box
 * may be given: where x has a rule too, the pair's action is at least as strong
 * and wins - but for equally strong ones with another errno, which are cut out.
 */
static bool meet_rest(const struct meet *m, const struct side *x, const struct side *y,
		      struct pst_scslot *out, bool *full)
{
	for (uint32_t j = 0; j < y->s->n; j++) {
		const struct act ay = {rule_ret(m, y, j), true};
		const uint32_t ret = pick_sides(m, x, (struct act){x->def, false}, ay);
		if (ret == m->r->def)
			continue;
		pst_auto_boxes l = {0};
		pst_boxes_add(&l, &y->s->v[j].box);
		for (uint32_t i = 0; i < x->s->n; i++) {
			const struct act ax = {rule_ret(m, x, i), true};
			const uint32_t pair = pick_sides(m, x, ax, ay);
			const bool cut = ret != ay.ret || (pair != ay.ret &&
							   !pst_scret_stronger(pair, ay.ret));
			if (cut)
				pst_boxes_subtract(&l, &x->s->v[i].box);
		}
		*full = *full || l.bad;
		if (!add_all(out, &l, ret))
			return false;
	}
	return true;
}

static bool meet_pairs(const struct meet *m, const struct side *x, const struct side *y,
		       struct pst_scslot *out, bool *full)
{
	for (uint32_t i = 0; i < x->s->n; i++) {
		for (uint32_t j = 0; j < y->s->n && !*full; j++) {
			struct pst_box met;
			if (!pst_box_meet(&x->s->v[i].box, &y->s->v[j].box, &met))
				continue;
			const uint32_t ret = pick(m, (struct act){rule_ret(m, x, i), true},
						  (struct act){rule_ret(m, y, j), true});
			if (!pst_scslot_add(out, &met, ret))
				return false;
			*full = out->n > PST_BOXES_MAX;
		}
	}
	return true;
}

static bool is_userns_call(unsigned slot)
{
	const struct pst_sc *sc = pst_sctable_slot(slot);
	return pst_streq(sc->name, "clone") || pst_streq(sc->name, "unshare") ||
	       pst_streq(sc->name, "setns");
}

static bool allows_whole(const struct pst_scprof *p, unsigned slot)
{
	const struct pst_scslot *s = &p->slot[slot];
	return s->n == 0 ? p->def == SECCOMP_RET_ALLOW
			 : s->v[0].ret == SECCOMP_RET_ALLOW && pst_box_is_all(&s->v[0].box);
}

/* Our rules for a slot. One rule stands in for what options and twins open. */
static const struct pst_scslot *our_slot(const struct meet *m, unsigned slot)
{
	static struct pst_scrule allow_rule = {.ret = SECCOMP_RET_ALLOW};
	static const struct pst_scslot allowed = {.v = &allow_rule, .n = 1, .cap = 1};
	const struct pst_scslot *own = &m->b->slot[slot];
	if (slot < PST_SC_NATIVE)
		return m->o->allow_userns && is_userns_call(slot) ? &allowed : own;
	const struct pst_sc *sc = pst_sctable_slot(slot);
	if (own->n == 0 && sc->twin >= 0 && allows_whole(m->b, (unsigned)sc->twin))
		return &allowed;
	return own;
}

/* Does a slot let calls through in more than one way? */
static bool opens_twice(const struct pst_scslot *s)
{
	uint32_t first = 0;
	for (uint32_t i = 0; i < s->n; i++) {
		if (pst_scret_denies(s->v[i].ret))
			continue;
		if (first != 0 && s->v[i].ret != first)
			return true;
		first = s->v[i].ret;
	}
	return false;
}

/* Where a call has to be denied whole: as strongly as any of its parts would be. */
static uint32_t strongest(const struct meet *m, const struct side *a, const struct side *b)
{
	uint32_t ret = deny_word(m);
	for (uint32_t i = 0; i < a->s->n; i++)
		ret = pst_scret_stronger(a->s->v[i].ret, ret) ? a->s->v[i].ret : ret;
	for (uint32_t i = 0; i < b->s->n; i++)
		ret = pst_scret_stronger(b->s->v[i].ret, ret) ? b->s->v[i].ret : ret;
	return ret;
}

static int meet_slot(struct meet *m, unsigned slot)
{
	const struct side a = {&m->a->slot[slot], m->a->def, true};
	const struct side b = {our_slot(m, slot), m->b->def, false};
	struct pst_scslot *out = &m->r->slot[slot];
	bool full = false;
	if (a.s->n == 0 && b.s->n == 0)
		return PST_OK;
	if (!meet_pairs(m, &a, &b, out, &full) || !meet_rest(m, &a, &b, out, &full) ||
	    !meet_rest(m, &b, &a, out, &full))
		return PST_E_NOMEM;
	/* Settled as a parser settles, so that a second meet reads what this one means;
	 * but two actions that let a call through (LOG and ALLOW) stay as they met. */
	const struct pst_sc *sc = pst_sctable_slot(slot);
	const uint8_t ints = opens_twice(out) ? 0 : sc->ints;
	int r = full ? PST_E_EXHAUSTED : pst_scslot_settle(out, m->r->def, ints);
	if (r != PST_E_EXHAUSTED)
		return r;
	const uint32_t ret = strongest(m, &a, &b);
	out->n = 0;
	if (ret != m->r->def && !pst_scslot_add(out, &everything, ret))
		return PST_E_NOMEM;
	if (m->notes != NULL)
		pst_note_add(m->notes, "", "size limit of a filter",
			     "%s has more than %d conditions: it is denied whole", sc->name, PST_SC_MAXBOX);
	return PST_OK;
}

static bool uses(const struct pst_scprof *p, uint32_t ret)
{
	for (unsigned i = 0; i < PST_SC_SLOTS; i++)
		for (uint32_t k = 0; k < p->slot[i].n; k++)
			if (p->slot[i].v[k].ret == ret)
				return true;
	return false;
}

static int choose_listener(struct meet *m, struct pst_err *err)
{
	const bool a = uses(m->a, SECCOMP_RET_USER_NOTIF);
	const bool b = uses(m->b, SECCOMP_RET_USER_NOTIF);
	const bool same = pst_streq(m->a->listener_path, m->b->listener_path);
	if (a && m->o->refuse_caller_listener && !(b && same)) {
		m->a_notify_denied = true;
		if (m->notes != NULL)
			pst_note_add(m->notes, "/listenerPath", "policy",
				     "the caller's listener is refused: what it would have been "
				     "asked about is denied");
		return PST_OK;
	}
	if (a && !b && m->a->listener_path == NULL) {
		pst_fail(err, PST_E_SPEC, "/listenerPath",
			 "SCMP_ACT_NOTIFY is used and listenerPath is missing");
		return pst_err_cure(err, "name the socket of the agent in listenerPath");
	}
	if (a && b && !same) {
		m->b_notify_denied = true;
		if (m->notes != NULL)
			pst_note_add(m->notes, "/listenerPath", "one listener a filter chain (seccomp(2))",
				     "the caller has a listener of its own: denials are not recorded");
	}
	return PST_OK;
}

static int copy_listener(struct meet *m, struct pst_err *err)
{
	if (!uses(m->r, SECCOMP_RET_USER_NOTIF))
		return PST_OK;
	const bool callers = uses(m->a, SECCOMP_RET_USER_NOTIF) && !m->a_notify_denied;
	const struct pst_scprof *from = callers ? m->a : m->b;
	m->r->flags |= from->flags & PST_SCFLAG_WAIT_KILLABLE;
	if (from->listener_path != NULL)
		m->r->listener_path = strdup(from->listener_path);
	if (from->listener_meta != NULL)
		m->r->listener_meta = strdup(from->listener_meta);
	const bool oom = (from->listener_path != NULL && m->r->listener_path == NULL) ||
			 (from->listener_meta != NULL && m->r->listener_meta == NULL);
	return oom ? pst_fail_nomem(err) : PST_OK;
}

static void meet_archs(struct meet *m)
{
	const unsigned compat = m->a->archs & (PST_SCARCH_X86 | PST_SCARCH_X32);
	m->r->archs = PST_SCARCH_X86_64 | (m->o->compat_abi ? compat : 0);
	if (m->notes == NULL || compat == 0)
		return;
	if (!m->o->compat_abi)
		pst_note_add(m->notes, "/architectures", "/grants/compatABI",
			     "programs of the 32-bit ABIs do not run: native calls only");
	else if ((compat & PST_SCARCH_X86) != 0)
		pst_note_add(m->notes, "/architectures", "socketcall(2)",
			     "32-bit programs may reach every socket family: the arguments of "
			     "socketcall lie in memory, where no filter sees them");
}

static void drop_flags(struct meet *m)
{
	if (!m->o->no_flags || m->r->flags == 0)
		return;
	m->r->flags = 0;
	if (m->notes != NULL)
		pst_note_add(m->notes, "/flags", "runc before 1.2 refuses any flag",
			     "the filter flags are left out: denials are not logged by the kernel");
}

/* Name what the caller allows and the result does not, whatever the arguments. */
static void note_lost(const struct meet *m)
{
	pst_auto_buf names = {0};
	size_t n = 0;
	const struct pst_sc *sc;
	for (size_t i = 0; (sc = pst_sctable_at(i)) != NULL; i++) {
		if (sc->nr < 0 || !sc->live || !allows_whole(m->a, (unsigned)sc->slot))
			continue;
		const struct pst_scslot *s = &m->r->slot[sc->slot];
		const bool gone = s->n == 0 ? pst_scret_denies(m->r->def)
					    : pst_box_is_all(&s->v[0].box) &&
						      pst_scret_denies(s->v[0].ret);
		if (gone)
			pst_buf_fmt(&names, "%s%s", n++ == 0 ? "" : " ", sc->name);
	}
	if (n > 0)
		pst_note_add(m->notes, "/syscalls", "profile",
			     "%zu calls the caller allows are denied: %s", n, pst_buf_cstr(&names));
}

static int refuse_open_unknown(const struct meet *m, struct pst_err *err)
{
	const char *name = m->a->unknown != NULL ? m->a->unknown : m->b->unknown;
	if (pst_scret_denies(m->r->def) || name == NULL)
		return PST_OK;
	pst_fail(err, PST_E_SPEC, "/syscalls",
		 "the profile denies \"%s\", which is no known call, and allows by default: it would "
		 "stay open",
		 name);
	return pst_err_cure(err, "correct the name, or list what is allowed instead");
}

int pst_scmeet(const struct pst_scprof *caller, const struct pst_scprof *ours,
	       const struct pst_scmeet_opts *o, struct pst_notes *notes, struct pst_scprof **ret,
	       struct pst_err *err)
{
	pst_auto_scprof *none = NULL;
	pst_auto_scprof *r = calloc(1, sizeof *r);
	if (caller == NULL)
		none = calloc(1, sizeof *none);
	if (r == NULL || (caller == NULL && none == NULL))
		return pst_fail_nomem(err);
	if (none != NULL) {
		none->def = SECCOMP_RET_ALLOW;
		none->archs = PST_SCARCH_X86_64 | PST_SCARCH_X86;
		none->flags = ours->flags;
	}

	struct meet m = {.a = caller != NULL ? caller : none, .b = ours, .o = o, .r = r,
			 .notes = caller != NULL ? notes : NULL};
	r->def = pick(&m, (struct act){m.a->def, false}, (struct act){ours->def, false});
	r->flags = ((m.a->flags | ours->flags) & (PST_SCFLAG_LOG | PST_SCFLAG_TSYNC)) |
		   (m.a->flags & ours->flags & PST_SCFLAG_SPEC_ALLOW);
	meet_archs(&m);
	int rc = refuse_open_unknown(&m, err);
	if (rc == PST_OK)
		rc = choose_listener(&m, err);
	for (unsigned i = 0; i < PST_SC_SLOTS && rc == PST_OK; i++) {
		const bool foreign = i >= PST_SC_NATIVE;
		if (foreign && (r->archs & PST_SCARCH_X86) == 0)
			break;
		if (pst_sctable_slot(i) != NULL && meet_slot(&m, i) != PST_OK)
			rc = pst_fail_nomem(err);
	}
	if (rc == PST_OK)
		rc = copy_listener(&m, err);
	if (rc != PST_OK)
		return rc;
	drop_flags(&m);
	if (m.notes != NULL)
		note_lost(&m);
	*ret = PST_TAKE(r);
	return PST_OK;
}
