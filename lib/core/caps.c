#include "core/caps.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "core/json.h"

static const char *const names[PST_CAP_LAST + 1] = { /* linux/capability.h */
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};

#define PREFIX_LEN 4 /* "CAP_" */

const char *pst_caps_name(unsigned nr)
{
	return nr <= PST_CAP_LAST ? names[nr] : NULL;
}

int pst_caps_number(const char *name)
{
	if (strncasecmp(name, "CAP_", PREFIX_LEN) == 0)
		name += PREFIX_LEN;
	for (int i = 0; i <= PST_CAP_LAST; i++)
		if (strcasecmp(names[i] + PREFIX_LEN, name) == 0)
			return i;
	return -1;
}

/* As a spec writes it. Another spelling is unknown to runc, which drops it: to
 * know it here would add a capability the caller would not have had (I-1). */
static int exact_number(const char *name)
{
	const int nr = pst_caps_number(name);
	return nr >= 0 && pst_streq(names[nr], name) ? nr : -1;
}

int pst_caps_parse(const json_t *list, const char *pointer, pst_capset *ret,
		   const char **ret_unknown, struct pst_err *err)
{
	if (list != NULL && !json_is_array(list))
		return pst_fail(err, PST_E_SPEC, pointer, "capabilities must be an array of names");

	pst_capset set = 0;
	const char *unknown = NULL;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = pst_json_str(json_array_get(list, i));
		if (name == NULL)
			return pst_fail(err, PST_E_SPEC, pointer,
					"entry %zu of the capabilities is not a string", i);
		const int nr = exact_number(name);
		if (nr >= 0)
			set |= UINT64_C(1) << nr;
		else if (unknown == NULL)
			unknown = name;
	}
	*ret = set;
	if (ret_unknown != NULL)
		*ret_unknown = unknown;
	return PST_OK;
}

json_t *pst_caps_json(pst_capset set)
{
	json_t *a = json_array();
	for (unsigned i = 0; a != NULL && i <= PST_CAP_LAST; i++)
		if ((set >> i & 1) != 0 && json_array_append_new(a, json_string(names[i])) != 0) {
			json_decref(a);
			a = NULL;
		}
	return a;
}

const char *pst_caps_text(pst_capset set, char *buf, size_t size)
{
	size_t len = 0;
	if (size > 0)
		buf[0] = '\0';
	for (unsigned i = 0; i <= PST_CAP_LAST; i++) {
		if ((set >> i & 1) == 0)
			continue;
		const int n = snprintf(buf + len, size - len, "%s%s", len == 0 ? "" : " ",
				       names[i] + PREFIX_LEN);
		if (n < 0 || (size_t)n >= size - len) {
			if (len < size)
				buf[len] = '\0'; /* a whole name or none */
			break;
		}
		len += (size_t)n;
	}
	return buf;
}
