#include "containerd/bootstrap.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "containerd/options.h"
#include "containerd/socket.h"
#include "proto/bootstrap.pb-c.h"

#define LARGEST ((size_t)10 << 20)

static int read_all(int fd, struct pst_buf *b, struct pst_err *err)
{
	char piece[4096];
	ssize_t n;
	while ((n = read(fd, piece, sizeof piece)) > 0)
		if (b->len < LARGEST)
			pst_buf_add(b, piece, (size_t)n);
	if (n < 0)
		return pst_fail_sys(err, "cannot read the options from stdin");
	if (b->len >= LARGEST)
		return pst_fail(err, PST_E_SPEC, "", "more than 10 MiB of options on stdin");
	return pst_buf_ok(b) ? PST_OK : pst_fail_nomem(err);
}

static int take_options(const Pst__Any *any, struct pst_bootstrap *ret, struct pst_err *err)
{
	struct pst_shim_options o = {0};
	int rc = pst_options_decode(any->type_url, any->value.data, any->value.len, &o, err);
	if (rc == PST_OK && o.shim_cgroup != NULL &&
	    snprintf(ret->shim_cgroup, sizeof ret->shim_cgroup, "%s", o.shim_cgroup) >=
		    (int)sizeof ret->shim_cgroup)
		rc = pst_fail(err, PST_E_SPEC, "", "ShimCgroup has too long a name");
	pst_options_done(&o);
	return rc;
}

static int take_params(const Pst__BootstrapParams *p, struct pst_bootstrap *ret, struct pst_err *err)
{
	int rc = PST_OK;
	if (p->socket_dir[0] != '\0') {
		if (p->socket_dir[0] != '/' || strlen(p->socket_dir) > 42)
			return pst_fail(err, PST_E_SPEC, "/socket_dir",
					"the folder for sockets must be absolute and of 42 characters at most");
		snprintf(ret->socket_dir, sizeof ret->socket_dir, "%s", p->socket_dir);
	}
	for (size_t i = 0; rc == PST_OK && i < p->n_extensions; i++)
		if (p->extensions[i]->value != NULL &&
		    strstr(p->extensions[i]->value->type_url, "Options") != NULL)
			rc = take_options(p->extensions[i]->value, ret, err);
	return rc;
}

int pst_bootstrap_read(int fd, const struct pst_shim_args *a, struct pst_bootstrap *ret,
		       struct pst_err *err)
{
	pst_auto_buf b = {0};
	int rc = read_all(fd, &b, err);
	snprintf(ret->socket_dir, sizeof ret->socket_dir, "%s", PST_SOCKET_DIR);
	if (rc != PST_OK || b.len == 0)
		return rc;
	const uint8_t *data = (const uint8_t *)b.data;
	Pst__BootstrapParams *p = pst__bootstrap_params__unpack(NULL, b.len, data);
	if (p != NULL && strcmp(p->instance_id, a->id) == 0 &&
	    strcmp(p->namespace_, a->namespace_) == 0) {
		rc = take_params(p, ret, err);
	} else {
		Pst__Any *any = pst__any__unpack(NULL, b.len, data);
		rc = any == NULL ? pst_fail(err, PST_E_SPEC, "", "stdin holds no runtime options")
				 : take_options(any, ret, err);
		if (any != NULL)
			pst__any__free_unpacked(any, NULL);
	}
	if (p != NULL)
		pst__bootstrap_params__free_unpacked(p, NULL);
	return rc;
}
