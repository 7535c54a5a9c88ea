#include "core/scnotify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static const struct pst_box all;

static bool is_errno(uint32_t ret)
{
	return (ret & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

/* Calls that are answered in the kernel whatever is wanted. */
static bool stays(const struct pst_sc *sc)
{
	/* runc refuses NOTIFY on write: the runtime itself would hang on it. */
	static const char *const names[] = {"clone3", "uprobe", "uretprobe", "write"};
	for (size_t i = 0; i < PST_NELEM(names); i++)
		if (strcmp(sc->name, names[i]) == 0)
			return true;
	return false;
}

static bool whole(const struct pst_scslot *s)
{
	return s->n == 1 && pst_box_is_all(&s->v[0].box);
}

/* Is any part of the call denied with an errno? */
static bool has_denial(const struct pst_scslot *s, uint32_t def)
{
	if (s->n == 0 || !whole(s))
		return is_errno(def);
	return is_errno(s->v[0].ret);
}

/* The arguments a box asks for, zeros elsewhere. */
static void corner(const struct pst_box *b, uint64_t args[PST_NARGS])
{
	for (size_t i = 0; i < PST_NARGS; i++)
		args[i] = b->arg[i].value;
}

static const char *who_denies(const struct pst_scnotify *how, unsigned slot, const struct pst_box *b)
{
	uint64_t args[PST_NARGS];
	corner(b, args);
	const bool caller = how->caller != NULL &&
			    pst_scret_denies(pst_sceval_slot(how->caller, slot, args));
	const bool ours = pst_scret_denies(pst_sceval_slot(how->ours, slot, args));
	return caller ? (ours ? "both" : "caller") : "profile";
}

/* Is `sc` among the calls of a reason, by name or by group? */
static bool speaks_of(const json_t *calls, const struct pst_sc *sc)
{
	for (size_t i = 0; i < json_array_size(calls); i++) {
		const char *s = pst_json_str(json_array_get(calls, i));
		if (pst_streq(s, sc->name) || (s != NULL && s[0] == '@' && pst_streq(s + 1, sc->group)))
			return true;
	}
	return false;
}

/* Do the arguments meet one condition of a rule? The profiles' two operators. */
static bool meets(const json_t *cond, const uint64_t args[PST_NARGS])
{
	uint64_t index, value, two = 0;
	if (!pst_json_u64(json_object_get(cond, "index"), &index) || index >= PST_NARGS ||
	    !pst_json_u64(json_object_get(cond, "value"), &value))
		return false;
	if (!pst_streq(pst_json_str(json_object_get(cond, "op")), "SCMP_CMP_MASKED_EQ"))
		return args[index] == value;
	return pst_json_u64(json_object_get(cond, "valueTwo"), &two) && (args[index] & value) == two;
}

/* Is the box's corner within a reason's arguments: one of its lists, all of the list? */
static bool within(const json_t *lists, const struct pst_box *b)
{
	uint64_t args[PST_NARGS];
	corner(b, args);
	for (size_t i = 0; i < json_array_size(lists); i++) {
		const json_t *list = json_array_get(lists, i);
		bool all_met = true;
		for (size_t k = 0; k < json_array_size(list); k++)
			all_met = all_met && meets(json_array_get(list, k), args);
		if (all_met)
			return true;
	}
	return lists == NULL;
}

/* The class's own words where it gives any for this errno, else the group file's. */
static const char *why_of(const struct pst_scnotify *how, const struct pst_sc *sc,
			  const struct pst_box *b, uint32_t ret)
{
	const json_t *why = json_object_get(how->reasons, "why");
	const char *name = strerrorname_np((int)(ret & SECCOMP_RET_DATA));
	for (size_t i = 0; i < json_array_size(why); i++) {
		const json_t *w = json_array_get(why, i);
		const char *text = pst_json_str(json_object_get(w, "why"));
		if (text != NULL && pst_streq(pst_json_str(json_object_get(w, "action")), name) &&
		    speaks_of(json_object_get(w, "calls"), sc) && within(json_object_get(w, "args"), b))
			return text;
	}
	return sc->why;
}

static void args_text(const struct pst_box *b, struct pst_buf *out)
{
	bool any = false;
	for (size_t i = 0; i < PST_NARGS; i++) {
		if (b->arg[i].mask == 0)
			continue;
		pst_buf_fmt(out, "%s%zu:%" PRIx64 ":%" PRIx64, any ? "," : "", i, b->arg[i].mask,
			    b->arg[i].value);
		any = true;
	}
	if (!any)
		pst_buf_char(out, '-');
}

static void deny_line(const struct pst_scnotify *how, const struct pst_sc *sc,
		      const struct pst_box *b, uint32_t ret, struct pst_buf *out)
{
	pst_buf_fmt(out, "deny\t%d\t%s\t", sc->nr, sc->name);
	args_text(b, out);
	pst_buf_fmt(out, "\t%u\t%s\t%s\n", ret & SECCOMP_RET_DATA,
		    who_denies(how, (unsigned)sc->slot, b), why_of(how, sc, b, ret));
}

static void pass_lines(const struct pst_scprof *bound, const struct pst_sc *sc, struct pst_buf *out)
{
	const struct pst_scslot *s = &bound->slot[sc->slot];
	struct pst_scrule def = {.ret = bound->def};
	const uint32_t n = s->n == 0 ? 1 : s->n;
	for (uint32_t i = 0; i < n; i++) {
		const struct pst_scrule *r = s->n == 0 ? &def : &s->v[i];
		if (r->ret != SECCOMP_RET_ALLOW)
			continue;
		pst_buf_fmt(out, "pass\t%d\t%s\t", sc->nr, sc->name);
		args_text(&r->box, out);
		pst_buf_char(out, '\n');
	}
}

/* The rules as they are before the change: what the listener answers by. */
static void write_rules(const struct pst_scprof *p, const struct pst_scnotify *how,
			const struct pst_sc *sc, struct pst_buf *out)
{
	const struct pst_scslot *s = &p->slot[sc->slot];
	for (uint32_t i = 0; i < s->n; i++)
		if (is_errno(s->v[i].ret))
			deny_line(how, sc, &s->v[i].box, s->v[i].ret, out);
	if (!whole(s))
		deny_line(how, sc, &all, p->def, out);
	if (how->bound != NULL)
		pass_lines(how->bound, sc, out);
}

/* What no rule of the slot speaks of, seen through the first `nargs` arguments. */
static bool rest_of(const struct pst_scslot *s, size_t nargs, struct pst_boxes *out)
{
	pst_boxes_add(out, &all);
	for (uint32_t i = 0; i < s->n; i++) {
		struct pst_box b = s->v[i].box;
		for (size_t k = nargs; k < PST_NARGS; k++)
			b.arg[k] = (struct pst_cube){0};
		pst_boxes_subtract(out, &b);
	}
	return !out->bad && out->n <= PST_SCNOTIFY_MAX;
}

/* Add the default's part of a call with argument rules; of too many boxes, the part
 * that fewer arguments tell. */
static bool add_rest(struct pst_scslot *s, const struct pst_sc *sc, const struct pst_scnotify *how)
{
	for (size_t nargs = PST_NARGS; nargs > 0; nargs--) {
		pst_auto_boxes rest = {0};
		if (!rest_of(s, nargs, &rest))
			continue;
		for (size_t i = 0; i < rest.n; i++)
			if (!pst_scslot_add(s, &rest.v[i], SECCOMP_RET_USER_NOTIF))
				return false;
		if (nargs == PST_NARGS)
			return true;
		pst_auto_boxes exact = {0};
		if (!rest_of(s, PST_NARGS, &exact) || exact.n > 0)
			pst_note_add(how->notes, "/linux/seccomp", "kernel: a filter's size",
				     "some denials of %s that only its argument %zu tells are not recorded",
				     sc->name, nargs);
		return true;
	}
	return true;
}

static int change(struct pst_scprof *p, const struct pst_sc *sc, const struct pst_scnotify *how)
{
	struct pst_scslot *s = &p->slot[sc->slot];
	const bool some = s->n > 0 && !whole(s);
	for (uint32_t i = 0; i < s->n; i++)
		if (is_errno(s->v[i].ret))
			s->v[i].ret = SECCOMP_RET_USER_NOTIF;
	if (s->n == 0 && !pst_scslot_add(s, &all, SECCOMP_RET_USER_NOTIF))
		return PST_E_NOMEM;
	if (some && is_errno(p->def) && !add_rest(s, sc, how))
		return PST_E_NOMEM;
	/* Too many boxes close the call whole, which is safe; the sum is bounded above. */
	const int rc = pst_scslot_settle(s, p->def, sc->ints);
	return rc == PST_E_EXHAUSTED ? PST_OK : rc;
}

int pst_scnotify(struct pst_scprof *p, const struct pst_scnotify *how, struct pst_buf *rules,
		 struct pst_err *err)
{
	if (!pst_scret_denies(p->def) || p->listener_path != NULL)
		return PST_OK;
	p->listener_path = strdup(how->listener);
	if (p->listener_path == NULL)
		return pst_fail_nomem(err);
	for (unsigned slot = 0; slot < PST_SC_NATIVE; slot++) {
		const struct pst_sc *sc = pst_sctable_slot(slot);
		if (sc == NULL || sc->nr < 0 || stays(sc) || !has_denial(&p->slot[slot], p->def))
			continue;
		write_rules(p, how, sc, rules);
		if (change(p, sc, how) != PST_OK)
			return pst_fail_nomem(err);
	}
	return pst_buf_ok(rules) ? PST_OK : pst_fail_nomem(err);
}

json_t *pst_scnotify_lacks(struct pst_scprof *p)
{
	struct pst_notes notes = {0};
	pst_auto_buf rules = {0};
	json_t *out = json_array();
	const struct pst_scnotify how = {.ours = p, .listener = "/", .notes = &notes};
	bool ok = out != NULL && pst_scnotify(p, &how, &rules, NULL) == PST_OK && !notes.bad;
	for (unsigned slot = 0; ok && slot < PST_SC_NATIVE; slot++) {
		const struct pst_sc *sc = pst_sctable_slot(slot);
		if (sc != NULL && sc->nr >= 0 && stays(sc) && has_denial(&p->slot[slot], p->def))
			ok = json_array_append_new(out, json_pack("{s:s, s:s}", "call", sc->name, "why",
				"the kernel answers it at once: it is tried often, or on the kernel's own behalf")) == 0;
	}
	for (size_t i = 0; ok && i < notes.n; i++)
		ok = json_array_append_new(out, json_pack("{s:s, s:s}", "call", "", "why", notes.v[i].text)) == 0;
	pst_notes_done(&notes);
	if (ok)
		return out;
	json_decref(out);
	return NULL;
}

void pst_scnotify_undo(struct pst_scprof *p)
{
	free(PST_TAKE(p->listener_path));
	for (unsigned slot = 0; slot < PST_SC_SLOTS; slot++)
		for (uint32_t i = 0; i < p->slot[slot].n; i++)
			if (p->slot[slot].v[i].ret == SECCOMP_RET_USER_NOTIF)
				p->slot[slot].v[i].ret = SECCOMP_RET_ERRNO | EPERM;
}
