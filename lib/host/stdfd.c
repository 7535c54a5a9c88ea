#include "host/stdfd.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "host/hostops.h"

/* Majors of Unix98 pty slaves (kernel Documentation/admin-guide/devices.txt). */
#define PTY_SLAVE_FIRST 136u
#define PTY_SLAVE_LAST 143u
#define DEVPTS_MAGIC 0x1cd1

static bool is_pty_slave(int fd, const struct stat *st)
{
	struct statfs fs;
	const unsigned num = major(st->st_rdev);
	/* The number alone is not enough: a node of it may lie on the host's disk. */
	return num >= PTY_SLAVE_FIRST && num <= PTY_SLAVE_LAST &&
	       pst_host->fstatfs(fd, &fs) == 0 && (uint32_t)fs.f_type == DEVPTS_MAGIC;
}

static bool takes(int fd, struct stat *st)
{
	if (fd < 0 || pst_host->fstat(fd, st) != 0)
		return false;
	return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) ||
	       (S_ISCHR(st->st_mode) && is_pty_slave(fd, st));
}

bool pst_stdfd_takes(int fd)
{
	struct stat st;
	return takes(fd, &st);
}

int pst_stdfd_restore(const int fd[], size_t n, const struct pst_stdfd_old old[],
		      struct pst_err *err)
{
	int rc = PST_OK;
	while (n-- > 0) {
		if (!old[n].given || !pst_stdfd_takes(fd[n]))
			continue;
		if (pst_host->fchown(fd[n], old[n].uid, old[n].gid) != 0 && rc == PST_OK)
			rc = pst_fail_sys(err, "cannot give descriptor %d back to %u:%u", fd[n],
					  old[n].uid, old[n].gid);
	}
	return rc;
}

int pst_stdfd_give(const int fd[], size_t n, uint32_t uid, uint32_t gid, struct pst_stdfd_old old[],
		   struct pst_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		old[i] = (struct pst_stdfd_old){0};
		if (!takes(fd[i], &st) || (st.st_uid == uid && st.st_gid == gid))
			continue;
		if (pst_host->fchown(fd[i], uid, gid) != 0) {
			pst_fail_sys(err, "cannot give descriptor %d to %u:%u", fd[i], uid, gid);
			(void)!pst_stdfd_restore(fd, i, old, NULL);
			return PST_E_HOST;
		}
		old[i] = (struct pst_stdfd_old){.given = true, .uid = st.st_uid, .gid = st.st_gid};
	}
	return PST_OK;
}
