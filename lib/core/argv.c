#include "core/argv.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* A word and where it stood before urfave's reordering. */
struct word {
	const char *s;
	int at;
};

/* One pass of Go's flag.FlagSet.Parse over `w`. */
struct scan {
	const struct word *w;
	size_t n, i;
	const struct pst_flag *known;
	bool before_verb;     /* an unknown flag's next word is its value unless a verb */
	bool unknown_valued;  /* an unknown flag takes the next word */
	size_t unknown_plain; /* unknown flags written without "=" and without value */
};

void pst_argv_done(struct pst_argv *a)
{
	free(a->flags);
	free(a->args);
	*a = (struct pst_argv){0};
}

bool pst_argv_bool(const char *text, bool *ret)
{
	static const char *const on[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const off[] = {"0", "f", "F", "false", "FALSE", "False"};
	for (size_t i = 0; i < PST_NELEM(on); i++) {
		if (strcmp(text, on[i]) == 0 || strcmp(text, off[i]) == 0) {
			*ret = text[0] == on[i][0];
			return true;
		}
	}
	return false;
}

static bool is_flag(const char *s)
{
	return s[0] == '-' && s[1] != '\0';
}

/* Split "--name=value"; false for "---x" and "--=x". */
static bool split(const char *s, struct pst_arg *a)
{
	const char *name = s + (s[1] == '-' ? 2 : 1);
	if (*name == '\0' || *name == '-' || *name == '=')
		return false;
	a->name = name;
	a->name_len = strcspn(name, "=");
	a->value = name[a->name_len] == '=' ? name + a->name_len + 1 : NULL;
	return true;
}

static bool unknown_takes_next(const struct scan *s)
{
	if (s->i + 1 >= s->n || is_flag(s->w[s->i + 1].s))
		return false;
	return s->before_verb ? pst_verb_find(s->w[s->i + 1].s) == NULL : s->unknown_valued;
}

static void take_next(struct scan *s, struct pst_arg *a)
{
	a->value = s->w[++s->i].s;
	a->words[1] = a->value;
	a->nwords = 2;
}

static int one_flag(struct scan *s, struct pst_arg *a, struct pst_err *err)
{
	const struct word *w = &s->w[s->i];
	bool on;

	*a = (struct pst_arg){.words = {w->s, NULL}, .nwords = 1, .at = w->at};
	if (!split(w->s, a))
		return pst_fail(err, PST_E_USAGE, "", "bad flag syntax: %s", w->s);
	a->flag = pst_flag_find(s->known, a->name, a->name_len);
	if (a->flag == NULL) {
		if (a->value == NULL && unknown_takes_next(s))
			take_next(s, a);
		else if (a->value == NULL)
			s->unknown_plain++;
	} else if (a->flag->kind == PST_FLAG_BOOL) {
		if (a->value != NULL && !pst_argv_bool(a->value, &on))
			return pst_fail(err, PST_E_USAGE, "",
					"invalid boolean value \"%s\" for -%.*s: parse error",
					a->value, (int)a->name_len, a->name);
	} else if (a->value == NULL) {
		if (s->i + 1 >= s->n)
			return pst_fail(err, PST_E_USAGE, "", "flag needs an argument: -%s",
					a->name);
		take_next(s, a);
	}
	return PST_OK;
}

static int scan_words(struct scan *s, struct pst_argv *a, struct pst_err *err)
{
	a->flags = calloc(s->n + 1, sizeof *a->flags);
	a->args = calloc(s->n + 1, sizeof *a->args);
	if (a->flags == NULL || a->args == NULL)
		return pst_fail_nomem(err);
	for (; s->i < s->n && is_flag(s->w[s->i].s); s->i++) {
		if (strcmp(s->w[s->i].s, "--") == 0) {
			s->i++;
			break;
		}
		const int rc = one_flag(s, &a->flags[a->nflags], err);
		if (rc != PST_OK)
			return rc;
		a->nflags++;
	}
	a->consumed = (int)s->i;
	for (; s->i < s->n; s->i++)
		a->args[a->nargs++] = s->w[s->i].s;
	return PST_OK;
}

/* urfave/cli v1 reorderArgs: flags, and the word after one without "=", to the front. */
static void reorder(int n, char *const words[], struct word *out)
{
	size_t nflags = 0, nrest = 0;
	struct word *const rest = out + n;
	bool value = false;
	int i = 0;

	for (; i < n && strcmp(words[i], "--") != 0; i++) {
		const struct word w = {words[i], i};
		const bool flag = is_flag(words[i]);
		if (flag || (value && words[i][0] != '-'))
			out[nflags++] = w;
		else
			rest[nrest++] = w;
		value = flag && strchr(words[i], '=') == NULL;
	}
	for (; i < n; i++)
		rest[nrest++] = (struct word){words[i], i};
	memmove(out + nflags, rest, nrest * sizeof *rest);
}

static void keep_order(int n, char *const words[], struct word *out)
{
	for (int i = 0; i < n; i++)
		out[i] = (struct word){words[i], i};
}

/* Room for the words twice: reorder() needs it. Never of size 0. */
static struct word *alloc_words(int n)
{
	return calloc((size_t)n * 2 + 1, sizeof(struct word));
}

int pst_argv_globals(int n, char *const words[], struct pst_argv *ret, struct pst_err *err)
{
	pst_auto_free struct word *w = alloc_words(n);
	if (w == NULL)
		return pst_fail_nomem(err);
	keep_order(n, words, w);
	struct scan s = {.w = w, .n = (size_t)n, .known = pst_global_flags, .before_verb = true};
	pst_auto_argv a = {0};
	const int rc = scan_words(&s, &a, err);
	if (rc != PST_OK)
		return rc;
	*ret = a;
	a = (struct pst_argv){0};
	return PST_OK;
}

static int fail_count(const struct pst_verb *v, size_t nargs, struct pst_err *err)
{
	const bool exact = v->min_args == v->max_args;
	const bool few = nargs < (size_t)v->min_args;
	return pst_fail(err, PST_E_USAGE, "", "\"%s\" requires %s %d argument(s)", v->name,
			exact ? "exactly" : few ? "a minimum of" : "a maximum of",
			few ? v->min_args : v->max_args);
}

static int fail_unknown(const struct pst_argv *a, struct pst_err *err)
{
	for (size_t i = 0; i < a->nflags; i++) {
		const struct pst_arg *f = &a->flags[i];
		if (f->flag != NULL || f->value != NULL)
			continue;
		pst_fail(err, PST_E_USAGE, "", "flag provided but not defined: -%s", f->name);
		return pst_err_cure(err, "if the runtime knows it, write it as --%s=VALUE, so that "
					 "it is clear which word is the container", f->name);
	}
	return PST_E_USAGE;
}

static int scan_verb(const struct pst_verb *v, const struct word *w, size_t n, bool unknown_valued,
		     struct pst_argv *a, size_t *ret_plain, struct pst_err *err)
{
	struct scan s = {.w = w, .n = n, .known = v->flags, .unknown_valued = unknown_valued};
	const int rc = scan_words(&s, a, err);
	*ret_plain = s.unknown_plain;
	return rc;
}

int pst_argv_verb(const struct pst_verb *v, int n, char *const words[], struct pst_argv *ret,
		  struct pst_err *err)
{
	pst_auto_free struct word *w = alloc_words(n);
	pst_auto_argv a = {0};
	size_t plain = 0;

	if (w == NULL)
		return pst_fail_nomem(err);
	if (v->order == PST_ARGS_MOVED)
		reorder(n, words, w);
	else
		keep_order(n, words, w);

	int rc = scan_verb(v, w, (size_t)n, false, &a, &plain, err);
	if (rc == PST_OK && plain > 0 && v->max_args >= 0 && a.nargs > (size_t)v->max_args) {
		pst_argv_done(&a);
		rc = scan_verb(v, w, (size_t)n, true, &a, &plain, err);
	}
	if (rc != PST_OK)
		return rc;
	if (!pst_argv_on(&a, "help")) {
		/* Any word could be the container then: guessing wrong would let an
		 * exec by. */
		if (plain > 0 && v->max_args < 0)
			return fail_unknown(&a, err);
		if (a.nargs < (size_t)v->min_args ||
		    (v->max_args >= 0 && a.nargs > (size_t)v->max_args))
			return fail_count(v, a.nargs, err);
	}
	*ret = a;
	a = (struct pst_argv){0};
	return PST_OK;
}

static const struct pst_arg *last(const struct pst_argv *a, const char *name)
{
	for (size_t i = a->nflags; i > 0; i--) {
		const struct pst_arg *f = &a->flags[i - 1];
		if (f->flag != NULL && strcmp(f->flag->name, name) == 0)
			return f;
	}
	return NULL;
}

const char *pst_argv_value(const struct pst_argv *a, const char *name)
{
	const struct pst_arg *f = last(a, name);
	return f != NULL ? f->value : NULL;
}

bool pst_argv_on(const struct pst_argv *a, const char *name)
{
	const struct pst_arg *f = last(a, name);
	bool on = f != NULL;
	if (f != NULL && f->value != NULL)
		on = pst_argv_bool(f->value, &on) && on;
	return on;
}

bool pst_argv_has(const struct pst_argv *a, const char *name)
{
	return last(a, name) != NULL;
}
