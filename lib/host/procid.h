/*
 * host/procid.h - name a process so that a reused pid is not mistaken for it.
 *
 * A pid means something only with the boot, the pid namespace and the start
 * time of the process (field 22 of proc_pid_stat(5), clock ticks since boot).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_BOOTID_LEN 36
#define PST_PROCID_TEXT 128 /* holds pst_procid_print's text and a NUL */

struct pst_procid {
	char boot[PST_BOOTID_LEN + 1]; /* /proc/sys/kernel/random/boot_id */
	uint64_t pidns;                /* inode of its pid namespace */
	pid_t pid;                     /* in that namespace */
	uint64_t start;                /* ticks since boot */
};

enum pst_alive {
	PST_ALIVE,
	PST_DEAD,          /* proved: another boot, no such pid, or another start time */
	PST_ALIVE_UNKNOWN, /* another pid namespace, or /proc cannot say */
};

/* This process. Read afresh at each call (a fork changes it). */
PST_CHECKED PST_NONNULL(1) int pst_procid_self(struct pst_procid *out, struct pst_err *err);

/* Process `pid` of this pid namespace; PST_E_HOST with sys ESRCH if there is none. */
PST_CHECKED PST_NONNULL(2)
int pst_procid_of(pid_t pid, struct pst_procid *out, struct pst_err *err);

/* Is the process still there, as seen by `self` (pst_procid_self)? A zombie
 * counts as dead: it holds nothing. */
PST_NONNULL(1, 2)
enum pst_alive pst_procid_alive(const struct pst_procid *p, const struct pst_procid *self);

/* "BOOT PIDNS PID START", for records; and back: false if `text` is not that. */
PST_NONNULL(1, 2) void pst_procid_print(const struct pst_procid *p, char out[PST_PROCID_TEXT]);
PST_CHECKED PST_NONNULL(1, 2) bool pst_procid_parse(const char *text, struct pst_procid *out);
