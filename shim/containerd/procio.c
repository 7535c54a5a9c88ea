#include "containerd/procio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "containerd/console.h"
#include "containerd/logger.h"
#include "containerd/stream.h"

struct pst_procio {
	struct pst_stream in, out, err;
	int child[3];  /* the runtime's ends; -1 = /dev/null */
	int keeper;    /* our own writer of the stdin fifo */
	int kept[2];   /* our own readers of the output fifos: with the client gone, what is in
			* them stays until Delete */
	char *in_path; /* client's fifo, until it is opened */
	int fifo_out;  /* of a terminal, until there is one */
	int master;    /* for the size */
	bool in_closed; /* by CloseIO */
	bool terminal;
	struct pst_console console;
	struct pst_logger *logger;
	struct pst_timer timer; /* bounds the drain */
	void (*drained)(void *ctx);
	void *drained_ctx;
};

/* The path of a fifo:// or plain path; NULL for another scheme. */
static const char *fifo_path(const char *uri)
{
	if (strncmp(uri, "fifo://", 7) == 0)
		return uri + 7;
	return strstr(uri, "://") == NULL ? uri : NULL;
}

static int open_fifo(const char *uri, int flags, int *ret, struct pst_err *err)
{
	struct stat st;
	const char *path = fifo_path(uri);
	if (path == NULL || path[0] != '/') {
		pst_fail(err, PST_E_SPEC, "", "standard stream %.200s is no absolute path", uri);
		return pst_err_cure(err, "known: a path, fifo://, and for the output file:// and binary://");
	}
	pst_auto_fd fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return pst_fail_sys(err, "cannot open standard stream %s", path);
	if (!S_ISFIFO(st.st_mode))
		return pst_fail(err, PST_E_SPEC, "", "standard stream %s is no fifo", path);
	*ret = PST_TAKE_FD(fd);
	return PST_OK;
}

/* A pipe: our end does not block, the container's does and is its user's. */
static int open_pipe(const struct pst_procio_want *w, bool we_read, int *ours, int *theirs,
		     struct pst_err *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	*ours = ends[we_read ? 0 : 1];
	*theirs = ends[we_read ? 1 : 0];
	(void)fcntl(*ours, F_SETFL, (we_read ? O_RDONLY : O_WRONLY) | O_NONBLOCK);
	if ((w->uid != 0 || w->gid != 0) && fchown(*theirs, w->uid, w->gid) != 0)
		return pst_fail_sys(err, "cannot give a pipe to user %u", w->uid);
	return PST_OK;
}

/* The container's end; the client's fifo is opened by pst_procio_begin_in. */
static int open_in(struct pst_procio *s, const struct pst_procio_want *w, struct pst_err *err)
{
	const char *path = fifo_path(w->in);
	if (path == NULL || path[0] != '/')
		return pst_fail(err, PST_E_SPEC, "", "standard input %.200s is no absolute path", w->in);
	s->in_path = strdup(w->in);
	if (s->in_path == NULL)
		return pst_fail_nomem(err);
	if (s->terminal)
		return PST_OK;
	return open_pipe(w, false, &s->in.to, &s->child[0], err);
}

/* The client's fifo. Its writer is closed at the end of the output, for the client may wait
 * for that before it calls Delete; so the reader that keeps what is in it is another one. */
static int open_sink(const char *uri, int *kept, int *to, struct pst_err *err)
{
	const int rc = open_fifo(uri, O_RDONLY, kept, err);
	return rc != PST_OK ? rc : open_fifo(uri, O_WRONLY, to, err);
}

static int open_out(struct pst_procio *s, int number, struct pst_stream *st, const char *uri,
		    const struct pst_procio_want *w, struct pst_err *err)
{
	const int rc = open_sink(uri, &s->kept[number - 1], &st->to, err);
	return rc != PST_OK ? rc : open_pipe(w, true, &st->from, &s->child[number], err);
}

static void make_parents(const char *path)
{
	char dir[4096];
	const size_t n = strlen(path);
	if (n >= sizeof dir)
		return;
	memcpy(dir, path, n + 1);
	for (char *p = dir + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		(void)mkdir(dir, 0755);
		*p = '/';
	}
}

static int open_file(struct pst_procio *s, const char *path, struct pst_err *err)
{
	if (path[0] != '/')
		return pst_fail(err, PST_E_SPEC, "", "log file %.200s is no absolute path", path);
	make_parents(path);
	/* A fifo that nobody reads fails and does not hold everything up. */
	s->child[1] = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);
	if (s->child[1] < 0 || fcntl(s->child[1], F_SETFL, O_APPEND) != 0)
		return pst_fail_sys(err, "cannot open log file %s", path);
	s->child[2] = fcntl(s->child[1], F_DUPFD_CLOEXEC, 3);
	return s->child[2] < 0 ? pst_fail_sys(err, "cannot copy a descriptor") : PST_OK;
}

static int open_program(struct pst_procio *s, const struct pst_procio_want *w, struct pst_err *err)
{
	int ends[2][2];
	if (pipe2(ends[0], O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd out = ends[0][0];
	s->child[1] = ends[0][1];
	if (pipe2(ends[1], O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	pst_auto_fd error = ends[1][0];
	s->child[2] = ends[1][1];
	return pst_logger_start(w->out, w->id, w->namespace_, out, error, &s->logger, err);
}

static int open_outputs(struct pst_procio *s, const struct pst_procio_want *w, struct pst_err *err)
{
	if (strncmp(w->out, "file://", 7) == 0)
		return open_file(s, w->out + 7, err);
	if (strncmp(w->out, "binary://", 9) == 0 || strncmp(w->out, "binary-v2://", 12) == 0)
		return open_program(s, w, err);
	int rc = PST_OK;
	if (w->out[0] != '\0')
		rc = open_out(s, 1, &s->out, w->out, w, err);
	if (rc == PST_OK && w->err[0] != '\0')
		rc = open_out(s, 2, &s->err, w->err, w, err);
	return rc;
}

static int open_terminal(struct pst_procio *s, const struct pst_procio_want *w, struct pst_err *err)
{
	int rc = PST_OK;
	if (w->out[0] != '\0')
		rc = open_sink(w->out, &s->kept[0], &s->fifo_out, err);
	return rc == PST_OK ? pst_console_open(&s->console, err) : rc;
}

int pst_procio_open(const struct pst_procio_want *w, struct pst_procio **ret, struct pst_err *err)
{
	struct pst_procio *s = malloc(sizeof *s);
	if (s == NULL)
		return pst_fail_nomem(err);
	*s = (struct pst_procio){
		.in = PST_STREAM_NONE,
		.out = PST_STREAM_NONE,
		.err = PST_STREAM_NONE,
		.child = {-1, -1, -1},
		.keeper = -1,
		.kept = {-1, -1},
		.fifo_out = -1,
		.master = -1,
		.terminal = w->terminal,
		.console = {.sock = -1},
	};
	int rc = PST_OK;
	if (w->in[0] != '\0')
		rc = open_in(s, w, err);
	if (rc == PST_OK)
		rc = s->terminal ? open_terminal(s, w, err) : open_outputs(s, w, err);
	if (rc != PST_OK) {
		pst_procio_free(s);
		return rc;
	}
	*ret = s;
	return PST_OK;
}

void pst_procio_ends(const struct pst_procio *s, int fds[3])
{
	memcpy(fds, s->child, sizeof s->child);
}

const char *pst_procio_console_socket(const struct pst_procio *s)
{
	return s->terminal ? s->console.path : NULL;
}

static bool delivered(const struct pst_procio *s)
{
	return s->out.done && s->err.done;
}

static void tell(void *ctx)
{
	struct pst_procio *s = ctx;
	void (*done)(void *) = s->drained;
	pst_timer_stop(&s->timer);
	s->drained = NULL;
	pst_stream_push(&s->out);
	pst_stream_push(&s->err);
	if (done != NULL)
		done(s->drained_ctx); /* may free s */
}

/* An output has ended: the Delete that waits may go on, from a round of its own. */
static void output_ended(void *ctx)
{
	struct pst_procio *s = ctx;
	if (s->drained != NULL && delivered(s))
		pst_timer_set(&s->timer, 0);
}

static int begin(struct pst_procio *s, struct pst_stream *st, struct pst_err *err)
{
	st->ended = st == &s->in ? NULL : output_ended;
	st->ctx = s;
	if (st->from < 0 || st->to < 0)
		return PST_OK;
	return pst_stream_begin(st, err);
}

static int begin_terminal(struct pst_procio *s, struct pst_err *err)
{
	int rc = pst_console_take(&s->console, &s->master, err);
	if (rc != PST_OK)
		return rc;
	/* A descriptor for each direction: the loop watches each but once. */
	if (s->fifo_out >= 0) {
		s->out.to = PST_TAKE_FD(s->fifo_out);
		s->out.from = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	}
	s->out.by_read = true;
	return PST_OK;
}

int pst_procio_begin(struct pst_procio *s, struct pst_err *err)
{
	for (int i = 0; i < 3; i++)
		pst_fd_close(PST_TAKE_FD(s->child[i]));
	int rc = s->terminal ? begin_terminal(s, err) : PST_OK;
	if (rc == PST_OK)
		rc = begin(s, &s->out, err);
	if (rc == PST_OK)
		rc = begin(s, &s->err, err);
	return rc;
}

int pst_procio_begin_in(struct pst_procio *s, struct pst_err *err)
{
	if (s->in_path == NULL)
		return PST_OK;
	int rc = open_fifo(s->in_path, O_RDONLY, &s->in.from, err);
	if (rc == PST_OK) /* a client that leaves is not the end of the input */
		rc = open_fifo(s->in_path, O_WRONLY, &s->keeper, err);
	free(PST_TAKE(s->in_path));
	/* A client that waits in its open counts as a writer already (fifo(7)), so
	 * what it brings is not lost by this. */
	if (s->in_closed)
		pst_fd_close(PST_TAKE_FD(s->keeper));
	if (rc == PST_OK && s->terminal) {
		s->in.by_read = true;
		s->in.to = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	}
	return rc == PST_OK ? begin(s, &s->in, err) : rc;
}

void pst_procio_drain(struct pst_procio *s, unsigned ms, void (*done)(void *ctx), void *ctx)
{
	s->drained = done;
	s->drained_ctx = ctx;
	s->timer.fire = tell;
	s->timer.ctx = s;
	pst_timer_set(&s->timer, delivered(s) ? 0 : ms);
}

void pst_procio_close_in(struct pst_procio *s)
{
	s->in_closed = true;
	pst_fd_close(PST_TAKE_FD(s->keeper));
}

int pst_procio_resize(struct pst_procio *s, unsigned width, unsigned height, struct pst_err *err)
{
	const struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};
	if (s->master < 0 || (width == 0 && height == 0))
		return PST_OK;
	if (ioctl(s->master, TIOCSWINSZ, &size) != 0)
		return pst_fail_sys(err, "cannot set the terminal's size");
	return PST_OK;
}

void pst_procio_free(struct pst_procio *s)
{
	if (s == NULL)
		return;
	pst_timer_stop(&s->timer);
	pst_stream_stop(&s->in);
	pst_stream_stop(&s->out);
	pst_stream_stop(&s->err);
	for (int i = 0; i < 3; i++)
		pst_fd_close(s->child[i]);
	pst_fd_close(s->keeper);
	pst_fd_close(s->kept[0]);
	pst_fd_close(s->kept[1]);
	free(s->in_path);
	pst_fd_close(s->fifo_out);
	pst_fd_close(s->master);
	pst_console_close(&s->console);
	pst_logger_end(s->logger);
	free(s);
}
