/*
 * tests/host/ground.h - a patch of ground for tests on the real kernel.
 *
 * Every test runs in a mount namespace of its own (criterion forks one process a
 * test), in a fresh directory on the disk, so nothing outlives it. Tests that
 * need root skip without it; POSTERN_MUST_WORK=1 turns the skip into a failure.
 */
#pragma once

#include <stdint.h>

#define BASE UINT32_C(1879113728)

/* The test's directory, absolute and canonical; the working directory too. */
extern char ground_dir[256];

/* Criterion fixtures. */
void ground_enter(void);
void ground_leave(void);

/* A user namespace of 0..65535 -> BASE; fails the test. */
int ground_userns(void);

/* mkdir -p below the ground; path relative to it. */
void ground_mkdir(const char *path);

/* A file with this text, below the ground. */
void ground_write(const char *path, const char *text);

/* The first bytes of a file in a static buffer. "" when it cannot be read. */
const char *ground_read(const char *path);

/*
 * Run `script` by /bin/sh in a child with ids 0:0 of the user namespace and the
 * working directory `dfd`. Returns its exit status.
 */
int ground_sh_in(int userns, int dfd, const char *script);

/* The same as host root, in the ground. */
int ground_sh(const char *script);

/* Number of lines in /proc/self/mountinfo. */
int ground_mounts(void);
