#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "host/aside.h"
#include "host/hostops.h"
#include "host/netside.h"

#define SYSCTL_MAX 16
#define SYSCTL_ROOT "/proc/sys/"
#define PATH_SIZE 256

/* Sets of values that travel back from the child. */
typedef char values[SYSCTL_MAX][PST_SYSCTL_VALUE_MAX];
_Static_assert(sizeof(values) <= PST_ASIDE_IO_MAX, "a child can report all old values");

/* Dots and slashes change places when the first separator is a dot. */
static void to_path(char *s)
{
	if (s[strcspn(s, "./")] != '.')
		return;
	for (; *s != '\0'; s++) {
		if (*s == '.')
			*s = '/';
		else if (*s == '/')
			*s = '.';
	}
}

static bool parts_ok(const char *path)
{
	for (const char *p = path;; p++) {
		const size_t n = strcspn(p, "/");
		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (*p == '\0')
			return true;
	}
}

int pst_netside_sysctl_path(const char *key, char *path, size_t size, struct pst_err *err)
{
	char s[PATH_SIZE];
	const int n = snprintf(s, sizeof s, "%s", key);
	if (n < 0 || (size_t)n >= sizeof s || (size_t)n >= size)
		return pst_fail(err, PST_E_SPEC, "", "the kernel parameter %.64s... has too long a name", key);
	to_path(s);
	if (!pst_starts(s, "net/") || !parts_ok(s))
		return pst_fail(err, PST_E_SPEC, "", "%s is no kernel parameter of a network namespace", key);
	memcpy(path, s, (size_t)n + 1);
	return PST_OK;
}

/* What a child has to do; the old values are its report. */
struct job {
	int netns;
	const struct pst_sysctl *v;
	size_t n;
};

static int open_param(const char *key, bool write, int *ret, struct pst_err *err)
{
	char path[sizeof SYSCTL_ROOT + PATH_SIZE] = SYSCTL_ROOT;
	const size_t root = sizeof SYSCTL_ROOT - 1;
	const int rc = pst_netside_sysctl_path(key, path + root, sizeof path - root, err);
	if (rc != PST_OK)
		return rc;
	const int fd = pst_host->openat(AT_FDCWD, path, (write ? O_WRONLY : O_RDONLY) | O_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot open the kernel parameter %s", key);
	*ret = fd;
	return PST_OK;
}

static int get(const char *key, char *value, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	const int rc = open_param(key, false, &fd, err);
	if (rc != PST_OK)
		return rc;
	const ssize_t n = pst_host->read(fd, value, PST_SYSCTL_VALUE_MAX - 1);
	if (n < 0)
		return pst_fail_sys(err, "cannot read the kernel parameter %s", key);
	value[n] = '\0';
	value[strcspn(value, "\n")] = '\0';
	return PST_OK;
}

static int put(const char *key, const char *value, struct pst_err *err)
{
	pst_auto_fd fd = -1;
	const int rc = open_param(key, true, &fd, err);
	if (rc != PST_OK)
		return rc;
	const size_t len = strlen(value);
	if (pst_host->write(fd, value, len) != (ssize_t)len)
		return pst_fail_sys(err, "cannot set the kernel parameter %s to \"%s\"", key, value);
	return PST_OK;
}

static void put_back(const struct job *j, values *old, size_t n)
{
	while (n-- > 0)
		if (j->v[n].value != NULL)
			(void)!put(j->v[n].key, (*old)[n], NULL);
}

/* /proc/sys/net shows the namespace of the process that looks (proc(5)). */
static int inside(void *arg, void *io, struct pst_err *err)
{
	const struct job *j = arg;
	values *old = io;
	if (pst_host->setns(j->netns, CLONE_NEWNET) != 0)
		return pst_fail_sys(err, "cannot enter the network namespace");
	for (size_t i = 0; i < j->n; i++) {
		int rc = get(j->v[i].key, (*old)[i], err);
		if (rc == PST_OK && j->v[i].value != NULL)
			rc = put(j->v[i].key, j->v[i].value, err);
		if (rc != PST_OK) {
			put_back(j, old, i);
			return rc;
		}
	}
	return PST_OK;
}

static int check(int netns, const struct pst_sysctl *v, size_t n, struct pst_err *err)
{
	bool writes = false, host = true;
	char path[PATH_SIZE];
	if (n > SYSCTL_MAX)
		return pst_fail(err, PST_E_SPEC, "", "%zu kernel parameters at once, more than %d", n,
				SYSCTL_MAX);
	for (size_t i = 0; i < n; i++) {
		const int rc = pst_netside_sysctl_path(v[i].key, path, sizeof path, err);
		if (rc != PST_OK)
			return rc;
		if (v[i].value != NULL && strlen(v[i].value) >= PST_SYSCTL_VALUE_MAX)
			return pst_fail(err, PST_E_SPEC, "", "the value of %s is too long", v[i].key);
		writes |= v[i].value != NULL;
	}
	if (!writes)
		return PST_OK;
	const int rc = pst_netside_is_host(netns, "net", &host, err);
	if (rc == PST_OK && host)
		return pst_fail(err, PST_E_POLICY, "",
				"kernel parameters of the machine's own network are never changed (%s)",
				v[0].key);
	return rc;
}

int pst_netside_sysctl(int netns, struct pst_sysctl *v, size_t n, struct pst_err *err)
{
	int rc = check(netns, v, n, err);
	if (rc != PST_OK || n == 0)
		return rc;
	values old = {{0}};
	struct job j = {.netns = netns, .v = v, .n = n};
	rc = pst_aside_run(inside, &j, old, sizeof old, err);
	for (size_t i = 0; i < n && rc == PST_OK; i++)
		memcpy(v[i].old, old[i], sizeof v[i].old);
	return rc;
}
