#include "core/limitwatch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"
#include "core/limits_priv.h"
#include "core/oneline.h"
#include "core/quantity.h"

/* Where a limit may stand: config-linux.md "Resources"; "unified" is written last. */
static const struct {
	const char *name, *pointer, *unified;
} limits[] = {
	{"memory", "/linux/resources/memory/limit", "/linux/resources/unified/memory.max"},
	{"pids", "/linux/resources/pids/limit", "/linux/resources/unified/pids.max"},
	{"cpu", "/linux/resources/cpu/quota", "/linux/resources/unified/cpu.max"},
};

/* Text of a file of cgroup version 2; false for "max" and what is none. */
static bool of_text(const char *text, bool cpu, uint64_t *v, uint64_t *period)
{
	struct pst_asked a;
	bool max;
	uint64_t given;
	if (!cpu)
		return pst_quantity_kernel(text, v, &max) && !max;
	if (!pst_limits_cpu_max(text, &a, &given) || a.how != PST_ASK_SOME)
		return false;
	*v = a.v;
	*period = given != 0 ? given : PST_CPU_PERIOD;
	return true;
}

/* The limit at `pointer`, in the unit of the file; false: none. */
static bool value_at(const json_t *spec, const char *pointer, bool cpu, uint64_t *ret)
{
	uint64_t v = 0, period = PST_CPU_PERIOD;
	const json_t *n = pst_json_at(spec, pointer);
	const char *text = pst_json_str(n);
	if (text != NULL ? !of_text(text, cpu, &v, &period) : !pst_json_u64(n, &v))
		return false;
	if (text == NULL && cpu)
		(void)!pst_json_u64(pst_json_at(spec, "/linux/resources/cpu/period"), &period);
	if (cpu)
		v = period == 0 || v > UINT64_MAX / 1000 ? 0 : v * 1000 / period;
	*ret = v;
	return v > 0;
}

static const char *source_of(const struct pst_edits *edits, const char *pointer)
{
	for (size_t i = edits->n; i-- > 0;)
		if (edits->v[i].value != NULL && pst_path_under(pointer, edits->v[i].pointer))
			return edits->v[i].source;
	return NULL;
}

int pst_limitwatch_make(const json_t *spec, const struct pst_edits *edits, struct pst_buf *out,
			struct pst_err *err)
{
	for (size_t i = 0; i < PST_NELEM(limits); i++) {
		const bool cpu = strcmp(limits[i].name, "cpu") == 0;
		uint64_t v;
		const char *at = limits[i].unified;
		if (!value_at(spec, at, cpu, &v)) {
			at = limits[i].pointer;
			if (!value_at(spec, at, cpu, &v))
				continue;
		}
		const char *source = source_of(edits, at);
		pst_buf_fmt(out, "limit\t%s\t%" PRIu64 "\t", limits[i].name, v);
		if (source == NULL)
			pst_buf_fmt(out, "the spec's %s", at);
		else
			pst_oneline(out, source);
		pst_buf_char(out, '\n');
	}
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}
