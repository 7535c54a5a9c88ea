/*
 * keeper.h - the parts of postern-keeper.
 *
 * One thread, poll(2), nothing that wakes it while no call is denied. It answers
 * notifications of seccomp(2) by the rules of c/KEY/denials.rules and writes what it
 * answered, and counts limits that are met. Memory is bounded by the tables below, whatever a container does; CPU by
 * a budget (budget.c): above it the container waits for its answers.
 */
#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "core/cube.h"
#include "core/hits.h"

#define KEEPER_CALLS 512   /* numbers of x86_64 calls, core/sctable.h PST_SC_NATIVE */
#define KEEPER_FDS 256     /* listeners: init and the execs that run at one time */
#define KEEPER_SEEN 64     /* processes and calls whose repetitions are counted together */
#define KEEPER_FILE_MAX (256 * 1024) /* bytes of denials.ndjson; one older file is kept */
#define KEEPER_LIMITS_MAX (64 * 1024) /* likewise of limits.ndjson */

/* One region of a call, as a line of the rules says it. */
struct rule {
	bool pass;         /* complain mode: let through */
	uint16_t error;
	const char *name;  /* into the mapped text; fields end with a tab or newline */
	const char *who, *why;
	const char *args;  /* the field as written: "-" or boxes */
	uint16_t next;     /* of the same call; 0: last */
	uint32_t box;      /* index into boxes, UINT32_MAX: every argument */
};

struct rules {
	const char *text;  /* the file, mapped and followed by a NUL */
	struct rule *v;    /* v[0] is not used */
	size_t n;
	struct pst_box *boxes;
	size_t nboxes;
	uint16_t first[KEEPER_CALLS]; /* 0: no rule */
	const char *id, *profile, *pod, *namespace_, *container, *message, *log; /* NULL: none */
	unsigned rate;     /* full records of one call, a second */
	unsigned def;      /* errno of the profile's default */
};

/* Read denials.rules of directory `dfd`. false: not there or not ours. */
bool rules_read(struct rules *r, int dfd);

/* What the profile answers: the rule, and whether complain mode lets the call through.
 * NULL: no rule speaks of it (the caller then answers the default's errno). */
const struct rule *rules_find(const struct rules *r, const struct seccomp_data *d, bool *pass);

/* Append a field, which ends with a tab, a newline or the text. */
void field_text(const char *field, struct pst_buf *out);

/* A process as it was when it made the call. Texts are escaped, without quotes. */
struct who {
	pid_t pid, inside; /* thread, in our pid namespace and in its own */
	char comm[64];
	char exe[256];
	char origin[256];  /* file and offset the call was made from, "" if unknown */
	char symbol[64];   /* that file's function and the offset in it, "" if unknown */
	bool runtime;      /* the OCI runtime's own init, before it became the program */
};
void look_at(const struct seccomp_notif *n, struct who *w);

/* Fill origin and symbol for the instruction at `ip`. */
void find_origin(pid_t pid, uint64_t ip, struct who *w);

/* Text from a container, made safe to print and to put between quotes of JSON. */
void put_text(char *to, size_t size, const char *from);

/* The arguments in words: paths, flags and families by name. Reads the process's
 * memory: check that the notification is still valid before believing it. */
void args_text(const struct seccomp_notif *n, const char *name, struct pst_buf *out);

/* record.c: lines of JSON in KEY.ndjson (calls) and KEY.limits.ndjson. */
enum record_kind { RECORD_DENIALS, RECORD_LIMITS };
void record_open(int dir, const char *key);
void record_stamp(char out[40]);
/* ,"KEY":"FIELD": escaped for printing already, so quotes are left; NULL appends nothing. */
void record_field(struct pst_buf *out, const char *key, const char *field);
void record_text(struct pst_buf *out, const char *s);
/* The container, and this session of ours: the members all records begin with. */
void record_who(const struct rules *r, struct pst_buf *out);
void record_write(enum record_kind kind, const struct pst_buf *line);

/* ring.c: what is written of calls, and when. */
void ring_open(const struct rules *r);

/* A denial between its notification and its answer. */
struct denial {
	const struct seccomp_notif *n;
	const struct rule *rule;
	int fd;             /* the listener it came by */
	unsigned error;
	bool pass;
	struct seen *seen;  /* counted before, or NULL */
	bool looked;        /* who and args are filled and true */
	bool full;          /* it is to have a record of its own */
	struct who who;
	struct pst_buf args;
};

/* Before the answer, while the process stands still: look at it, if this call of this
 * thread was not seen before. */
void ring_look(struct denial *d);
/* It was answered: count it, or write its record. */
void ring_count(struct denial *d);
/* Milliseconds until counts should be written, -1: nothing waits. */
int ring_due(void);
void ring_flush(void);
/* Calls denied and let through so far, without those of the runtime's own init. */
void ring_totals(struct pst_hits *h);

/*
 * limits.c: limits that are met (core/limitwatch.h). Two descriptors to poll for POLLIN,
 * -1 each while there is nothing to hear: the end of the container's first process, and
 * the kernel's bell of its cgroup (v1: OOM; v2: memory.events and pids.events). What the
 * kernel rings no bell for is read when something else wakes us, and at the end.
 */
/* False: they cannot be looked after. */
bool limits_begin(const struct rules *r, int dir);
int limits_end_fd(void);
int limits_bell_fd(void);
void limits_ended(void);
void limits_bell(void);
/* Milliseconds until limits_look is wanted, -1: never. */
int limits_due(void);
void limits_look(void);
/* Is the container's first process there still? */
bool limits_alive(void);
/* Write c/KEY/counts. */
void limits_counts(void);

/*
 * size.c: the size of the container's own layer (core/limitwatch.h, "tree"). Nothing
 * happens while limits.watch names none. size_fd is to be polled for POLLIN, -1: not now.
 */
enum size_found {
	SIZE_FINE,
	SIZE_ABOVE,
	SIZE_UNKNOWN, /* it cannot be measured, for too long */
};
/* False: it cannot be measured at all. Waits for the size at the start, where that counts. */
bool size_begin(int home, const char *watch);
void size_end(void);
int size_fd(void);
/* Milliseconds until size_look is wanted, -1: never. */
int size_due(void);
enum size_found size_look(void);
/* A walk is over: what was found. */
enum size_found size_walked(uint64_t *ret_bytes);
uint64_t size_limit(const char **ret_source);
/* limits.c: what the two say; a container above its limit is told of and killed, and so is
 * one whose layer cannot be measured. */
void limits_size(enum size_found found, uint64_t bytes);

/* netdrop.c: what the limits of its network dropped; nothing where limits.watch names no link. */
void netdrop_begin(const char *watch);
void netdrop_count(struct pst_hits *h);

/* oomwho.c: the process of the cgroup `dfd` with the most memory, now. */
void oom_largest(int dfd, struct pst_oom_task *ret);
/* What the kernel's log says of the latest kill in cgroup `path`. */
bool oom_report(const char *path, struct pst_oom_report *ret);

/* Does the profile name the call with an errno of its own? That rule beats one that allows
 * it: it has to go first. */
bool rule_is_named(const struct rules *r, const struct rule *rule);
/* The rule of an OCI profile that would allow the call; of sockets, those arguments. */
void allow_rule(const struct seccomp_notif *n, const struct rule *rule, struct pst_buf *out);

/* tell.c: one line a call for people: containerd's log, the termination message. The
 * denial has been looked at. */
void tell(const struct rules *r, const struct denial *d);
/* A limit: `line` is the whole sentence. */
void tell_limit(const struct rules *r, const char *line);
void tell_last(const struct rules *r);

uint64_t now_ms(void);
/* Is the notification still waiting (SECCOMP_IOCTL_NOTIF_ID_VALID)? */
bool still_waits(int fd, uint64_t id);

/* budget.c: processor time a container may take of us, 1.5 % of a core. */
void budget_spent(void);
/* Milliseconds to leave the container waiting, 0: none. */
int budget_wait(void);

/* ahead.c: spare the runtime, which is starting, a wait in the kernel. Takes some 15 ms; when
 * it cannot be done the runtime waits, and nothing else is different. */
void move_ahead(void);
