/*
 * core/scprof.h - a system call profile: OCI `linux.seccomp` as sets.
 *
 * Pure. A profile maps (call, arguments) to an action. Actions are the kernel's
 * SECCOMP_RET_* words, data included (linux/seccomp.h), so that they compare
 * with what a filter returns.
 *
 * Meaning (OCI runtime-spec, config-linux.md "Seccomp"; libseccomp's manual):
 * where runtimes and the text of the spec differ the stricter reading is taken
 * and a note says so. In detail:
 *  - a rule whose action is the default's changes nothing (runtimes leave it out);
 *  - several conditions on one argument: all must hold for a rule that opens, one
 *    is enough for a rule that closes;
 *  - where rules overlap the stronger action counts, in the kernel's order
 *    (seccomp(2)); of equal ones the first;
 *  - the kernel cuts `int` arguments to 32 bits after the filter compared 64:
 *    a value is allowed only if its low 32 bits alone are allowed too, and what is
 *    denied is denied whatever the high half;
 *  - more than PST_SC_MAXBOX conditions for one call: the call is denied.
 */
#pragma once

#include <jansson.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "core/cube.h"
#include "core/note.h"
#include "core/sctable.h"

#define PST_SC_MAXBOX 256 /* boxes a call may keep */

#define PST_SCARCH_X86_64 1u
#define PST_SCARCH_X86 2u
#define PST_SCARCH_X32 4u
#define PST_SCARCH_OTHER 8u /* known to the spec, foreign to this machine */

#define PST_SCFLAG_TSYNC 1u
#define PST_SCFLAG_LOG 2u
#define PST_SCFLAG_SPEC_ALLOW 4u
#define PST_SCFLAG_WAIT_KILLABLE 8u

struct pst_scrule {
	struct pst_box box;
	uint32_t ret;
};

/* The rules of one call, strongest first; boxes of different actions are
 * disjoint. Outside all boxes the profile's default counts. */
struct pst_scslot {
	struct pst_scrule *v;
	uint32_t n;
	uint32_t cap;
};

struct pst_scprof {
	uint32_t def;        /* default action */
	unsigned archs;      /* PST_SCARCH_*; X86_64 always */
	unsigned flags;      /* PST_SCFLAG_* */
	char *listener_path; /* NULL if none */
	char *listener_meta; /* NULL if none */
	char *unknown;       /* with an allowing default: a denied name nobody knows */
	struct pst_scslot slot[PST_SC_SLOTS];
};

/*
 * Parse an OCI seccomp object. Strict: unknown actions, operators, architectures
 * and flags, wrong types, indexes above 5, errno above 4095, NOTIFY as default or
 * for write (runtimes refuse both) are PST_E_SPEC with pointer and cure.
 *
 * obj      borrowed.
 * pointer  where the object stands ("/linux/seccomp", or ""); prefix of error pointers.
 * notes    where readings stricter than the runtime's are told; NULL: nowhere.
 * ret      on success the profile, owned by the caller (pst_scprof_free).
 */
PST_CHECKED PST_NONNULL(2, 4)
int pst_scprof_parse(const json_t *obj, const char *pointer, struct pst_notes *notes,
		     struct pst_scprof **ret, struct pst_err *err);

/* Accepts NULL. */
void pst_scprof_free(struct pst_scprof *p);

static inline void pst_cleanup_scprof(struct pst_scprof **p)
{
	pst_scprof_free(*p);
}

/* Written `pst_auto_scprof *p = NULL;`: freed at end of scope. */
#define pst_auto_scprof PST_CLEANUP(pst_cleanup_scprof) struct pst_scprof

/*
 * The profile as OCI JSON: same set in, same bytes out. Only EQ and MASKED_EQ,
 * no argument twice in a rule, `flags` and `architectures` always there, all
 * calls allowed without condition in one rule. New reference, NULL without memory.
 */
PST_CHECKED PST_NONNULL(1) json_t *pst_scprof_emit(const struct pst_scprof *p);

/*
 * Can a runtime load a profile that lists X86? There socket is a branch of socketcall(2),
 * with its arguments in memory. Of argument rules for socket libseccomp 2.5 then makes a
 * filter that is wrong, for 64-bit calls too (it lets socket(AF_INET, SOCK_STREAM, 1)
 * through where only protocols 0 and 6 are allowed), or none (EEXIST). PST_E_POLICY with
 * the cure; PST_OK without X86.
 */
PST_CHECKED PST_NONNULL(1) int pst_scprof_check_x86(const struct pst_scprof *p, struct pst_err *err);

/*
 * The action for a call of number `nr` on x86_64 with `args`. x32 numbers (bit
 * 30) are killed unless the profile lists X32, as libseccomp's filters do.
 */
PST_CHECKED PST_NONNULL(1, 3)
uint32_t pst_sceval(const struct pst_scprof *p, uint32_t nr, const uint64_t args[PST_NARGS]);

/* The same for a slot of sctable.h, whatever the ABI. */
PST_CHECKED PST_NONNULL(1, 3)
uint32_t pst_sceval_slot(const struct pst_scprof *p, unsigned slot, const uint64_t args[PST_NARGS]);

/* The kernel's order: is action `a` stronger (more denying) than `b`? Data does
 * not count. (kernel/seccomp.c: the smaller signed action word wins.) */
static inline bool pst_scret_stronger(uint32_t a, uint32_t b)
{
	return (int32_t)(a & SECCOMP_RET_ACTION_FULL) < (int32_t)(b & SECCOMP_RET_ACTION_FULL);
}

/* Does the action keep the call from being made (ERRNO, TRAP, KILL)? */
static inline bool pst_scret_denies(uint32_t ret)
{
	return !pst_scret_stronger(SECCOMP_RET_ERRNO, ret);
}

/* "SCMP_ACT_..." of an action; NULL for a word the kernel does not know. */
const char *pst_scret_name(uint32_t ret);

/* Append a rule; false without memory. */
PST_CHECKED PST_NONNULL(1, 2)
bool pst_scslot_add(struct pst_scslot *s, const struct pst_box *box, uint32_t ret);

/* Free the rules; accepts an empty slot. */
void pst_scslot_done(struct pst_scslot *s);

/*
 * Bring the rules of one call, given in order of precedence among equals, into
 * the form described at struct pst_scslot.
 *
 * def    the profile's default.
 * ints   bit i: apply the 32-bit rule to argument i.
 *
 * Returns PST_OK; PST_E_NOMEM; or PST_E_EXHAUSTED above PST_SC_MAXBOX boxes: the
 * slot then denies the call whole (`def` if that denies, else EPERM).
 */
PST_CHECKED PST_NONNULL(1) int pst_scslot_settle(struct pst_scslot *s, uint32_t def, uint8_t ints);
