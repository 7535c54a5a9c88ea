#include "host/scknown.h"

#include <seccomp.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "host/hostops.h"

bool pst_scknown_name(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

void pst_scknown_kernel(unsigned *major, unsigned *minor)
{
	struct utsname u;
	if (pst_host->uname(&u) == 0 && sscanf(u.release, "%u.%u", major, minor) == 2)
		return;
	*major = 0;
	*minor = 0;
}
