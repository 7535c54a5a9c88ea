#include "containerd/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/loop.h"

struct pst_oom {
	struct pst_watch w;
	int fd;
	int version;
	uint64_t kills; /* v2: oom_kill as last seen */
	void (*hit)(void *ctx);
	void *ctx;
	char file[]; /* memory.events, or v1's memory.oom_control */
};

static uint64_t count_kills(const char *file)
{
	char text[512];
	pst_auto_fd fd = open(file, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *at = strstr(text, "oom_kill ");
	return at == NULL ? 0 : strtoull(at + 9, NULL, 10);
}

static void on_ready(void *ctx, uint32_t events)
{
	struct pst_oom *o = ctx;
	char piece[512];
	(void)events;
	if (read(o->fd, piece, sizeof piece) <= 0)
		return;
	if (access(o->file, F_OK) != 0) { /* v1 also says that the cgroup is removed */
		pst_watch_end(&o->w);
		return;
	}
	if (o->version == 2) {
		const uint64_t kills = count_kills(o->file);
		if (kills <= o->kills)
			return;
		o->kills = kills;
	}
	o->hit(o->ctx);
}

static int watch_v1(struct pst_oom *o, const char *dir, struct pst_err *err)
{
	char path[640];
	char text[32];
	o->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pst_auto_fd control = open(o->file, O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof path, "%s/cgroup.event_control", dir);
	pst_auto_fd to = open(path, O_WRONLY | O_CLOEXEC);
	const int n = snprintf(text, sizeof text, "%d %d", o->fd, control);
	if (o->fd < 0 || control < 0 || to < 0 || write(to, text, (size_t)n) != n)
		return pst_fail_sys(err, "cannot watch %s", o->file);
	return PST_OK;
}

static int watch_v2(struct pst_oom *o, struct pst_err *err)
{
	o->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	o->kills = count_kills(o->file);
	if (o->fd < 0 || inotify_add_watch(o->fd, o->file, IN_MODIFY) < 0)
		return pst_fail_sys(err, "cannot watch %s", o->file);
	return PST_OK;
}

int pst_oom_watch(const struct pst_cgroup *cg, void (*hit)(void *ctx), void *ctx,
		  struct pst_oom **ret, struct pst_err *err)
{
	const char *dir = pst_cgroup_dir(cg, PST_CGROUP_MEMORY);
	*ret = NULL;
	if (dir == NULL)
		return PST_OK;
	const size_t space = strlen(dir) + 24;
	struct pst_oom *o = calloc(1, sizeof *o + space);
	if (o == NULL)
		return pst_fail_nomem(err);
	*o = (struct pst_oom){.w = {.fd = -1}, .version = cg->version, .hit = hit, .ctx = ctx};
	snprintf(o->file, space, "%s/%s", dir,
		 cg->version == 2 ? "memory.events" : "memory.oom_control");
	int rc = cg->version == 2 ? watch_v2(o, err) : watch_v1(o, dir, err);
	if (rc == PST_OK) {
		o->w = (struct pst_watch){.fd = o->fd, .ready = on_ready, .ctx = o};
		rc = pst_watch_begin(&o->w, EPOLLIN, err);
	}
	if (rc != PST_OK) {
		o->w.fd = -1;
		pst_oom_free(o);
		return rc;
	}
	*ret = o;
	return PST_OK;
}

void pst_oom_free(struct pst_oom *o)
{
	if (o == NULL)
		return;
	pst_watch_end(&o->w);
	pst_fd_close(o->fd);
	free(o);
}
