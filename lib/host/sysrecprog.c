/* The recorder's programs, instruction by instruction. */
#include "host/sysrec_priv.h"

#include <linux/bpf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <asm/ptrace.h>

#include "base/attr.h"
#include "core/sctable.h"

/* The program's stack, below r10. */
enum { NS = -8, COMM = -24, KEY = -32, TUPLE = -48, ONE = -56, TASK = -64 };

/* A program being put together; jumps to the end are filled in last. */
struct asmb {
	struct pst_bpfprog *p;
	size_t n;
	size_t out[64]; /* jumps to the end */
	size_t nout;
};

static void emit(struct asmb *a, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	if (a->n < PST_BPFPROG_MAX) {
		struct bpf_insn *i = &a->p->v[a->n];
		*i = (struct bpf_insn){.code = code, .off = off, .imm = imm};
		i->dst_reg = dst & 15U;
		i->src_reg = src & 15U;
	}
	a->n++;
}

static void load64(struct asmb *a, uint8_t dst, uint8_t kind, uint64_t v)
{
	emit(a, BPF_LD | BPF_IMM | BPF_DW, dst, kind, 0, (int32_t)v);
	emit(a, 0, 0, 0, 0, (int32_t)(v >> 32));
}

static void mov(struct asmb *a, uint8_t dst, uint8_t src)
{
	emit(a, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void set(struct asmb *a, uint8_t dst, int32_t v)
{
	emit(a, BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, v);
}

static void add(struct asmb *a, uint8_t dst, int32_t v)
{
	emit(a, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, v);
}

static void call(struct asmb *a, int32_t helper)
{
	emit(a, BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void load(struct asmb *a, uint8_t size, uint8_t dst, uint8_t src, int16_t off)
{
	emit(a, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(struct asmb *a, uint8_t size, uint8_t dst, int16_t off, uint8_t src)
{
	emit(a, BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

/* Jump to the end if dst OP v. */
static void end_if(struct asmb *a, uint8_t op, uint8_t dst, int32_t v)
{
	if (a->nout < sizeof a->out / sizeof a->out[0])
		a->out[a->nout] = a->n;
	a->nout++;
	emit(a, BPF_JMP | op | BPF_K, dst, 0, 0, v);
}

/* A forward jump within the program; land() gives it its target. */
static size_t jump(struct asmb *a, uint8_t op, uint8_t dst, int32_t v)
{
	emit(a, BPF_JMP | op | BPF_K, dst, 0, 0, v);
	return a->n - 1;
}

static void land(struct asmb *a, size_t from)
{
	if (from < PST_BPFPROG_MAX)
		a->p->v[from].off = (int16_t)(a->n - from - 1);
}

static void atomic_inc(struct asmb *a, uint8_t map_value)
{
	set(a, 1, 1);
	emit(a, BPF_STX | BPF_ATOMIC | BPF_DW, map_value, 1, 0, BPF_ADD);
}

/* r0 = place in the array `map` of the index in r`index`; to the end if there is none. */
static void look(struct asmb *a, int map, uint8_t index)
{
	store(a, BPF_W, 10, KEY, index);
	load64(a, 1, BPF_PSEUDO_MAP_FD, (uint32_t)map);
	mov(a, 2, 10);
	add(a, 2, KEY);
	call(a, BPF_FUNC_map_lookup_elem);
	end_if(a, BPF_JEQ, 0, 0);
}

/* r0 = place in a hash map of what stands at r10 + key, or 0. */
static void find(struct asmb *a, int map, int16_t key)
{
	load64(a, 1, BPF_PSEUDO_MAP_FD, (uint32_t)map);
	mov(a, 2, 10);
	add(a, 2, key);
	call(a, BPF_FUNC_map_lookup_elem);
}

/* Add what stands at r10 + key to a hash map; when it is full, state[fault]++. To the end. */
static void insert(struct asmb *a, int map, int16_t key, int state, int32_t fault)
{
	emit(a, BPF_ST | BPF_MEM | BPF_DW, 10, 0, ONE, 1);
	load64(a, 1, BPF_PSEUDO_MAP_FD, (uint32_t)map);
	mov(a, 2, 10);
	add(a, 2, key);
	mov(a, 3, 10);
	add(a, 3, ONE);
	set(a, 4, BPF_ANY);
	call(a, BPF_FUNC_map_update_elem);
	end_if(a, BPF_JEQ, 0, 0);
	set(a, 8, fault);
	look(a, state, 8);
	atomic_inc(a, 0);
	end_if(a, BPF_JA, 0, 0);
}

/*
 * Only tasks of the namespace. The runtime's init ("runc:[2:INIT]", "crun", "libcrun") is not
 * counted; when it is not the container's own, it is about to become a program by exec: it is
 * remembered by the address of its task, which stays while it lives.
 */
static void choose_task(struct asmb *a, const struct pst_sysrec_of *of, const struct pst_sysrec *r)
{
	static const char *const names[] = {"runc:[", "crun", "libcrun"};
	size_t hit[PST_NELEM(names)];
	emit(a, BPF_ST | BPF_MEM | BPF_DW, 10, 0, NS, 0);
	load64(a, 1, 0, of->ns_dev);
	load64(a, 2, 0, of->ns_ino);
	mov(a, 3, 10);
	add(a, 3, NS);
	set(a, 4, 8);
	call(a, BPF_FUNC_get_ns_current_pid_tgid);
	end_if(a, BPF_JNE, 0, 0);
	mov(a, 1, 10);
	add(a, 1, COMM);
	set(a, 2, 16);
	call(a, BPF_FUNC_get_current_comm);
	for (size_t i = 0; i < PST_NELEM(names); i++) {
		uint64_t word = 0, mask = UINT64_MAX;
		memcpy(&word, names[i], strlen(names[i]));
		if (i == 0)
			mask = UINT64_C(0xffffffffffff); /* a prefix; the others are whole names */
		load(a, BPF_DW, 1, 10, COMM);
		load64(a, 2, 0, mask);
		emit(a, BPF_ALU64 | BPF_AND | BPF_X, 1, 2, 0, 0);
		load64(a, 2, 0, word);
		emit(a, BPF_JMP | BPF_JEQ | BPF_X, 1, 2, 0, 0);
		hit[i] = a->n - 1;
	}
	const size_t program = jump(a, BPF_JA, 0, 0);
	for (size_t i = 0; i < PST_NELEM(names); i++)
		land(a, hit[i]);
	load(a, BPF_W, 1, 10, NS + 4); /* struct bpf_pidns_info: pid, tgid */
	end_if(a, BPF_JEQ, 1, (int32_t)of->init);
	call(a, BPF_FUNC_get_current_task);
	store(a, BPF_DW, 10, TASK, 0);
	insert(a, r->tasks, TASK, r->state, PST_SYSREC_TASKS_LOST);
	land(a, program);
}

/* A number above the table, or a 32-bit program's: counted apart, never under a wrong name. */
static void check_abi(struct asmb *a, int state)
{
	mov(a, 3, 6); /* the registers' place in memory; r6 */
	mov(a, 1, 10);
	add(a, 1, ONE);
	set(a, 2, 8);
	add(a, 3, (int32_t)offsetof(struct pt_regs, cs));
	call(a, BPF_FUNC_probe_read_kernel);
	load(a, BPF_DW, 1, 10, ONE);
	const size_t compat = jump(a, BPF_JNE, 1, 0x33); /* __USER_CS, arch/x86 segment.h */
	const size_t good = jump(a, BPF_JLT, 7, PST_SYSREC_CALLS);
	land(a, compat);
	set(a, 8, PST_SYSREC_FOREIGN);
	look(a, state, 8);
	atomic_inc(a, 0);
	end_if(a, BPF_JA, 0, 0);
	land(a, good);
}

/* counts[phase * CALLS + nr]++, and who was first. */
static void count(struct asmb *a, const struct pst_sysrec *r)
{
	call(a, BPF_FUNC_get_current_task);
	store(a, BPF_DW, 10, TASK, 0);
	find(a, r->tasks, TASK);
	set(a, 9, PST_SYSREC_BY_EXEC);
	const size_t by_exec = jump(a, BPF_JNE, 0, 0);
	set(a, 8, PST_SYSREC_PHASE);
	look(a, r->state, 8);
	load(a, BPF_DW, 9, 0, 0);
	land(a, by_exec);
	emit(a, BPF_ALU64 | BPF_MUL | BPF_K, 9, 0, 0, PST_SYSREC_CALLS);
	emit(a, BPF_ALU64 | BPF_ADD | BPF_X, 9, 7, 0, 0);
	look(a, r->counts, 9);
	mov(a, 9, 0);
	load(a, BPF_B, 1, 9, 8);
	const size_t known = jump(a, BPF_JNE, 1, 0);
	load(a, BPF_DW, 1, 10, COMM);
	store(a, BPF_DW, 9, 8, 1);
	load(a, BPF_DW, 1, 10, COMM + 8);
	store(a, BPF_DW, 9, 16, 1);
	land(a, known);
	atomic_inc(a, 9);
}

/* Of calls whose arguments decide something: which, how many of them from which on. */
static const struct {
	const char *name;
	uint8_t first, n;
} wanted[] = {
	{"socket", 0, 3}, {"clone", 0, 1}, {"prctl", 0, 1}, {"ioctl", 1, 1}, {"personality", 0, 1},
};

static void keep_args(struct asmb *a, int args, int state)
{
	static const int16_t regs[] = {offsetof(struct pt_regs, rdi), offsetof(struct pt_regs, rsi),
				       offsetof(struct pt_regs, rdx)};
	for (size_t i = 0; i < PST_NELEM(wanted); i++) {
		const size_t other = jump(a, BPF_JNE, 7, pst_sctable_name(wanted[i].name)->nr);
		emit(a, BPF_ST | BPF_MEM | BPF_DW, 10, 0, TUPLE, 0);
		emit(a, BPF_ST | BPF_MEM | BPF_DW, 10, 0, TUPLE + 8, 0);
		store(a, BPF_W, 10, TUPLE, 7);
		for (int16_t k = 0; k < wanted[i].n; k++) {
			mov(a, 1, 10);
			add(a, 1, TUPLE + 4 + 4 * k);
			set(a, 2, 4);
			mov(a, 3, 6);
			add(a, 3, regs[wanted[i].first + k]);
			call(a, BPF_FUNC_probe_read_kernel);
		}
		insert(a, args, TUPLE, state, PST_SYSREC_ARGS_LOST);
		land(a, other);
	}
}

static bool finish(struct asmb *a)
{
	for (size_t i = 0; i < a->nout && i < PST_NELEM(a->out); i++)
		land(a, a->out[i]);
	set(a, 0, 0);
	emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	a->p->n = a->n;
	return a->n <= PST_BPFPROG_MAX && a->nout <= PST_NELEM(a->out);
}

bool pst_sysrec_prog_enter(const struct pst_sysrec_of *of, const struct pst_sysrec *r,
			   struct pst_bpfprog *ret)
{
	struct asmb a = {.p = ret};
	/* struct bpf_raw_tracepoint_args: the registers, the number */
	load(&a, BPF_DW, 6, 1, 0);
	load(&a, BPF_DW, 7, 1, 8);
	choose_task(&a, of, r);
	check_abi(&a, r->state);
	count(&a, r);
	keep_args(&a, r->args, r->state);
	return finish(&a);
}

bool pst_sysrec_prog_fork(const struct pst_sysrec *r, struct pst_bpfprog *ret)
{
	struct asmb a = {.p = ret};
	/* the parent's task, the child's */
	load(&a, BPF_DW, 6, 1, 8);
	load(&a, BPF_DW, 1, 1, 0);
	store(&a, BPF_DW, 10, TASK, 1);
	find(&a, r->tasks, TASK);
	end_if(&a, BPF_JEQ, 0, 0);
	store(&a, BPF_DW, 10, TASK, 6);
	insert(&a, r->tasks, TASK, r->state, PST_SYSREC_TASKS_LOST);
	return finish(&a);
}

bool pst_sysrec_prog_exit(const struct pst_sysrec *r, struct pst_bpfprog *ret)
{
	struct asmb a = {.p = ret};
	load(&a, BPF_DW, 1, 1, 0);
	store(&a, BPF_DW, 10, TASK, 1);
	load64(&a, 1, BPF_PSEUDO_MAP_FD, (uint32_t)r->tasks);
	mov(&a, 2, 10);
	add(&a, 2, TASK);
	call(&a, BPF_FUNC_map_delete_elem);
	return finish(&a);
}
