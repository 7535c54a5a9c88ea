#include "host/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "core/json.h"
#include "host/beside.h"
#include "host/hostops.h"

#define STATE_MAX 65536 /* the OCI state with annotations, runtime.md "State" */

bool pst_gate_works(const struct pst_runtime *rt)
{
	return strcmp(rt->name, "runc") == 0 && rt->version[0] == 1 && rt->version[1] <= 5;
}

char *pst_gate_program(void)
{
	return pst_beside("postern-gate");
}

int pst_gate_listen(const char *path, int *ret_fd, struct pst_err *err)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof addr.sun_path)
		return pst_fail(err, PST_E_HOST, "", "the path of a socket is too long: %s", path);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);

	pst_auto_fd fd = pst_host->socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return pst_fail_sys(err, "cannot make a socket");
	if (pst_host->bind(fd, (struct sockaddr *)&addr, sizeof addr) != 0 ||
	    pst_host->listen(fd, 1) != 0)
		return pst_fail_sys(err, "cannot listen at %s", path);
	*ret_fd = PST_TAKE_FD(fd);
	return PST_OK;
}

static int read_state(int conn, pid_t *ret_pid, struct pst_err *err)
{
	pst_auto_free char *text = malloc(STATE_MAX);
	if (text == NULL)
		return pst_fail_nomem(err);
	struct pollfd p = {.fd = conn, .events = POLLIN};
	ssize_t n;
	do {
		n = pst_host->poll(&p, 1, 10000) == 1 ? pst_host->read(conn, text, STATE_MAX) : -1;
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return pst_fail_sys(err, "no word from the runtime's hook");

	pst_auto_json *j = NULL;
	uint64_t pid;
	const int rc = pst_json_parse(text, (size_t)n, "state", &pst_json_oci, &j, err);
	if (rc != PST_OK)
		return rc;
	if (!pst_json_u64(json_object_get(j, "pid"), &pid) || pid == 0 || pid > INT32_MAX)
		return pst_fail(err, PST_E_RUNTIME, "/pid", "the runtime told its hook no process id");
	*ret_pid = (pid_t)pid;
	return PST_OK;
}

int pst_gate_accept(int listen_fd, int *ret_conn, pid_t *ret_pid, struct pst_err *err)
{
	pst_auto_fd conn = pst_host->accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (conn < 0)
		return pst_fail_sys(err, "cannot take the hook's connection");
	struct ucred peer;
	socklen_t len = sizeof peer;
	if (pst_host->getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || peer.uid != 0)
		return pst_fail(err, PST_E_STATE, "", "somebody who is not root knocked at the gate");
	const int rc = read_state(conn, ret_pid, err);
	if (rc == PST_OK)
		*ret_conn = PST_TAKE_FD(conn);
	return rc;
}

int pst_gate_answer(int conn, bool yes, struct pst_err *err)
{
	const ssize_t n = pst_host->write(conn, yes ? "y" : "n", 1);
	const int rc = n == 1 ? PST_OK : pst_fail_sys(err, "cannot answer the runtime's hook");
	pst_fd_close(conn);
	return rc;
}
