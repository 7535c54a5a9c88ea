/* Whatever the log holds: a kill that is found has a victim, and names are short. */
#include "core/oomlog.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_oom_report r = {0};
	char *text = pst_fuzz_text(data, size);
	if (pst_oomlog_find(text, "/box", 4096, &r)) {
		PST_HOLDS(strstr(text, "oom-kill:constraint=") != NULL);
		PST_HOLDS(r.victim.pid <= INT32_MAX);
		PST_HOLDS(strnlen(r.victim.name, PST_OOM_NAME) < PST_OOM_NAME);
		PST_HOLDS(strnlen(r.largest.name, PST_OOM_NAME) < PST_OOM_NAME);
		PST_HOLDS(strnlen(r.of, sizeof r.of) < sizeof r.of);
	}
	free(text);
	return 0;
}
