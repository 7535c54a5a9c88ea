#include "core/specfold.h"

#include "core/keyfold.h"

int pst_specfold_check(const json_t *tree, struct pst_err *err)
{
	/* Every key that core/spec.c or an edit of a plan reads or writes. */
	static const char *const names[] = {
		"ociVersion", "process", "root", "hostname", "mounts", "linux", "hooks", "annotations",
		"path", "readonly", "user", "uid", "gid", "additionalGids", "capabilities", "bounding",
		"effective", "inheritable", "permitted", "ambient", "noNewPrivileges", "terminal",
		"rlimits", "type", "hard", "soft", "destination", "source", "options", "uidMappings",
		"gidMappings", "containerID", "hostID", "size", "namespaces", "devices", "major", "minor",
		"fileMode", "resources", "memory", "limit", "swap", "unified", "blockIO", "rate",
		"throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice",
		"throttleWriteIOPSDevice", "hugepageLimits", "pageSize", "cpu", "quota", "period", "pids",
		"cgroupsPath", "rootfsPropagation", "seccomp", "defaultAction", "defaultErrnoRet",
		"architectures", "flags", "syscalls", "names", "action", "errnoRet", "args", "index",
		"value", "valueTwo", "op", "listenerPath", "listenerMetadata", "maskedPaths",
		"readonlyPaths", "sysctl", "poststart", NULL,
	};
	static const char *const maps[] = {"annotations", "sysctl", "unified", NULL};
	return pst_keyfold_check(tree, names, maps, err);
}
