/*
 * core/userdb.h - who "user:group" is, by the text of /etc/passwd and /etc/group.
 *
 * Pure. The texts come from a container's file system and are not trusted: a
 * line that does not parse is passed over, as libc passes over it, and nothing
 * is looked up on the host. Source: passwd(5), group(5), and `docker run --user`.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define PST_USERDB_GROUPS_MAX 256              /* supplementary groups of one user */
#define PST_USERDB_ID_MAX UINT32_C(2147483647) /* as Docker: the largest id it takes */

struct pst_user {
	uint32_t uid;
	uint32_t gid;
	uint32_t groups[PST_USERDB_GROUPS_MAX]; /* supplementary, without gid */
	size_t ngroups;
	char home[256]; /* "/" when the user has no line or no home */
};

/*
 * Resolve `spec`: "", "USER", "UID", "USER:GROUP" and every mix of names and
 * numbers. "" is uid 0. A name needs a line; a number needs none. Without a
 * group the primary and supplementary groups come from the two texts; a number
 * without a line has gid 0. With a group there are no supplementary ones.
 *
 * passwd, group  NUL-terminated texts, "" when the container has no such file.
 * ret            untouched on failure.
 *
 * PST_E_SPEC in Docker's words: "unable to find user X: no matching entries in
 * passwd file", or ids outside 0-2147483647.
 */
PST_CHECKED PST_NONNULL(1, 2, 3, 4) int pst_userdb_resolve(const char *spec, const char *passwd,
							   const char *group, struct pst_user *ret,
							   struct pst_err *err);
