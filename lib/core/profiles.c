#include "core/profiles.h"

#include "base/str.h"

struct builtin {
	const char *name;
	const unsigned char *text;
	size_t len;
};

#include "profiles_data.h"

const char *pst_profile_builtin(const char *name, size_t *len)
{
	for (size_t i = 0; i < PST_NELEM(builtins); i++)
		if (pst_streq(builtins[i].name, name)) {
			*len = builtins[i].len;
			return (const char *)builtins[i].text;
		}
	return NULL;
}

const char *pst_profile_builtin_name(size_t i)
{
	return i < PST_NELEM(builtins) ? builtins[i].name : NULL;
}
