/* -info: name, version, and the features postern leaves of the runtime's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "config.h"
#include "containerd/args.h"
#include "containerd/find.h"
#include "proto/bootstrap.pb-c.h"

#define FEATURES "types.containerd.io/opencontainers/runtime-spec/1/features/Features"

extern char **environ;

/* What `postern features` prints; empty if the runtime has no such verb. */
static int features(struct pst_buf *out, struct pst_err *err)
{
	char piece[4096];
	int ends[2];
	int st;
	const char *postern;
	int rc = pst_shim_postern_path(&postern, err);
	if (rc != PST_OK)
		return rc;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd from = ends[0];
	const pid_t pid = vfork();
	if (pid == 0) {
		(void)dup2(ends[1], 1);
		execle(postern, postern, "features", (char *)NULL, environ);
		_exit(127);
	}
	pst_fd_close(ends[1]);
	ssize_t n;
	while (pid > 0 && (n = read(from, piece, sizeof piece)) > 0)
		pst_buf_add(out, piece, (size_t)n);
	if (pid < 0 || waitpid(pid, &st, 0) != pid || !pst_buf_ok(out))
		return pst_fail_sys(err, "cannot run %s features", postern);
	if (st != 0)
		pst_buf_done(out);
	return PST_OK;
}

int pst_shim_info(struct pst_err *err)
{
	char name[] = "io.containerd.postern.v2";
	char version[] = PST_VERSION;
	char type[] = FEATURES;
	Pst__RuntimeVersion v = PST__RUNTIME_VERSION__INIT;
	Pst__Any any = PST__ANY__INIT;
	Pst__RuntimeInfo r = PST__RUNTIME_INFO__INIT;
	pst_auto_buf json = {0};
	int rc = features(&json, err);
	if (rc != PST_OK)
		return rc;
	v.version = version;
	r.name = name;
	r.version = &v;
	any.type_url = type;
	any.value.data = (uint8_t *)json.data;
	any.value.len = json.len;
	r.features = json.len > 0 ? &any : NULL;
	const size_t len = pst__runtime_info__get_packed_size(&r);
	uint8_t *out = malloc(len);
	if (out == NULL)
		return pst_fail_nomem(err);
	(void)pst__runtime_info__pack(&r, out);
	rc = write(STDOUT_FILENO, out, len) == (ssize_t)len ? PST_OK : pst_fail_sys(err, "cannot answer");
	free(out);
	return rc;
}
