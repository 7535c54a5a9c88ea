#include "core/scdisasm.h"

#include <linux/audit.h>
#include <stddef.h>

#include "core/sctable.h"
#include "core/scwords.h"

/* What a load from seccomp_data reads; `low` where a 64-bit field starts (little endian). */
static void field(uint32_t at, struct pst_buf *out)
{
	const uint32_t args = offsetof(struct seccomp_data, args);
	if (at == offsetof(struct seccomp_data, nr))
		pst_buf_str(out, "call");
	else if (at == offsetof(struct seccomp_data, arch))
		pst_buf_str(out, "arch");
	else if (at < args)
		pst_buf_fmt(out, "ip.%s", (at & 4) == 0 ? "low" : "high");
	else
		pst_buf_fmt(out, "arg%u.%s", (at - args) / 8 + 1, (at & 4) == 0 ? "low" : "high");
}

/* What was loaded last; names of calls are meant only where that is the number. */
enum loaded { OTHER, CALL, ARCH };

static void constant(enum loaded what, uint32_t k, struct pst_buf *out)
{
	const struct pst_sc *sc = what == CALL ? pst_sctable_slot(k) : NULL;
	if (sc != NULL && k < PST_SC_NATIVE)
		pst_buf_fmt(out, "%s", sc->name);
	else if (what == ARCH && k == AUDIT_ARCH_X86_64)
		pst_buf_str(out, "x86_64");
	else if (what == ARCH && k == AUDIT_ARCH_I386)
		pst_buf_str(out, "i386");
	else
		pst_buf_fmt(out, "%#x", k);
}

static void jump(const struct sock_filter *i, size_t pc, enum loaded what, struct pst_buf *out)
{
	static const char *const ops[] = {"", "=", ">", ">=", "&"};
	const unsigned op = BPF_OP(i->code) >> 4;
	if (BPF_OP(i->code) == BPF_JA) {
		pst_buf_fmt(out, "go to %zu", pc + 1 + i->k);
		return;
	}
	pst_buf_fmt(out, "if value %s ", op < PST_NELEM(ops) ? ops[op] : "?");
	if (BPF_SRC(i->code) == BPF_X)
		pst_buf_str(out, "x");
	else
		constant(what, i->k, out);
	pst_buf_fmt(out, " go to %zu", pc + 1 + i->jt);
	if (i->jf > 0)
		pst_buf_fmt(out, ", else to %zu", pc + 1 + i->jf);
}

static void load(const struct sock_filter *i, enum loaded *what, struct pst_buf *out)
{
	*what = OTHER;
	if (BPF_MODE(i->code) == BPF_ABS) {
		pst_buf_str(out, "value = ");
		field(i->k, out);
		if (i->k == offsetof(struct seccomp_data, nr))
			*what = CALL;
		if (i->k == offsetof(struct seccomp_data, arch))
			*what = ARCH;
	} else {
		pst_buf_fmt(out, BPF_MODE(i->code) == BPF_IMM ? "value = %#x" : "value = mem[%u]",
			    i->k);
	}
}

static void line(const struct sock_filter *i, size_t pc, enum loaded *what, struct pst_buf *out)
{
	static const char *const alu[] = {"+",  "-",  "*",       "/", "|", "&",
					  "<<", ">>", "negated", "%", "^"};
	const unsigned op = BPF_OP(i->code) >> 4;
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
		load(i, what, out);
		break;
	case BPF_LDX:
		pst_buf_fmt(out, BPF_MODE(i->code) == BPF_IMM ? "x = %#x" : "x = mem[%u]", i->k);
		break;
	case BPF_ST:
	case BPF_STX:
		pst_buf_fmt(out, "mem[%u] = %s", i->k,
			    BPF_CLASS(i->code) == BPF_ST ? "value" : "x");
		break;
	case BPF_ALU:
		pst_buf_fmt(out, "value = value %s %#x", op < PST_NELEM(alu) ? alu[op] : "?", i->k);
		*what = OTHER;
		break;
	case BPF_JMP:
		jump(i, pc, *what, out);
		break;
	case BPF_RET:
		pst_buf_str(out, "answer: ");
		pst_scwords_answer(i->k, out);
		break;
	default:
		pst_buf_str(out, "x and value change places");
	}
}

void pst_scdisasm(struct pst_bpf p, struct pst_buf *out)
{
	enum loaded what = OTHER;
	for (size_t pc = 0; pc < p.n; pc++) {
		pst_buf_fmt(out, "%5zu  ", pc);
		line(&p.insn[pc], pc, &what, out);
		pst_buf_char(out, '\n');
	}
}
