#include "host/sysrec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fd.h"
#include "host/hostops.h"
#include "host/io.h"
#include "host/sysrec_priv.h"

#define STATUS_MAX 16384 /* of /proc/PID/status */

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

static int load_program(const struct pst_bpfprog *p, int *ret, struct pst_err *err)
{
	static const char license[] = "GPL"; /* probe_read_kernel is for such programs only */
	union bpf_attr at;
	memset(&at, 0, sizeof at);
	at.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
	at.insns = (uint64_t)(uintptr_t)p->v;
	at.insn_cnt = (uint32_t)p->n;
	at.license = (uint64_t)(uintptr_t)license;
	*ret = pst_host->bpf(BPF_PROG_LOAD, &at, sizeof at);
	return *ret >= 0 ? PST_OK : refused(err, "load the recorder's program");
}

static int attach(int prog, const char *point, int *ret, struct pst_err *err)
{
	union bpf_attr at;
	memset(&at, 0, sizeof at);
	at.raw_tracepoint.name = (uint64_t)(uintptr_t)point;
	at.raw_tracepoint.prog_fd = (uint32_t)prog;
	*ret = pst_host->bpf(BPF_RAW_TRACEPOINT_OPEN, &at, sizeof at);
	return *ret >= 0 ? PST_OK : refused(err, "attach the recorder to the kernel");
}

/* Who came by exec is followed before the first call is counted. */
static int load_all(struct pst_sysrec *r, const struct pst_sysrec_of *of, struct pst_err *err)
{
	static const char *const points[] = {"sched_process_exit", "sched_process_fork", "sys_enter"};
	struct pst_bpfprog p[PST_SYSREC_PROGS];
	int rc = PST_OK;
	if (!pst_sysrec_prog_exit(r, &p[0]) || !pst_sysrec_prog_fork(r, &p[1]) ||
	    !pst_sysrec_prog_enter(of, r, &p[2]))
		return pst_fail(err, PST_E_BUG, "", "the recorder's program is too long");
	for (size_t i = 0; rc == PST_OK && i < PST_SYSREC_PROGS; i++) {
		rc = load_program(&p[i], &r->prog[i], err);
		if (rc == PST_OK)
			rc = attach(r->prog[i], points[i], &r->link[i], err);
	}
	return rc;
}

/* "NSpid:\t12 3": the last is its number in its own namespace. */
static int number_inside(pid_t pid, pid_t *ret, struct pst_err *err)
{
	char path[64];
	pst_auto_buf text = {0};
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	const int rc = pst_io_read_file(AT_FDCWD, path, STATUS_MAX, &text, err);
	if (rc != PST_OK)
		return rc;
	const char *p = strstr(pst_buf_cstr(&text), "\nNSpid:");
	if (p == NULL)
		return pst_fail(err, PST_E_HOST, "", "%s has no NSpid", path);
	const char *end = p + 1 + strcspn(p + 1, "\n");
	while (end[-1] >= '0' && end[-1] <= '9')
		end--;
	*ret = (pid_t)strtol(end, NULL, 10);
	return PST_OK;
}

static int find_ns(pid_t init, struct pst_sysrec_of *ret, struct pst_err *err)
{
	char path[64];
	struct stat ns, own;
	snprintf(path, sizeof path, "/proc/%d/ns/pid", (int)init);
	if (pst_host->fstatat(AT_FDCWD, path, &ns, 0) != 0 ||
	    pst_host->fstatat(AT_FDCWD, "/proc/self/ns/pid", &own, 0) != 0)
		return pst_fail_sys(err, "cannot look at %s", path);
	*ret = (struct pst_sysrec_of){.ns_dev = ns.st_dev, .ns_ino = ns.st_ino};
	if (ns.st_ino != own.st_ino || ns.st_dev != own.st_dev)
		return number_inside(init, &ret->init, err);
	pst_fail(err, PST_E_STATE, "", "the container shares our pid namespace: its calls cannot be told "
		 "from others'");
	return pst_err_cure(err, "give it a pid namespace of its own");
}

static int make_maps(struct pst_sysrec *r, struct pst_err *err)
{
	int rc = make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(struct pst_sysrec_count),
			  PST_SYSREC_CALLS * PST_SYSREC_PHASES, &r->counts, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, PST_SYSREC_NSTATE, &r->state, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_HASH, sizeof(struct pst_sysrec_args), 8, PST_SYSREC_ARGS,
			      &r->args, err);
	if (rc == PST_OK)
		rc = make_map(BPF_MAP_TYPE_HASH, 8, 8, PST_SYSREC_TASKS, &r->tasks, err);
	return rc;
}

int pst_sysrec_open(pid_t init, struct pst_sysrec *ret, struct pst_err *err)
{
	pst_auto_sysrec r = PST_SYSREC_NONE;
	struct pst_sysrec_of of;
	int rc = find_ns(init, &of, err);
	if (rc == PST_OK)
		rc = make_maps(&r, err);
	if (rc == PST_OK)
		rc = load_all(&r, &of, err);
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
	const uint32_t key = PST_SYSREC_PHASE;
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
	const uint32_t args = PST_SYSREC_ARGS_LOST, tasks = PST_SYSREC_TASKS_LOST, foreign = PST_SYSREC_FOREIGN;
	if (element(BPF_MAP_LOOKUP_ELEM, r->state, &args, &ret->args_lost) != 0 ||
	    element(BPF_MAP_LOOKUP_ELEM, r->state, &tasks, &ret->tasks_lost) != 0 ||
	    element(BPF_MAP_LOOKUP_ELEM, r->state, &foreign, &ret->foreign) != 0)
		return pst_fail_sys(err, "cannot read the recording");
	return PST_OK;
}

void pst_sysrec_close(struct pst_sysrec *r)
{
	for (size_t i = 0; i < PST_SYSREC_PROGS; i++) {
		pst_fd_close(r->link[i]);
		pst_fd_close(r->prog[i]);
	}
	pst_fd_close(r->counts);
	pst_fd_close(r->args);
	pst_fd_close(r->tasks);
	pst_fd_close(r->state);
	*r = (struct pst_sysrec)PST_SYSREC_NONE;
}
