#include "pipeline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "confine.h"
#include "extract.h"
#include "stages.h"

/* In the order in which their errors count. */
enum stage { MEMBER, DIGEST, INFLATE, EXTRACT, NSTAGES };

static const char *const stage_names[NSTAGES] = {"member", "digest", "inflate", "extract"};

struct pipeline {
	const struct unpack_options *o;
	const char *tmp;
	pid_t pid[NSTAGES];   /* 0: not part of this run */
	int status[NSTAGES];  /* waitpid(2), once waited for */
	struct pst_err *said; /* NSTAGES, shared with the stages: words, not verdicts */
};

static void pipeline_done(struct pipeline *p)
{
	if (p->said != NULL)
		munmap(p->said, NSTAGES * sizeof *p->said);
}

static int pipeline_init(struct pipeline *p, struct pst_err *err)
{
	p->said = mmap(NULL, NSTAGES * sizeof *p->said, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (p->said != MAP_FAILED)
		return PST_OK;
	p->said = NULL;
	return pst_fail_nomem(err);
}

/* In the child: descriptors 0 and 1 are its input and output, the rest closed. */
static int run_stage(const struct pipeline *p, enum stage s, struct pst_err *err)
{
	int rc = confine_start(err);
	if (rc != PST_OK)
		return rc;
	if (s == DIGEST) /* trusted: parses nothing */
		return stage_digest(p->o, err);
	if (s == EXTRACT) {
		rc = confine_extract(p->tmp, err);
		return rc != PST_OK ? rc : extract_layer(AT_FDCWD, p->o, err);
	}
	rc = confine_filter(err);
	if (rc != PST_OK)
		return rc;
	return s == MEMBER ? stage_member(p->o, err) : stage_inflate(p->o, err);
}

static void child(const struct pipeline *p, enum stage s, int in, int out, pid_t parent)
{
	struct pst_err *err = &p->said[s];
	int rc = PST_OK;
	/* Never 0 and 1 themselves: main() made sure that both are open. */
	if (dup2(in, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0) ||
	    close_range(3, ~0U, 0) != 0)
		rc = pst_fail_sys(err, "cannot start stage %s", stage_names[s]);
	if (getppid() != parent) /* no parent, no pipe to write to */
		_exit(1);
	if (rc == PST_OK)
		rc = run_stage(p, s, err);
	_exit(rc == PST_OK ? 0 : rc == STAGE_UNREAD ? 2 : 1);
}

/* Start `s` reading *in, which it takes over; *in becomes its output. */
static int start(struct pipeline *p, enum stage s, int *in, struct pst_err *err)
{
	int fds[2] = {-1, -1};
	if (s != EXTRACT && pipe2(fds, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	const pid_t self = getpid();
	const pid_t pid = fork();
	if (pid == 0)
		child(p, s, *in, fds[1], self);
	pst_fd_close(fds[1]);
	if (pid < 0) {
		pst_fd_close(fds[0]);
		return pst_fail_sys(err, "cannot start stage %s", stage_names[s]);
	}
	p->pid[s] = pid;
	pst_fd_close(*in);
	*in = fds[0];
	return PST_OK;
}

/* Wait for all stages; the pipes to and from them are closed by now. */
static void wait_all(struct pipeline *p)
{
	for (int s = 0; s < NSTAGES; s++)
		while (p->pid[s] > 0 && waitpid(p->pid[s], &p->status[s], 0) < 0)
			if (errno != EINTR)
				break;
}

/* Words of a stage, from memory it may have written to. */
static int tell(const struct pipeline *p, enum stage s, struct pst_err *err)
{
	const int st = p->status[s];
	struct pst_err said = p->said[s];
	said.msg[sizeof said.msg - 1] = said.cure[sizeof said.cure - 1] = '\0';
	if (WIFSIGNALED(st))
		return pst_fail(err, PST_E_SPEC, "", "stage %s of unpacking died of signal %d",
				stage_names[s], WTERMSIG(st));
	pst_fail(err, PST_E_SPEC, "", "%s", said.msg);
	if (said.cure[0] != '\0')
		pst_err_cure(err, "%s", said.cure);
	return PST_E_SPEC;
}

/* Did stage s fail for a reason of its own? The exit status alone decides. */
static bool failed(const struct pipeline *p, enum stage s)
{
	const int st = p->status[s];
	return p->pid[s] > 0 && !(WIFEXITED(st) && (WEXITSTATUS(st) == 0 || WEXITSTATUS(st) == 2));
}

/* Sum what comes from `in`, hand it to `out`. *ret_total is set in any case. */
static int relay(const struct unpack_options *o, int in, int out, uint64_t *ret_total,
		 char hex[UNPACK_HEX + 1], struct pst_err *err)
{
	static char buf[STAGE_BUFFER];
	SHA2_CTX sum;
	SHA256Init(&sum);
	for (ssize_t n; (n = stage_read(in, buf, sizeof buf)) != 0;) {
		if (n < 0)
			return pst_fail_sys(err, "cannot read the layer");
		*ret_total += (uint64_t)n;
		if (*ret_total > o->max_bytes) {
			pst_fail(err, PST_E_SPEC, "",
				 "layer sha256:%s unpacks to more than %llu bytes", o->digest,
				 (unsigned long long)o->max_bytes);
			pst_err_cure(err, "raise the limit if you trust the image");
			return PST_E_SPEC;
		}
		SHA256Update(&sum, (const uint8_t *)buf, (size_t)n);
		if (stage_write(out, buf, (size_t)n) != 0)
			break; /* its reader tells why */
	}
	stage_hex(&sum, hex);
	return PST_OK;
}

static int start_stages(struct pipeline *p, int *in, int *ret_out, struct pst_err *err)
{
	int fds[2];
	int rc = p->o->member == NULL ? PST_OK : start(p, MEMBER, in, err);
	if (rc == PST_OK)
		rc = start(p, DIGEST, in, err);
	if (rc == PST_OK && p->o->form != UNPACK_NONE)
		rc = start(p, INFLATE, in, err);
	if (rc != PST_OK)
		return rc;
	if (pipe2(fds, O_CLOEXEC) != 0)
		return pst_fail_sys(err, "cannot make a pipe");
	*ret_out = fds[1];
	rc = start(p, EXTRACT, &fds[0], err);
	pst_fd_close(fds[0]);
	return rc;
}

int pipeline_layer(const struct unpack_options *o, const char *tmp, struct pst_err *err)
{
	PST_CLEANUP(pipeline_done) struct pipeline p = {.o = o, .tmp = tmp};
	char hex[UNPACK_HEX + 1] = "";
	uint64_t total = 0;
	int rc = pipeline_init(&p, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	pst_auto_fd out = -1;
	rc = start_stages(&p, &in, &out, err);
	if (rc == PST_OK)
		rc = confine_parent(err);
	if (rc == PST_OK)
		rc = relay(o, in, out, &total, hex, err);
	pst_fd_close(PST_TAKE_FD(in));
	pst_fd_close(PST_TAKE_FD(out));
	wait_all(&p);

	for (enum stage s = MEMBER; s < EXTRACT; s++)
		if (failed(&p, s))
			return tell(&p, s, err);
	if (rc != PST_OK)
		return rc;
	if (failed(&p, EXTRACT))
		return tell(&p, EXTRACT, err);
	if (!pst_streq(hex, o->diffid))
		return pst_fail(
			err, PST_E_SPEC, "",
			"DiffID mismatch: layer sha256:%s unpacks to sha256:%s, the image config "
			"says sha256:%s",
			o->digest, hex, o->diffid);
	return PST_OK;
}

int pipeline_cat(const struct unpack_options *o, struct pst_err *err)
{
	PST_CLEANUP(pipeline_done) struct pipeline p = {.o = o};
	static char chunk[STAGE_BUFFER];
	pst_auto_buf all = {0};
	int rc = pipeline_init(&p, err);
	if (rc != PST_OK)
		return rc;
	pst_auto_fd in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	rc = start(&p, MEMBER, &in, err);
	if (rc != PST_OK)
		return rc;
	for (ssize_t n; all.len <= o->max_bytes && (n = stage_read(in, chunk, sizeof chunk)) > 0;)
		pst_buf_add(&all, chunk, (size_t)n);
	pst_fd_close(PST_TAKE_FD(in));
	wait_all(&p);
	if (failed(&p, MEMBER))
		return tell(&p, MEMBER, err);
	if (all.len > o->max_bytes)
		return pst_fail(err, PST_E_SPEC, "", "%.100s is longer than %llu bytes", o->member,
				(unsigned long long)o->max_bytes);
	if (!pst_buf_ok(&all))
		return pst_fail_nomem(err);
	if (stage_write(STDOUT_FILENO, pst_buf_cstr(&all), all.len) != 0)
		return pst_fail_sys(err, "cannot write %.100s", o->member);
	return PST_OK;
}
