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
		return b == 0 ? 0 : a / b; /* X may be 0: the caller returns then */
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

struct regs {
	uint32_t a;
	uint32_t x;
	uint32_t mem[BPF_MEMWORDS];
};

/* Loads, stores and moves; everything that is no ALU, jump or return. */
static void step(struct regs *r, const struct sock_filter *i, const struct seccomp_data *d)
{
	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		memcpy(&r->a, (const char *)d + i->k, sizeof r->a);
		break;
	case BPF_LD | BPF_W | BPF_LEN:
		r->a = sizeof *d;
		break;
	case BPF_LDX | BPF_W | BPF_LEN:
		r->x = sizeof *d;
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

uint32_t pst_bpf_run(struct pst_bpf p, const struct seccomp_data *d)
{
	struct regs r = {0};
	for (size_t pc = 0; pc < p.n; pc++) {
		const struct sock_filter *i = &p.insn[pc];
		/* Filters are long lists of these two: this runs at every container start. */
		if (i->code == (BPF_JMP | BPF_JEQ | BPF_K)) {
			pc += r.a == i->k ? i->jt : i->jf;
			continue;
		}
		if (i->code == (BPF_JMP | BPF_JGE | BPF_K)) {
			pc += r.a >= i->k ? i->jt : i->jf;
			continue;
		}
		const uint32_t operand = BPF_SRC(i->code) == BPF_X ? r.x : i->k;
		switch (BPF_CLASS(i->code)) {
		case BPF_RET:
			return BPF_RVAL(i->code) == BPF_A ? r.a : i->k;
		case BPF_JMP:
			if (BPF_OP(i->code) == BPF_JA)
				pc += i->k;
			else
				pc += jump_taken(i->code, r.a, operand) ? i->jt : i->jf;
			break;
		case BPF_ALU:
			if (BPF_OP(i->code) == BPF_DIV && operand == 0)
				return SECCOMP_RET_KILL_THREAD; /* classic BPF returns 0 */
			r.a = alu(i->code, r.a, operand);
			break;
		default:
			step(&r, i, d);
			break;
		}
	}
	return SECCOMP_RET_KILL_PROCESS; /* not reached after pst_bpf_check */
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
