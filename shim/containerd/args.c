#include "containerd/args.h"

#include <stddef.h>
#include <string.h>

struct flag {
	const char *name;
	bool is_switch;
	size_t at; /* in struct pst_shim_args; 0 with `name` alone: taken and not used */
};
#define STR(n, field) {n, false, offsetof(struct pst_shim_args, field)}
#define BOOL(n, field) {n, true, offsetof(struct pst_shim_args, field)}
#define UNUSED ((size_t)-1)

static const struct flag flags[] = {
	STR("namespace", namespace_),
	STR("id", id),
	STR("address", address),
	STR("bundle", bundle),
	STR("socket", socket_path),
	{"debug-socket", false, UNUSED},
	{"publish-binary", false, UNUSED},
	BOOL("debug", debug),
	BOOL("v", version),
	BOOL("version", version),
	BOOL("info", info),
};

static const struct flag *find(const char *name, size_t len)
{
	for (size_t i = 0; i < PST_NELEM(flags); i++)
		if (strlen(flags[i].name) == len && memcmp(flags[i].name, name, len) == 0)
			return &flags[i];
	return NULL;
}

static int take(struct pst_shim_args *a, const struct flag *f, const char *value,
		struct pst_err *err)
{
	if (f->is_switch) {
		const bool no = value != NULL && (strcmp(value, "false") == 0 || strcmp(value, "0") == 0);
		*(bool *)((char *)a + f->at) = !no;
		return PST_OK;
	}
	if (value == NULL)
		return pst_fail(err, PST_E_USAGE, "", "flag needs an argument: -%s", f->name);
	if (f->at != UNUSED)
		*(const char **)((char *)a + f->at) = value;
	return PST_OK;
}

int pst_shim_args_parse(int argc, char **argv, struct pst_shim_args *ret, struct pst_err *err)
{
	struct pst_shim_args a = {0};
	int i = 1;
	for (; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		if (*name == '\0') {
			i++;
			break;
		}
		const size_t len = strcspn(name, "=");
		const struct flag *f = find(name, len);
		const char *value = name[len] == '=' ? name + len + 1 : NULL;
		if (f == NULL)
			return pst_fail(err, PST_E_USAGE, "", "flag provided but not defined: %.100s", argv[i]);
		if (value == NULL && !f->is_switch && i + 1 < argc)
			value = argv[++i];
		const int rc = take(&a, f, value, err);
		if (rc != PST_OK)
			return rc;
	}
	if (i < argc)
		a.action = argv[i];
	*ret = a;
	return PST_OK;
}
