#include "core/scprof.h"

#include <stdlib.h>

#define X32_BIT 0x40000000u /* __X32_SYSCALL_BIT */

static const struct {
	uint32_t ret;
	const char *name;
} actions[] = {
	{SECCOMP_RET_ALLOW, "SCMP_ACT_ALLOW"},
	{SECCOMP_RET_LOG, "SCMP_ACT_LOG"},
	{SECCOMP_RET_TRACE, "SCMP_ACT_TRACE"},
	{SECCOMP_RET_USER_NOTIF, "SCMP_ACT_NOTIFY"},
	{SECCOMP_RET_ERRNO, "SCMP_ACT_ERRNO"},
	{SECCOMP_RET_TRAP, "SCMP_ACT_TRAP"},
	{SECCOMP_RET_KILL_THREAD, "SCMP_ACT_KILL"}, /* older runtimes know no KILL_THREAD */
	{SECCOMP_RET_KILL_PROCESS, "SCMP_ACT_KILL_PROCESS"},
};

const char *pst_scret_name(uint32_t ret)
{
	for (size_t i = 0; i < PST_NELEM(actions); i++)
		if (actions[i].ret == (ret & SECCOMP_RET_ACTION_FULL))
			return actions[i].name;
	return NULL;
}

uint32_t pst_sceval_slot(const struct pst_scprof *p, unsigned slot, const uint64_t args[PST_NARGS])
{
	if (slot >= PST_SC_SLOTS)
		return p->def;
	const struct pst_scslot *s = &p->slot[slot];
	for (uint32_t i = 0; i < s->n; i++)
		if (pst_box_holds(&s->v[i].box, args))
			return s->v[i].ret; /* strongest first */
	return p->def;
}

uint32_t pst_sceval(const struct pst_scprof *p, uint32_t nr, const uint64_t args[PST_NARGS])
{
	if ((nr & X32_BIT) != 0) {
		if ((p->archs & PST_SCARCH_X32) == 0)
			return SECCOMP_RET_KILL_THREAD;
		nr &= ~X32_BIT;
	}
	return nr < PST_SC_NATIVE ? pst_sceval_slot(p, nr, args) : p->def;
}

int pst_scprof_check_x86(const struct pst_scprof *p, struct pst_err *err)
{
	const struct pst_scslot *s = &p->slot[pst_sctable_name("socket")->slot];
	if ((p->archs & PST_SCARCH_X86) == 0 || s->n == 0 || (s->n == 1 && pst_box_is_all(&s->v[0].box)))
		return PST_OK;
	pst_fail(err, PST_E_POLICY, "/linux/seccomp", "no filter can let 32-bit programs in and hold the "
		 "argument rules for socket");
	return pst_err_cure(err, "set /grants/compatABI to refuse, or give it a profile without such rules, as "
			    "static-cli is");
}

void pst_scprof_free(struct pst_scprof *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < PST_SC_SLOTS; i++)
		free(p->slot[i].v);
	free(p->listener_path);
	free(p->listener_meta);
	free(p->unknown);
	free(p);
}
