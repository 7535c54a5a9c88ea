#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/ovl.h"

static struct pst_ovl_layout from_super(const char *text)
{
	struct pst_ovl_layout l = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_ovl_from_super(text, &l, &err), PST_OK, "%s: %s", text, err.msg);
	return l;
}

/* The lines are what a kernel 6.18 printed for such directories. */
Test(ovl, names_with_comma_colon_space_and_backslash_come_back)
{
	pst_auto_ovl l = from_super("rw,lowerdir=/mnt/l\\134\\054o\\134:w\\040er:/mnt/b\\134\\134s,"
				    "upperdir=/mnt/u\\134\\054p:p\\040er,workdir=/mnt/w\\134\\054k,"
				    "uuid=on");
	cr_assert_eq(l.n, 2);
	cr_assert_str_eq(l.lower[0], "/mnt/l,o:w er");
	cr_assert_str_eq(l.lower[1], "/mnt/b\\s");
	cr_assert_str_eq(l.upper, "/mnt/u,p:p er");
	cr_assert_str_eq(l.work, "/mnt/w,k");
	cr_assert_null(l.unsupported);
	cr_assert_eq(l.nopt, 1);
	cr_assert_str_eq(l.opt[0].key, "uuid");
}

Test(ovl, options_that_matter_are_carried_index_is_not)
{
	static const char *const opts[] = {"index=on",	       "nfs_export=on", "metacopy=on",
					   "redirect_dir=on",  "volatile",	"xino=off",
					   "workdir=/w",       "upperdir=/u",	"lowerdir=/b:/a",
					   "nosuid", "nodev", "noexec"};
	pst_auto_ovl l = {0};
	struct pst_err err = {0};
	cr_assert_eq(pst_ovl_from_options(opts, PST_NELEM(opts), &l, &err), PST_OK);
	cr_assert_eq(l.nopt, 4);
	cr_assert_str_eq(l.opt[0].key, "metacopy");
	cr_assert_str_eq(l.opt[0].value, "on");
	cr_assert_null(l.opt[2].value);
	cr_assert(l.is_volatile && l.nosuid && l.nodev && l.noexec && !l.readonly);
	cr_assert_null(l.unsupported);
}

Test(ovl, volatile_is_known_in_its_new_spelling)
{
	pst_auto_ovl a = from_super("rw,lowerdir=/a,upperdir=/u,workdir=/w,fsync=volatile");
	pst_auto_ovl b = from_super("rw,lowerdir=/a,upperdir=/u,workdir=/w,fsync=strict");
	cr_assert(a.is_volatile && a.unsupported == NULL && a.nopt == 1);
	cr_assert_not(b.is_volatile);
}

Test(ovl, a_quoted_label_keeps_its_commas)
{
	pst_auto_ovl l = from_super("rw,context=\"a:b:c:s0:c1,c2\",lowerdir=/a");
	cr_assert_str_eq(l.opt[0].value, "a:b:c:s0:c1,c2");
	cr_assert_eq(l.n, 1);
}

Test(ovl, what_cannot_be_rebuilt_says_why)
{
	static const struct {
		const char *super, *word;
	} t[] = {
		{"rw,lowerdir+=/,upperdir=/up,workdir=/wk", "descriptor"},
		{"rw,lowerdir=/a::/d", "data-only"},
		{"rw,lowerdir=/a,userxattr", "user namespace"},
		{"rw,lowerdir=/a,fancy=3", "fancy"},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		pst_auto_ovl l = from_super(t[i].super);
		cr_assert_not_null(l.unsupported);
		cr_assert(strstr(l.unsupported, t[i].word) != NULL, "%s", l.unsupported);
	}
	pst_auto_ovl many = {0};
	pst_auto_buf b = {0};
	pst_buf_str(&b, "lowerdir=/l");
	for (int i = 0; i < PST_OVL_MAX_LOWER; i++)
		pst_buf_fmt(&b, ":/l%d", i);
	many = from_super(pst_buf_cstr(&b));
	cr_assert_not_null(many.unsupported);
}

Test(ovl, what_is_no_overlay_is_an_error_and_leaves_out_alone)
{
	static const char *const bad[] = {"rw", "lowerdir=", "lowerdir=/a,upperdir=/u",
					  "lowerdir=/a,workdir=/w", "lowerdir=:/a",
					  "lowerdir=/a,upperdir=,workdir=/w"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		struct pst_ovl_layout l = {.n = 77};
		struct pst_err err = {0};
		cr_assert_eq(pst_ovl_from_super(bad[i], &l, &err), PST_E_SPEC, "%s", bad[i]);
		cr_assert_eq(l.n, 77);
	}
}

Test(ovl, relative_directories_are_noticed)
{
	pst_auto_ovl a = from_super("lowerdir=/a:b");
	pst_auto_ovl b = from_super("lowerdir=/a,upperdir=u,workdir=/w");
	pst_auto_ovl c = from_super("lowerdir=/a,upperdir=/u,workdir=/w");
	cr_assert(pst_ovl_is_relative(&a));
	cr_assert(pst_ovl_is_relative(&b));
	cr_assert_not(pst_ovl_is_relative(&c));
}

static void same(const struct pst_ovl_layout *a, const struct pst_ovl_layout *b)
{
	cr_assert_eq(a->n, b->n);
	for (size_t i = 0; i < a->n; i++)
		cr_assert_str_eq(a->lower[i], b->lower[i]);
	cr_assert(pst_streq(a->upper, b->upper) && pst_streq(a->work, b->work));
	cr_assert(pst_streq(a->unsupported, b->unsupported));
	cr_assert_eq(a->nopt, b->nopt);
	for (size_t i = 0; i < a->nopt; i++)
		cr_assert(pst_streq(a->opt[i].key, b->opt[i].key) &&
			  pst_streq(a->opt[i].value, b->opt[i].value));
	cr_assert(a->readonly == b->readonly && a->userxattr == b->userxattr &&
		  a->mapped == b->mapped && a->is_volatile == b->is_volatile &&
		  a->nosuid == b->nosuid && a->nodev == b->nodev && a->noexec == b->noexec);
}

Test(ovl, json_and_copy_give_the_same_layout_back)
{
	static const char *const text[] = {
		"ro,nosuid,lowerdir=/a:/b,metacopy=on,volatile,nodev,uidmap=0:1:1",
		"rw,noexec,lowerdir=/a\\054b,upperdir=/u,workdir=/w,userxattr",
	};
	for (size_t i = 0; i < PST_NELEM(text); i++) {
		pst_auto_ovl l = from_super(text[i]), back = {0}, copy = {0};
		struct pst_err err = {0};
		pst_auto_json *j = pst_ovl_json(&l);
		cr_assert_not_null(j);
		cr_assert_eq(pst_ovl_from_json(j, &back, &err), PST_OK, "%s", err.msg);
		same(&l, &back);
		cr_assert_eq(pst_ovl_copy(&l, &copy, &err), PST_OK);
		same(&l, &copy);
	}
}

Test(ovl, json_that_is_no_layout_is_refused)
{
	static const char *const bad[] = {"[]", "{}", "{\"lower\":[1]}", "{\"lower\":[\"\"]}",
					  "{\"lower\":[\"/a\"],\"upper\":\"/u\"}",
					  "{\"lower\":[\"/a\"],\"options\":[]}",
					  "{\"lower\":[\"/a\"],\"options\":{\"x\":3}}"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		pst_auto_json *j = json_loads(bad[i], 0, NULL);
		struct pst_ovl_layout l = {.n = 77};
		struct pst_err err = {0};
		cr_assert_not_null(j);
		cr_assert_eq(pst_ovl_from_json(j, &l, &err), PST_E_SPEC, "%s", bad[i]);
		cr_assert_eq(l.n, 77);
	}
}
