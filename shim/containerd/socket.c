#include "containerd/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"

int pst_socket_path(const char *dir, const char *address, const char *namespace_, const char *group,
		    char path[108], struct pst_err *err)
{
	char text[1024];
	char hex[SHA256_DIGEST_STRING_LENGTH];
	const int n = snprintf(text, sizeof text, "%s/%s/%s", address, namespace_, group);
	if (n < 0 || n >= (int)sizeof text)
		return pst_fail(err, PST_E_SPEC, "", "address, namespace and id are too long");
	(void)SHA256Data((const uint8_t *)text, (size_t)n, hex);
	if (snprintf(path, 108, "%s/%s", dir, hex) >= 107)
		return pst_fail(err, PST_E_SPEC, "", "the folder for sockets has too long a name: %s", dir);
	return PST_OK;
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || strlen(path) >= sizeof addr.sun_path)
		return fd < 0 ? -1 : (close(fd), -1);
	memcpy(addr.sun_path, path, strlen(path) + 1);
	if (connect(fd, (const struct sockaddr *)&addr, sizeof addr) == 0 || errno == EAGAIN)
		return fd; /* EAGAIN: alive, and busy */
	close(fd);
	return -1;
}

bool pst_socket_answers(const char *path)
{
	pst_auto_fd fd = connect_to(path);
	return fd >= 0;
}

/* One `start` at a time from bind to listen: between the two a socket looks stale. */
static int lock_folder_of(const char *path, int *ret, struct pst_err *err)
{
	char dir[108];
	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret < 0 && errno == ENOENT) {
		(void)mkdir("/run/containerd", 0711);
		(void)mkdir(dir, 0700);
		*ret = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (*ret < 0 || flock(*ret, LOCK_EX) != 0)
		return pst_fail_sys(err, "cannot lock the folder for sockets %s", dir);
	return PST_OK;
}

int pst_socket_listen(const char *path, int *ret_fd, struct pst_err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	pst_auto_fd lock = -1;
	pst_auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot make a socket");
	int rc = lock_folder_of(path, &lock, err);
	if (rc != PST_OK)
		return rc;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	while (bind(fd, (const struct sockaddr *)&addr, sizeof addr) != 0) {
		if (errno != EADDRINUSE)
			return pst_fail_sys(err, "cannot bind %s", path);
		if (pst_socket_answers(path)) {
			*ret_fd = -1;
			return PST_OK;
		}
		if (unlink(path) != 0)
			return pst_fail_sys(err, "cannot remove the stale socket %s", path);
	}
	if (chmod(path, 0600) != 0 || listen(fd, SOMAXCONN) != 0) {
		rc = pst_fail_sys(err, "cannot listen at %s", path);
		(void)unlink(path);
		return rc;
	}
	*ret_fd = PST_TAKE_FD(fd);
	return PST_OK;
}

void pst_socket_drop(const char *path, bool answering)
{
	pst_auto_fd lock = -1;
	if (lock_folder_of(path, &lock, NULL) == PST_OK && (answering || !pst_socket_answers(path)))
		(void)unlink(path);
}
