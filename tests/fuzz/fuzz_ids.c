/* The text files that say who has which ids: subuid, passwd, group; the host's and a container's.
 */
#include "core/subid.h"
#include "core/userdb.h"
#include "target.h"

static void as_subid(const char *text, size_t len)
{
	const struct pst_idspan pool = {.first = 1879048192, .len = 268369920};
	struct pst_idspan own = {0};
	struct pst_idspans held = {0};
	struct pst_err err = {0};
	if (pst_subid_parse(text, len, "fuzz", &own, &held, &err) != PST_OK)
		PST_HOLDS(own.len == 0 && err.code != PST_OK);
	for (size_t i = 0; i < held.n; i++)
		PST_HOLDS((uint64_t)held.v[i].first + held.v[i].len <= UINT64_C(1) << 32);
	PST_HOLDS(pst_subid_accounts(text, len, pool, &held, &err) == PST_OK);
	pst_idspans_done(&held);
}

static void as_users(const char *text)
{
	static const char *const who[] = {"", "root", "0", "www:www", "1000:5", "nobody", "7:a"};
	for (size_t i = 0; i < PST_NELEM(who); i++) {
		struct pst_user u = {.uid = 77};
		struct pst_err err = {0};
		if (pst_userdb_resolve(who[i], text, text, &u, &err) != PST_OK) {
			PST_HOLDS(u.uid == 77 && err.code != PST_OK);
			continue;
		}
		PST_HOLDS(u.uid <= PST_USERDB_ID_MAX && u.gid <= PST_USERDB_ID_MAX);
		PST_HOLDS(u.ngroups <= PST_USERDB_GROUPS_MAX);
		PST_HOLDS(memchr(u.home, '\0', sizeof u.home) != NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_subid((const char *)data, size);
	char *text = pst_fuzz_text(data, size);
	as_users(text);
	free(text);
	return 0;
}
