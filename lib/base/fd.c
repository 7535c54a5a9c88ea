#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

void pst_fd_close(int fd)
{
	if (fd < 0)
		return;
	const int e = errno;
	(void)close(fd); /* close(2): the descriptor is gone even on EINTR */
	errno = e;
}
