/* The real table, with shell scripts in the runtime's place. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/hostops.h"
#include "host/io.h"
#include "host/runtime.h"

static char dir[64];

static void make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/pst-runtime-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void drop_dir(void)
{
	cr_expect_eq(pst_io_remove_tree(AT_FDCWD, dir, NULL), PST_OK);
}

TestSuite(runtime, .init = make_dir, .fini = drop_dir);

static const char *script(const char *name, const char *body)
{
	static char path[160];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "we");
	cr_assert_not_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(chmod(path, 0755), 0);
	return path;
}

Test(runtime, is_found_in_path_past_relative_entries_and_plain_files)
{
	char *got = NULL;
	struct pst_err err = {0};
	char path[256], plain[160];
	const char *rt = script("myrt", "exit 0");
	snprintf(plain, sizeof plain, "%s/d", dir);
	cr_assert_eq(mkdir(plain, 0755), 0);
	snprintf(path, sizeof path, ":.:relative:/nonexistent:%s/d:%s", dir, dir);
	cr_assert_eq(setenv("PATH", path, 1), 0);
	cr_assert_eq(pst_runtime_find("myrt", &got, &err), PST_OK, "%s", err.msg);
	cr_assert_str_eq(got, rt);
	free(got);
	cr_assert_eq(pst_runtime_find("otherrt", &got, &err), PST_E_RUNTIME);
	cr_assert(strstr(err.msg, "otherrt") != NULL && err.cure[0] != '\0');
}

static int fill_low_places(void *arg)
{
	(void)arg;
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 3; null >= 0 && fd < 24; fd++)
		if (fd != null && dup3(null, fd, O_CLOEXEC) < 0)
			return -1;
	return null < 0 ? -1 : 0;
}

Test(runtime, a_failed_exec_is_told_whatever_was_put_into_fixed_places)
{
	struct pst_err err = {0};
	struct pst_child child;
	const char *const argv[] = {"gone", NULL};
	const struct pst_spawn s = {.path = "/nonexistent/gone", .argv = argv, .quiet = true, .before = fill_low_places};
	cr_assert_eq(pst_runtime_spawn(&s, &child, &err), PST_E_RUNTIME);
	cr_assert_eq(err.sys, ENOENT);
}

Test(runtime, named_by_path_must_be_absolute_executable_and_there)
{
	static const char *const bad[] = {"./rt", "a/b", "/nonexistent/runc", "/tmp", "/etc/passwd", ""};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		char *got = NULL;
		struct pst_err err = {0};
		cr_assert_eq(pst_runtime_find(bad[i], &got, &err), PST_E_RUNTIME, "%s", bad[i]);
		cr_assert_null(got);
	}
}

Test(runtime, is_never_this_program_under_any_name)
{
	char *got = NULL, link_[160], path[320];
	struct pst_err err = {0};
	snprintf(link_, sizeof link_, "%s/runc", dir);
	cr_assert_eq(symlink("/proc/self/exe", link_), 0);
	cr_assert_eq(pst_runtime_find(link_, &got, &err), PST_E_RUNTIME);
	cr_assert(strstr(err.msg, "itself") != NULL, "%s", err.msg);
	/* by name it is skipped, and the next of the same name is taken */
	char second[160];
	snprintf(second, sizeof second, "%s/2", dir);
	cr_assert_eq(mkdir(second, 0755), 0);
	(void)script("2/runc", "exit 0");
	snprintf(path, sizeof path, "%s:%s", dir, second);
	cr_assert_eq(setenv("PATH", path, 1), 0);
	cr_assert_eq(pst_runtime_find("runc", &got, &err), PST_OK, "%s", err.msg);
	cr_assert(strstr(got, "/2/runc") != NULL, "%s", got);
	free(got);
}

Test(runtime, a_copy_started_as_the_runtime_knows_it)
{
	char *got = NULL, pid[16];
	struct pst_err err = {0};
	const char *rt = script("rt", "exit 0");
	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	cr_assert_eq(setenv(PST_RUNTIME_ENV, pid, 1), 0);
	cr_assert_eq(pst_runtime_find(rt, &got, &err), PST_E_RUNTIME);
	snprintf(pid, sizeof pid, "%ld", (long)getppid());
	cr_assert_eq(setenv(PST_RUNTIME_ENV, pid, 1), 0);
	cr_assert_eq(pst_runtime_find(rt, &got, &err), PST_E_RUNTIME);
	/* inherited from afar: a hook that calls us */
	cr_assert_eq(setenv(PST_RUNTIME_ENV, "1", 1), 0);
	if (getppid() != 1) {
		cr_assert_eq(pst_runtime_find(rt, &got, &err), PST_OK, "%s", err.msg);
		free(got);
	}
}

static int run(const char *path, struct pst_buf *out, bool quiet, int *status, struct pst_err *err)
{
	const char *const argv[] = {path, NULL};
	const struct pst_spawn s = {.path = path, .argv = argv, .out = out, .quiet = quiet,
				    .out_max = 4096};
	return pst_runtime_run(&s, status, err);
}

Test(runtime, output_and_exit_status_come_back)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	int status = -1;
	const char *rt = script("rt", "echo one; echo $" PST_RUNTIME_ENV "; exit 7");
	cr_assert_eq(run(rt, &out, false, &status, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(status, 7);
	char want[64];
	snprintf(want, sizeof want, "one\n%ld\n", (long)getpid());
	cr_assert_str_eq(pst_buf_cstr(&out), want);
}

Test(runtime, death_by_signal_is_128_and_more)
{
	struct pst_err err = {0};
	int status = -1;
	cr_assert_eq(run(script("rt", "kill -TERM $$"), NULL, true, &status, &err), PST_OK);
	cr_assert_eq(status, 128 + SIGTERM);
}

Test(runtime, a_file_that_cannot_be_executed_is_an_error_not_a_status)
{
	struct pst_err err = {0};
	int status = -1;
	char path[160];
	snprintf(path, sizeof path, "%s/junk", dir);
	FILE *f = fopen(path, "we");
	cr_assert_not_null(f);
	fputs("\177ELFjunk", f);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(chmod(path, 0755), 0);
	cr_assert_eq(run(path, NULL, true, &status, &err), PST_E_RUNTIME);
	cr_assert_eq(err.sys, ENOEXEC);
	cr_assert_eq(status, -1);
}

static int deny(void *arg)
{
	(void)arg;
	errno = EPERM;
	return -1;
}

Test(runtime, what_must_come_before_exec_stops_it_when_it_fails)
{
	struct pst_err err = {0};
	int status = -1;
	char mark[160], body[200];
	snprintf(mark, sizeof mark, "%s/ran", dir);
	snprintf(body, sizeof body, "touch %s", mark);
	const char *path = script("rt", body);
	const char *const argv[] = {path, NULL};
	const struct pst_spawn s = {.path = path, .argv = argv, .before = deny,
				    .before_what = "enter the network namespace"};
	cr_assert_eq(pst_runtime_run(&s, &status, &err), PST_E_HOST);
	cr_assert_eq(err.sys, EPERM);
	cr_assert(strstr(err.msg, "enter the network namespace") != NULL);
	cr_assert_neq(access(mark, F_OK), 0);
}

Test(runtime, endless_output_is_cut_and_the_writer_ended, .timeout = 20)
{
	pst_auto_buf out = {0};
	struct pst_err err = {0};
	int status = -1;
	cr_assert_eq(run(script("rt", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"), &out,
			 true, &status, &err),
		     PST_E_RUNTIME);
	cr_assert(out.len <= 4096);
	cr_assert_eq(status, -1);
}

/* A runtime that counts how often it is started. */
#define COUNTED "echo x >> %s/count; case $1 in --version) echo 'runc version %s'; " \
		"echo 'libseccomp: 2.5.4';; features) echo '{}';; esac"

static size_t starts(void)
{
	pst_auto_buf b = {0};
	char path[160];
	snprintf(path, sizeof path, "%s/count", dir);
	return pst_io_read_file(AT_FDCWD, path, 4096, &b, NULL) == PST_OK ? b.len / 2 : 0;
}

Test(runtime, probe_is_remembered_until_the_file_changes)
{
	char body[400];
	struct pst_err err = {0};
	const int dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(body, sizeof body, COUNTED, dir, "1.2.3");
	const char *path = script("rt", body);
	for (int i = 0; i < 2; i++) {
		pst_auto_runtime rt = {0};
		cr_assert_eq(pst_runtime_probe(dfd, path, &rt, &err), PST_OK, "%s", err.msg);
		cr_assert_str_eq(rt.path, path);
		cr_assert_str_eq(rt.name, "runc");
		cr_assert_eq(rt.version[1], 2);
		cr_assert_str_eq(rt.libseccomp, "2.5.4");
		cr_assert(rt.has_features);
	}
	cr_assert_eq(starts(), 2, "once for --version, once for features");
	snprintf(body, sizeof body, COUNTED, dir, "11.22.33"); /* another size */
	path = script("rt", body);
	pst_auto_runtime rt = {0};
	cr_assert_eq(pst_runtime_probe(dfd, path, &rt, &err), PST_OK, "%s", err.msg);
	cr_assert_eq(rt.version[0], 11);
	cr_assert_eq(starts(), 4);
	close(dfd);
}

Test(runtime, a_garbage_cache_is_ignored_and_replaced)
{
	char body[400];
	struct pst_err err = {0};
	const int dfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(body, sizeof body, COUNTED, dir, "1.2.3");
	const char *path = script("rt", body);
	static const char *const junk[] = {"", "{", "[]", "{\"x\":1}", "\xff\xff"};
	for (size_t i = 0; i < PST_NELEM(junk); i++) {
		pst_auto_runtime rt = {0};
		cr_assert_eq(pst_io_replace(dfd, "facts.cache", junk[i], strlen(junk[i]), 0600, &err),
			     PST_OK);
		cr_assert_eq(pst_runtime_probe(dfd, path, &rt, &err), PST_OK, "%s", err.msg);
		cr_assert_eq(starts(), 2 * (i + 1));
	}
	close(dfd);
}

Test(runtime, a_program_that_is_no_runtime_is_named)
{
	struct pst_runtime rt = {.name = "keep"};
	struct pst_err err = {0};
	cr_assert_eq(pst_runtime_probe(-1, "/bin/true", &rt, &err), PST_E_RUNTIME);
	cr_assert(strstr(err.msg, "/bin/true") != NULL, "%s", err.msg);
	cr_assert_str_eq(rt.name, "keep");
}

Test(runtime, without_features_verb_says_so)
{
	pst_auto_runtime rt = {0};
	struct pst_err err = {0};
	const char *path = script("rt", "[ \"$1\" = --version ] && echo 'crun version 1.8.1' || exit 1");
	cr_assert_eq(pst_runtime_probe(-1, path, &rt, &err), PST_OK, "%s", err.msg);
	cr_assert_not(rt.has_features);
	cr_assert_str_eq(rt.name, "crun");
}
