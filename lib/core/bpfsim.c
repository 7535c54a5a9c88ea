#include "core/bpfsim.h"

#include <stdbool.h>
#include <string.h>

#include "core/scprof.h"

static bool jumps_inside(const struct sock_filter *i, size_t at, size_t n)
{
	if (BPF_OP(i->code) == BPF_JA)
		return i->k < n - at - 1;
	return at + i->jt + 1 < n && at + i->jf + 1 < n;
}

static bool known_alu(const struct sock_filter *i)
{
	switch (BPF_OP(i->code)) {
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
	case BPF_NEG:
		return true;
	case BPF_DIV:
		return BPF_SRC(i->code) == BPF_X || i->k != 0;
	case BPF_LSH:
	case BPF_RSH:
		return BPF_SRC(i->code) == BPF_X || i->k < 32;
	default:
		return false;
	}
}

static bool known_jump(uint16_t code)
{
	switch (BPF_OP(code)) {
	case BPF_JA:
		return BPF_SRC(code) == BPF_K;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return true;
	default:
		return false;
	}
}

static bool insn_ok(const struct sock_filter *i, size_t at, size_t n)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return (i->k & 3) == 0 && i->k < sizeof(struct seccomp_data);
	case BPF_LD | BPF_W | BPF_LEN:
	case BPF_LDX | BPF_W | BPF_LEN:
	case BPF_LD | BPF_IMM:
	case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX:
	case BPF_MISC | BPF_TXA:
	case BPF_RET | BPF_K:
	case BPF_RET | BPF_A:
		return true;
	case BPF_LD | BPF_MEM:
	case BPF_LDX | BPF_MEM:
	case BPF_ST:
	case BPF_STX:
		return i->k < BPF_MEMWORDS;
	default:
		break;
	}
	if (BPF_CLASS(i->code) == BPF_ALU)
		return (i->code & ~(BPF_SRC(0xff) | BPF_OP(0xff) | BPF_ALU)) == 0 && known_alu(i);
	if (BPF_CLASS(i->code) == BPF_JMP)
		return (i->code & ~(BPF_SRC(0xff) | BPF_OP(0xff) | BPF_JMP)) == 0 &&
		       known_jump(i->code) && jumps_inside(i, at, n);
	return false;
}

int pst_bpf_check(struct pst_bpf p, struct pst_err *err)
{
	if (p.n == 0 || p.n > BPF_MAXINSNS)
		return pst_fail(err, PST_E_RUNTIME, "", "a filter of %zu instructions", p.n);
	for (size_t i = 0; i < p.n; i++)
		if (!insn_ok(&p.insn[i], i, p.n))
			return pst_fail(err, PST_E_RUNTIME, "",
					"filter instruction %zu (code %#x, k %#x) is not one the "
					"kernel takes",
					i, p.insn[i].code, p.insn[i].k);
	if (BPF_CLASS(p.insn[p.n - 1].code) != BPF_RET)
		return pst_fail(err, PST_E_RUNTIME, "", "the filter does not end in a return");
	return PST_OK;
}

static uint32_t alu(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_ADD:
		return a + b;
	case BPF_SUB:
		return a - b;
	case BPF_MUL:
		return a * b;
	case BPF_DIV:
		return a / b; /* the caller has looked at b */
	case BPF_OR:
		return a | b;
	case BPF_AND:
		return a & b;
	case BPF_XOR:
		return a ^ b;
	case BPF_LSH:
		return a << (b & 31);
	case BPF_RSH:
		return a >> (b & 31);
	default:
		return -a;
	}
}

static bool jump_taken(uint16_t code, uint32_t a, uint32_t b)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == b;
	case BPF_JGT:
		return a > b;
	case BPF_JGE:
		return a >= b;
	default:
		return (a & b) != 0;
	}
}

/* Loads, stores and moves of the rarer kinds. */
static void move(struct pst_bpf_state *r, const struct sock_filter *i)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_LEN:
		r->a = sizeof(struct seccomp_data);
		break;
	case BPF_LDX | BPF_W | BPF_LEN:
		r->x = sizeof(struct seccomp_data);
		break;
	case BPF_LD | BPF_IMM:
		r->a = i->k;
		break;
	case BPF_LDX | BPF_IMM:
		r->x = i->k;
		break;
	case BPF_LD | BPF_MEM:
		r->a = r->mem[i->k];
		break;
	case BPF_LDX | BPF_MEM:
		r->x = r->mem[i->k];
		break;
	case BPF_ST:
		r->mem[i->k] = r->a;
		break;
	case BPF_STX:
		r->mem[i->k] = r->x;
		break;
	case BPF_MISC | BPF_TAX:
		r->x = r->a;
		break;
	default:
		r->a = r->x;
		break;
	}
}

/* One instruction that is neither a return nor one of the hot ones below.
 * Returns how far to jump; *stop when classic BPF ends the program here. */
static size_t step(struct pst_bpf_state *r, const struct sock_filter *i, bool *stop)
{
	const uint32_t operand = BPF_SRC(i->code) == BPF_X ? r->x : i->k;
	switch (BPF_CLASS(i->code)) {
	case BPF_JMP:
		if (BPF_OP(i->code) == BPF_JA)
			return i->k;
		return jump_taken(i->code, r->a, operand) ? i->jt : i->jf;
	case BPF_ALU:
		*stop = BPF_OP(i->code) == BPF_DIV && operand == 0;
		r->a = *stop ? 0 : alu(i->code, r->a, operand);
		return 0;
	default:
		move(r, i);
		return 0;
	}
}

/* Run on from *r. False: stopped before a load at or above `wall`. *r is then, and
 * after a return, the place to go on from. */
static bool run(struct pst_bpf p, struct pst_bpf_state *r, const struct seccomp_data *d,
		uint32_t wall, uint32_t *ret)
{
	const struct sock_filter *const end = p.insn + p.n;
	const struct sock_filter *i = p.insn + r->pc;
	uint32_t a = r->a;
	bool stop = false;
	/* libseccomp's programs are nearly all loads, JEQ and JGE: no call for those */
	for (; i < end && !stop; i++) {
		switch (i->code) {
		case BPF_JMP | BPF_JEQ | BPF_K:
			i += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			i += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k < wall) {
				memcpy(&a, (const char *)d + i->k, sizeof a);
				break;
			}
			r->pc = (size_t)(i - p.insn);
			r->a = a;
			return false;
		case BPF_RET | BPF_K:
		case BPF_RET | BPF_A:
			r->pc = (size_t)(i - p.insn);
			r->a = a;
			*ret = BPF_RVAL(i->code) == BPF_A ? a : i->k;
			return true;
		default:
			r->a = a;
			i += step(r, i, &stop);
			a = r->a;
			break;
		}
	}
	*r = (struct pst_bpf_state){0};
	*ret = SECCOMP_RET_KILL_THREAD; /* division by zero returns 0, which is this */
	return true;
}

uint32_t pst_bpf_run(struct pst_bpf p, const struct seccomp_data *d)
{
	struct pst_bpf_state st = {0};
	uint32_t ret;
	(void)run(p, &st, d, sizeof *d, &ret);
	return ret;
}

void pst_bpf_enter(struct pst_bpf p, const struct seccomp_data *d, struct pst_bpf_state *st)
{
	uint32_t ret;
	*st = (struct pst_bpf_state){0};
	(void)run(p, st, d, offsetof(struct seccomp_data, instruction_pointer), &ret);
}

uint32_t pst_bpf_resume(struct pst_bpf p, const struct pst_bpf_state *st,
			const struct seccomp_data *d)
{
	struct pst_bpf_state from = *st;
	uint32_t ret;
	(void)run(p, &from, d, sizeof *d, &ret);
	return ret;
}

uint32_t pst_bpf_chain(const struct pst_bpf chain[], size_t n, const struct seccomp_data *d)
{
	uint32_t ret = SECCOMP_RET_ALLOW;
	for (size_t i = 0; i < n; i++) {
		const uint32_t r = pst_bpf_run(chain[i], d);
		if (i == 0 || pst_scret_stronger(r, ret))
			ret = r;
	}
	return ret;
}
