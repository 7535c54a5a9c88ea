#include "host/engine.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "core/tomlscan.h"
#include "host/hostops.h"
#include "host/runtime.h"

static const struct {
	const char *name, *program, *config;
	bool other_config;
	const char *reload; /* words of systemctl */
} engines[] = {
	[PST_CONTAINERD] = {"containerd", "containerd", "/etc/containerd/config.toml", true,
			    "restart containerd"},
	[PST_DOCKER] = {"docker", "dockerd", "/etc/docker/daemon.json", true,
			"reload docker"},
	[PST_PODMAN] = {"podman", "podman", "/etc/containers/containers.conf.d/postern.conf", false, NULL},
	[PST_CRIO] = {"crio", "crio", "/etc/crio/crio.conf.d/50-postern.conf", false,
		      "restart crio"},
};

void pst_engine_done(struct pst_engine *e)
{
	free(e->path);
	e->path = NULL;
}

/* One line of what a program said: the last that is not empty. */
static void last_line(const struct pst_buf *b, char *out, size_t size)
{
	const char *text = pst_buf_cstr(b), *at = text + b->len;
	while (at > text && strchr("\n\r ", at[-1]) != NULL)
		at--;
	const char *end = at;
	while (at > text && at[-1] != '\n')
		at--;
	snprintf(out, size, "%.*s", (int)(end - at < 400 ? end - at : 400), at);
}

static int stderr_too(void *arg)
{
	(void)arg;
	return pst_host->dup3(STDOUT_FILENO, STDERR_FILENO, 0) < 0 ? -1 : 0;
}

static int run(const char *path, const char *const args[], bool all, struct pst_buf *out, int *status,
	       struct pst_err *err)
{
	const char *argv[12] = {path};
	for (size_t i = 0; args[i] != NULL && i + 2 < PST_NELEM(argv); i++)
		argv[i + 1] = args[i];
	const struct pst_spawn s = {
		.path = path,
		.argv = argv,
		.out = out,
		.quiet = true,
		.before = all ? stderr_too : NULL,
		.before_what = "redirect its output",
	};
	return pst_runtime_run(&s, status, err);
}

/* Run it; the standard output of a success, or all its words and an error with the last ones. */
static int say(const char *path, const char *const args[], struct pst_buf *out, struct pst_err *err)
{
	char line[401];
	int status = 0;
	int rc = run(path, args, false, out, &status, err);
	if (rc != PST_OK || status == 0)
		return rc;
	/* Once more, to hear what it says of it. */
	pst_buf_done(out);
	rc = run(path, args, true, out, &status, err);
	if (rc != PST_OK)
		return rc;
	last_line(out, line, sizeof line);
	return pst_fail(err, PST_E_RUNTIME, "", "%s ends with status %d: %s", path, status, line);
}

static int find_version(struct pst_engine *e, struct pst_err *err)
{
	static const char *const args[] = {"--version", NULL};
	pst_auto_buf out = {0};
	if (e->id != PST_CONTAINERD || e->path == NULL)
		return PST_OK;
	const int rc = say(e->path, args, &out, err);
	if (rc != PST_OK)
		return rc;
	return pst_cd_version_read(pst_buf_cstr(&out), &e->version)
		       ? PST_OK
		       : pst_fail(err, PST_E_RUNTIME, "", "%s --version does not tell its version", e->path);
}

int pst_engine_open(const char *name, const char *config, struct pst_engine *ret, struct pst_err *err)
{
	size_t i = 0;
	while (i < PST_NELEM(engines) && strcmp(engines[i].name, name) != 0)
		i++;
	if (i == PST_NELEM(engines))
		return pst_fail(err, PST_E_USAGE, "", "no engine \"%s\": containerd, docker, podman or crio",
				name);
	if (config != NULL && !engines[i].other_config)
		return pst_fail(err, PST_E_USAGE, "", "--config: %s has no other place for it than %s", name,
				engines[i].config);
	if (config != NULL && config[0] != '/')
		return pst_fail(err, PST_E_USAGE, "", "--config is not an absolute path: %s", config);
	*ret = (struct pst_engine){
		.id = (enum pst_engine_id)i,
		.name = engines[i].name,
		.program = engines[i].program,
		.config = config != NULL ? config : engines[i].config,
	};
	if (pst_runtime_find(ret->program, &ret->path, NULL) != PST_OK)
		ret->path = NULL;
	const int rc = find_version(ret, err);
	if (rc != PST_OK)
		pst_engine_done(ret);
	return rc;
}

static bool there(const char *path)
{
	struct stat st;
	return pst_host->fstatat(AT_FDCWD, path, &st, 0) == 0;
}

static int check_containerd(const struct pst_engine *e, struct pst_engine_state *ret, struct pst_err *err)
{
	const char *const dump[] = {"--config", e->config, "config", "dump", NULL};
	static const char *const dflt[] = {"config", "default", NULL};
	pst_auto_buf out = {0};
	const int rc = say(e->path, there(e->config) ? dump : dflt, &out, err);
	return rc != PST_OK ? rc : pst_cd_dump_read(pst_buf_cstr(&out), out.len, &ret->cd, err);
}

static int check_docker(const struct pst_engine *e, struct pst_engine_state *ret, struct pst_err *err)
{
	const char *const args[] = {"--validate", "--config-file", e->config, NULL};
	pst_auto_buf out = {0};
	struct pst_err why = {0};
	if (!there(e->config))
		return PST_OK;
	const int rc = say(e->path, args, &out, &why);
	ret->unchecked = rc != PST_OK && strstr(pst_buf_cstr(&out), "unknown flag: --validate") != NULL;
	if (rc == PST_OK || ret->unchecked)
		return PST_OK;
	if (err != NULL)
		*err = why;
	return rc;
}

static int check_podman(const struct pst_engine *e, bool ours, struct pst_engine_state *ret,
			struct pst_err *err)
{
	static const char format[] = "{{.Host.OCIRuntime.Name}}";
	static const char *const with[] = {"--runtime", "postern", "info", "--format", format, NULL};
	static const char *const without[] = {"info", "--format", format, NULL};
	pst_auto_buf out = {0};
	const int rc = say(e->path, ours ? with : without, &out, err);
	const char *name = pst_buf_cstr(&out);
	ret->handler = rc == PST_OK && strcspn(name, "\n") == strlen("postern") && pst_starts(name, "postern");
	ret->dflt = ret->handler && !ours;
	return rc;
}

static int see_crio(void *ctx, const struct pst_toml_stmt *s, struct pst_err *err)
{
	struct pst_engine_state *st = ctx;
	char name[PST_HANDLER_MAX];
	(void)err;
	st->handler = st->handler || strcmp(s->path, "/crio/runtime/runtimes/postern") == 0;
	if (s->kind == PST_TOML_KEY && strcmp(s->path, "/crio/runtime/default_runtime") == 0)
		st->dflt = pst_toml_string(s->value, s->value_len, name, sizeof name) &&
			   strcmp(name, "postern") == 0;
	return PST_OK;
}

static int check_crio(const struct pst_engine *e, struct pst_engine_state *ret, struct pst_err *err)
{
	static const char *const args[] = {"config", NULL};
	pst_auto_buf out = {0};
	const int rc = say(e->path, args, &out, err);
	return rc != PST_OK ? rc
			    : pst_tomlscan(pst_buf_cstr(&out), out.len, "crio config", see_crio,
					   ret, err);
}

int pst_engine_check(const struct pst_engine *e, bool ours, struct pst_engine_state *ret,
		     struct pst_err *err)
{
	*ret = (struct pst_engine_state){.handler = false};
	switch (e->id) {
	case PST_CONTAINERD:
		return check_containerd(e, ret, err);
	case PST_DOCKER:
		return check_docker(e, ret, err);
	case PST_PODMAN:
		return check_podman(e, ours, ret, err);
	case PST_CRIO:
		return check_crio(e, ret, err);
	}
	return pst_fail(err, PST_E_BUG, "", "no such engine");
}

const char *pst_engine_reload(const struct pst_engine *e)
{
	return engines[e->id].reload;
}

int pst_engine_restart(const struct pst_engine *e, struct pst_err *err)
{
	pst_auto_free char *systemctl = NULL;
	pst_auto_buf out = {0};
	char verb[32];
	if (engines[e->id].reload == NULL)
		return PST_OK;
	const size_t n = strcspn(engines[e->id].reload, " ");
	snprintf(verb, sizeof verb, "%.*s", (int)n, engines[e->id].reload);
	const char *const args[] = {verb, engines[e->id].reload + n + 1, NULL};
	if (pst_runtime_find("systemctl", &systemctl, NULL) != PST_OK) {
		pst_fail(err, PST_E_RUNTIME, "", "there is no systemctl to restart %s with", e->name);
		return pst_err_cure(err, "restart it by hand");
	}
	return say(systemctl, args, &out, err);
}
