/*
 * unit/scfixture.h - small profiles for the tests of the syscall modules.
 */
#pragma once

#include <criterion/criterion.h>
#include <string.h>

#include "core/json.h"
#include "core/profiles.h"
#include "core/scprof.h"

/* The profile in `text`; the test fails if it is none. */
static inline struct pst_scprof *profile_of(const char *text)
{
	pst_auto_json *j = NULL;
	struct pst_err err = {0};
	struct pst_scprof *p = NULL;
	cr_assert_eq(pst_json_parse(text, strlen(text), "test", &pst_json_oci, &j, &err), PST_OK,
		     "%s", err.msg);
	cr_assert_eq(pst_scprof_parse(j, "", NULL, &p, &err), PST_OK, "%s", err.msg);
	return p;
}

/* A profile that denies by default with EPERM and has these rules. */
static inline struct pst_scprof *rules(const char *list)
{
	char text[4000];
	snprintf(text, sizeof text, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[%s]}",
		 list);
	return profile_of(text);
}

static inline struct pst_scprof *builtin(const char *name)
{
	size_t len;
	const char *text = pst_profile_builtin(name, &len);
	cr_assert_not_null(text);
	return profile_of(text);
}
