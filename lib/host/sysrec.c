#include "host/sysrec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <asm/ptrace.h>

#include "base/fd.h"
#include "core/sctable.h"
#include "host/hostops.h"

/* Slots of the state map. */
enum { PHASE, ARGS_LOST, FOREIGN, NSTATE };

/* The program's stack, below r10. */
enum { NS = -8, COMM = -24, KEY = -32, TUPLE = -48, ONE = -56 };

#define INSN_MAX 320

/* A program being put together; jumps to the end are filled in last. */
struct asmb {
	struct bpf_insn v[INSN_MAX];
	size_t n;
	size_t out[64]; /* jumps to the end */
	size_t nout;
};

static void emit(struct asmb *a, uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	if (a->n < INSN_MAX) {
		struct bpf_insn *i = &a->v[a->n];
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
	a->v[from].off = (int16_t)(a->n - from - 1);
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

/* Only tasks of the namespace; not the runtime's init ("runc:[2:INIT]", "crun", "libcrun"). */
static void choose_task(struct asmb *a, const struct stat *ns)
{
	static const char *const names[] = {"runc:[", "crun", "libcrun"};
	emit(a, BPF_ST | BPF_MEM | BPF_DW, 10, 0, NS, 0);
	load64(a, 1, 0, ns->st_dev);
	load64(a, 2, 0, ns->st_ino);
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
		const size_t other = a->n;
		emit(a, BPF_JMP | BPF_JNE | BPF_X, 1, 2, 1, 0);
		end_if(a, BPF_JA, 0, 0);
		land(a, other);
	}
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
	set(a, 8, FOREIGN);
	look(a, state, 8);
	atomic_inc(a, 0);
	end_if(a, BPF_JA, 0, 0);
	land(a, good);
}

/* counts[phase * CALLS + nr]++, and who was first. */
static void count(struct asmb *a, int counts, int state)
{
	set(a, 8, PHASE);
	look(a, state, 8);
	load(a, BPF_DW, 8, 0, 0);
	emit(a, BPF_ALU64 | BPF_MUL | BPF_K, 8, 0, 0, PST_SYSREC_CALLS);
	emit(a, BPF_ALU64 | BPF_ADD | BPF_X, 8, 7, 0, 0);
	look(a, counts, 8);
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
		load64(a, 1, BPF_PSEUDO_MAP_FD, (uint32_t)args);
		mov(a, 2, 10);
		add(a, 2, TUPLE);
		mov(a, 3, 10);
		add(a, 3, ONE);
		set(a, 4, BPF_ANY);
		call(a, BPF_FUNC_map_update_elem);
		end_if(a, BPF_JEQ, 0, 0);
		set(a, 8, ARGS_LOST);
		look(a, state, 8);
		atomic_inc(a, 0);
		end_if(a, BPF_JA, 0, 0);
		land(a, other);
	}
}

static bool assemble(struct asmb *a, const struct stat *ns, const struct pst_sysrec *r)
{
	/* struct bpf_raw_tracepoint_args: the registers, the number */
	load(a, BPF_DW, 6, 1, 0);
	load(a, BPF_DW, 7, 1, 8);
	choose_task(a, ns);
	check_abi(a, r->state);
	count(a, r->counts, r->state);
	keep_args(a, r->args, r->state);
	for (size_t i = 0; i < a->nout && i < PST_NELEM(a->out); i++)
		land(a, a->out[i]);
	set(a, 0, 0);
	emit(a, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	return a->n <= INSN_MAX && a->nout <= PST_NELEM(a->out);
}

static int refused(struct pst_err *err, const char *what)
{
	const int sys = errno;
	pst_fail_sys(err, "cannot %s", what);
	return sys == EPERM || sys == ENOSYS
		       ? pst_err_cure(err, "learning needs bpf(2): run as the host's root, with CAP_BPF and "
				      "CAP_PERFMON, on a kernel that is not locked down")
		       : PST_E_HOST;
}

static int make_map(uint32_t type, uint32_t key, uint32_t value, uint32_t entries, int *ret,
		    struct pst_err *err)
{
	union bpf_attr at;
	memset(&at, 0, sizeof at);
	at.map_type = type;
	at.key_size = key;
	at.value_size = value;
	at.max_entries = entries;
	*ret = pst_host->bpf(BPF_MAP_CREATE, &at, sizeof at);
	return *ret >= 0 ? PST_OK : refused(err, "make a map for the recorder");
}

static int load_program(struct pst_sysrec *r, const struct stat *ns, struct pst_err *err)
{
	static const char license[] = "GPL"; /* probe_read_kernel is for such programs only */
	struct asmb a = {.n = 0};
	union bpf_attr at;
	if (!assemble(&a, ns, r))
		return pst_fail(err, PST_E_BUG, "", "the recorder's program is too long");
	memset(&at, 0, sizeof at);
	at.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	at.insns = (uint64_t)(uintptr_t)a.v;
	at.insn_cnt = (uint32_t)a.n;
	at.license = (uint64_t)(uintptr_t)license;
	r->prog = pst_host->bpf(BPF_PROG_LOAD, &at, sizeof at);
	return r->prog >= 0 ? PST_OK : refused(err, "load the recorder's program");
}

static int attach(struct pst_sysrec *r, struct pst_err *err)
{
	static const char name[] = "sys_enter";
	union bpf_attr at;
	memset(&at, 0, sizeof at);
	at.raw_tracepoint.name = (uint64_t)(uintptr_t)name;
	at.raw_tracepoint.prog_fd = (uint32_t)r->prog;
	r->link = pst_host->bpf(BPF_RAW_TRACEPOINT_OPEN, &at, sizeof at);
	return r->link >= 0 ? PST_OK : refused(err, "attach the recorder to system calls");
}

static int find_ns(pid_t init, struct stat *ns, struct pst_err *err)
{
	char path[64];
	struct stat own;
	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)init);
	if (pst_host->fstatat(AT_FDCWD, path, ns, 0) != 0 ||
	    pst_host->fstatat(AT_FDCWD, "/proc/self/ns/pid", &own, 0) != 0)
		return pst_fail_sys(err, "cannot look at %s", path);
	if (ns->st_ino != own.st_ino || ns->st_dev != own.st_dev)
		return PST_OK;
	pst_fail(err, PST_E_STATE, "", "the container shares our pid namespace: its calls cannot be told "
		 "from others'");
	return pst_err_cure(err, "give it a pid namespace of its own");
}

int pst_sysrec_open(pid_t init, struct pst_sysrec *ret, struct pst_err *err)
{
	pst_auto_sysrec r = PST_SYSREC_NONE;
	struct stat ns;
	int rc = find_ns(init, &ns, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pst_sysrec_count),
			      PST_SYSREC_CALLS * PST_SYSREC_PHASES, &r.counts, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, NSTATE, &r.state, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_HASH, sizeof(struct pst_sysrec_args), 8, PST_SYSREC_ARGS,
			      &r.args, err);
	if (rc == PST_OK)
		rc = load_program(&r, &ns, err);
	if (rc == PST_OK)
		rc = attach(&r, err);
	if (rc != PST_OK)
		return rc;
	*ret = r;
	r = (struct pst_sysrec)PST_SYSREC_NONE;
	return PST_OK;
}

static int element(int cmd, int map, const void *key, void *value)
{
	union bpf_attr at;
	memset(&at, 0, sizeof at);
	at.map_fd = (uint32_t)map;
	at.key = (uint64_t)(uintptr_t)key;
	at.value = (uint64_t)(uintptr_t)value;
	return pst_host->bpf(cmd, &at, sizeof at);
}

int pst_sysrec_phase(struct pst_sysrec *r, unsigned phase, struct pst_err *err)
{
	const uint32_t key = PHASE;
	uint64_t v = phase;
	return element(BPF_MAP_UPDATE_ELEM, r->state, &key, &v) == 0
		       ? PST_OK
		       : pst_fail_sys(err, "cannot change the recording's phase");
}

int pst_sysrec_read(const struct pst_sysrec *r, unsigned phase,
		    struct pst_sysrec_count out[PST_SYSREC_CALLS], struct pst_err *err)
{
	for (uint32_t nr = 0; nr < PST_SYSREC_CALLS; nr++) {
		const uint32_t key = phase * PST_SYSREC_CALLS + nr;
		if (element(BPF_MAP_LOOKUP_ELEM, r->counts, &key, &out[nr]) != 0)
			return pst_fail_sys(err, "cannot read the recording");
	}
	return PST_OK;
}

int pst_sysrec_args(const struct pst_sysrec *r, struct pst_sysrec_args out[PST_SYSREC_ARGS],
		    size_t *ret_n, struct pst_err *err)
{
	size_t n = 0;
	const void *key = NULL;
	while (n < PST_SYSREC_ARGS && element(BPF_MAP_GET_NEXT_KEY, r->args, key, &out[n]) == 0)
		key = &out[n++];
	*ret_n = n;
	return n == PST_SYSREC_ARGS || errno == ENOENT ? PST_OK
						       : pst_fail_sys(err, "cannot read the recording");
}

int pst_sysrec_faults(const struct pst_sysrec *r, struct pst_sysrec_faults *ret, struct pst_err *err)
{
	const uint32_t lost = ARGS_LOST, foreign = FOREIGN;
	if (element(BPF_MAP_LOOKUP_ELEM, r->state, &lost, &ret->args_lost) != 0 ||
	    element(BPF_MAP_LOOKUP_ELEM, r->state, &foreign, &ret->foreign) != 0)
		return pst_fail_sys(err, "cannot read the recording");
	return PST_OK;
}

void pst_sysrec_close(struct pst_sysrec *r)
{
	pst_fd_close(r->link);
	pst_fd_close(r->prog);
	pst_fd_close(r->counts);
	pst_fd_close(r->args);
	pst_fd_close(r->state);
	*r = (struct pst_sysrec)PST_SYSREC_NONE;
}
