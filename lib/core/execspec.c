#include "core/execspec.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/argv.h"
#include "core/json.h"

void pst_exec_plan_done(struct pst_exec_plan *p)
{
	free(p->argv);
	json_decref(p->process);
	pst_notes_done(&p->notes);
	*p = (struct pst_exec_plan){0};
}

static int parse(int argc, char *const argv[], struct pst_argv *ret, struct pst_err *err)
{
	const struct pst_verb *v = pst_verb_find("exec");
	if (v == NULL)
		return pst_fail(err, PST_E_BUG, "", "the verb table has no exec");
	return pst_argv_verb(v, argc, argv, ret, err);
}

int pst_execspec_read(int argc, char *const argv[], struct pst_exec_words *ret,
		      struct pst_err *err)
{
	pst_auto_argv a = {0};
	const int rc = parse(argc, argv, &a, err);
	if (rc != PST_OK)
		return rc;
	if (a.nargs == 0) /* --help stops the count of arguments */
		return pst_fail(err, PST_E_USAGE, "", "\"exec\" requires a minimum of 1 argument(s)");
	*ret = (struct pst_exec_words){
		.id = a.args[0],
		.process_file = pst_argv_value(&a, "process"),
		.console_socket = pst_argv_value(&a, "console-socket"),
		.pid_file = pst_argv_value(&a, "pid-file"),
		.detach = pst_argv_on(&a, "detach"),
		.tty = pst_argv_on(&a, "tty"),
		.command = (size_t)a.consumed + 1,
	};
	return PST_OK;
}

static bool has_id(const struct pst_exec_limits *lim, uint64_t id)
{
	if (lim->nids == 0 || id < lim->nids)
		return true;
	for (size_t i = 0; i < lim->nextra; i++)
		if (lim->extra_ids[i] == id)
			return true;
	return false;
}

static int check_id_text(const char *text, size_t n, const char *flag,
			 const struct pst_exec_limits *lim, struct pst_err *err)
{
	char one[16];
	uint64_t id = 0;
	if (n < sizeof one) {
		memcpy(one, text, n);
		one[n] = '\0';
	}
	if (n >= sizeof one || !pst_num_parse(one, 10, UINT32_MAX, &id)) {
		pst_fail(err, PST_E_SPEC, "", "--%s: \"%.*s\" is not a number of an id", flag,
			 n > 64 ? 64 : (int)n, text);
		return pst_err_cure(err, "give the id inside the container as a plain number");
	}
	if (!has_id(lim, id)) {
		pst_fail(err, PST_E_SPEC, "", "--%s: the container has no id %llu", flag,
			 (unsigned long long)id);
		return pst_err_cure(err, "use an id below %u", (unsigned)lim->nids);
	}
	return PST_OK;
}

static int check_user(const char *value, const struct pst_exec_limits *lim, struct pst_err *err)
{
	const size_t n = strcspn(value, ":");
	if (*value == '\0')
		return PST_OK; /* as with runc: not given */
	const int rc = check_id_text(value, n, "user", lim, err);
	if (rc != PST_OK || value[n] == '\0')
		return rc;
	return check_id_text(value + n + 1, strlen(value + n + 1), "user", lim, err);
}

/* Keep the flag (*keep), drop it with a note, or refuse. */
static int check_cap(const char *name, const struct pst_exec_limits *lim,
		     struct pst_exec_plan *p, bool *keep, struct pst_err *err)
{
	const int nr = pst_caps_number(name);
	if (nr < 0) {
		pst_fail(err, PST_E_SPEC, "", "--cap: unknown capability \"%.64s\"", name);
		return pst_err_cure(err, "use a name of capabilities(7), such as CAP_NET_RAW");
	}
	*keep = (lim->caps >> nr & 1) != 0;
	if (!*keep)
		pst_note_add(&p->notes, "", "capability ceiling of the container",
			     "--cap %s left out: the container does not have it", name);
	return PST_OK;
}

static bool keeps_nnp(const struct pst_arg *f, const struct pst_exec_limits *lim,
		      struct pst_exec_plan *p)
{
	bool on = true;
	if (f->value != NULL && !pst_argv_bool(f->value, &on))
		on = false;
	if (on || !lim->no_new_privs)
		return true;
	pst_note_add(&p->notes, "", "no_new_privs of the container",
		     "--no-new-privs=%s left out: the container runs with it", f->value);
	return false;
}

static int judge_flag(const struct pst_arg *f, const struct pst_exec_limits *lim,
		      struct pst_exec_plan *p, bool *keep, struct pst_err *err)
{
	const char *name = f->flag != NULL ? f->flag->name : "";
	*keep = true;
	if (strcmp(name, "user") == 0)
		return check_user(f->value, lim, err);
	if (strcmp(name, "additional-gids") == 0)
		return check_id_text(f->value, strlen(f->value), name, lim, err);
	if (strcmp(name, "cap") == 0)
		return check_cap(f->value, lim, p, keep, err);
	if (strcmp(name, "no-new-privs") == 0)
		*keep = keeps_nnp(f, lim, p);
	return PST_OK;
}

static void put(struct pst_exec_plan *p, const char *word)
{
	p->argv[p->argc++] = word;
}

static void put_flag(struct pst_exec_plan *p, const struct pst_arg *f)
{
	if (f->flag != NULL && strcmp(f->flag->name, "process") == 0) {
		/* two words whatever it was, so that the name can be replaced */
		put(p, "--process");
		p->process_at = p->argc;
		put(p, f->value);
		return;
	}
	for (size_t i = 0; i < f->nwords; i++)
		put(p, f->words[i]);
}

static int build_argv(const struct pst_argv *a, const struct pst_exec_limits *lim,
		      struct pst_exec_plan *p, struct pst_err *err)
{
	p->argv = calloc(a->nflags * 2 + a->nargs + 2, sizeof *p->argv);
	if (p->argv == NULL)
		return pst_fail_nomem(err);
	for (size_t i = 0; i < a->nflags; i++) {
		bool keep;
		const int rc = judge_flag(&a->flags[i], lim, p, &keep, err);
		if (rc != PST_OK)
			return rc;
		if (keep)
			put_flag(p, &a->flags[i]);
		else
			p->changed = true;
	}
	if (a->nargs > 0 && a->args[0][0] == '-')
		put(p, "--");
	for (size_t i = 0; i < a->nargs; i++)
		put(p, a->args[i]);
	return PST_OK;
}

int pst_execspec_plan(int argc, char *const argv[], const json_t *process_file,
		      const struct pst_exec_limits *lim, struct pst_exec_plan *ret,
		      struct pst_err *err)
{
	pst_auto_argv a = {0};
	pst_auto_exec_plan p = {0};

	int rc = parse(argc, argv, &a, err);
	if (rc == PST_OK)
		rc = build_argv(&a, lim, &p, err);
	if (rc != PST_OK)
		return rc;
	if ((process_file != NULL) != (p.process_at != 0))
		return pst_fail(err, PST_E_BUG, "", "a process file was %s",
				process_file != NULL ? "read but not asked for"
						     : "asked for but not read");
	if (process_file != NULL) {
		p.process = pst_json_copy(process_file);
		if (p.process == NULL)
			return pst_fail_nomem(err);
		rc = pst_execspec_confine(p.process, lim, &p.notes, &p.changed, err);
		if (rc == PST_OK && pst_argv_has(&a, "tty") &&
		    json_object_set_new(p.process, "terminal", json_boolean(pst_argv_on(&a, "tty"))) != 0)
			rc = pst_fail_nomem(err);
		if (rc != PST_OK)
			return rc;
	}
	if (p.notes.bad)
		return pst_fail_nomem(err);
	*ret = p;
	p = (struct pst_exec_plan){0};
	return PST_OK;
}
