/* The limits a container runs with, each with what set it: part of the plan in words. */
#include "core/planlimits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "core/hits.h"
#include "core/json.h"
#include "core/rlimit.h"

enum unit { COUNT, BYTES };

static const struct {
	const char *what, *tail;
	enum unit unit;
} numbers[] = {
	{"processes", "/pids/limit", COUNT},
	{"memory", "/memory/limit", BYTES},
	{"memory and swap", "/memory/swap", BYTES},
};

static const struct {
	const char *what, *list;
	enum unit unit;
} rates[] = {
	{"reads a second", "throttleReadIOPSDevice", COUNT},
	{"writes a second", "throttleWriteIOPSDevice", COUNT},
	{"read a second", "throttleReadBpsDevice", BYTES},
	{"written a second", "throttleWriteBpsDevice", BYTES},
};

struct printer {
	const json_t *spec;
	const struct pst_edits *edits;
	struct pst_buf *out;
};

/* The last edit that wrote what stands at `pointer`: there, above it, or as a new element
 * of the array it is in. */
static void source(const struct printer *p, const char *pointer)
{
	const json_t *value = pst_json_at(p->spec, pointer);
	for (size_t i = p->edits->n; i-- > 0;) {
		const struct pst_edit *e = &p->edits->v[i];
		const size_t len = strlen(e->pointer);
		const bool appended = pst_ends(e->pointer, "/-") &&
				      strncmp(e->pointer, pointer, len - 1) == 0 && json_equal(e->value, value);
		const bool above = pst_path_under(pointer, e->pointer) &&
				   !(json_is_array(e->value) && json_array_size(e->value) == 0);
		if (e->value != NULL && (appended || above)) {
			pst_buf_fmt(p->out, "  [%s]\n", e->source);
			return;
		}
	}
	pst_buf_fmt(p->out, "  [spec %s]\n", pointer);
}

static void amount(struct pst_buf *out, uint64_t v, enum unit unit)
{
	if (v == UINT64_MAX)
		pst_buf_str(out, "no limit");
	else if (unit == BYTES)
		pst_bytes_text(out, v);
	else
		pst_buf_fmt(out, "%" PRIu64, v);
}

static void cpu(const struct printer *p)
{
	static const char quota_at[] = "/linux/resources/cpu/quota";
	uint64_t quota = 0, period = 100000;
	if (!pst_json_u64(pst_json_at(p->spec, quota_at), &quota) || quota == 0)
		return;
	(void)!pst_json_u64(pst_json_at(p->spec, "/linux/resources/cpu/period"), &period);
	if (period == 0 || quota > UINT64_MAX / 1000)
		return;
	const uint64_t milli = quota * 1000 / period;
	pst_buf_fmt(p->out, "  cpu %" PRIu64 ".%03" PRIu64 " cores", milli / 1000, milli % 1000);
	source(p, quota_at);
}

static void devices(const struct printer *p)
{
	for (size_t r = 0; r < PST_NELEM(rates); r++) {
		char at[96];
		snprintf(at, sizeof at, "/linux/resources/blockIO/%s", rates[r].list);
		const json_t *list = pst_json_at(p->spec, at);
		for (size_t i = 0; i < json_array_size(list); i++) {
			const json_t *d = json_array_get(list, i);
			uint64_t major = 0, minor = 0, rate = 0;
			if (!pst_json_u64(json_object_get(d, "rate"), &rate) ||
			    !pst_json_u64(json_object_get(d, "major"), &major) ||
			    !pst_json_u64(json_object_get(d, "minor"), &minor))
				continue;
			pst_buf_fmt(p->out, "  disk %" PRIu64 ":%" PRIu64 ", %s ", major, minor, rates[r].what);
			amount(p->out, rate == 0 ? UINT64_MAX : rate, rates[r].unit);
			snprintf(at, sizeof at, "/linux/resources/blockIO/%s/%zu", rates[r].list, i);
			source(p, at);
		}
	}
}

static void hugepages(const struct printer *p)
{
	const json_t *list = pst_json_at(p->spec, "/linux/resources/hugepageLimits");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char at[64];
		uint64_t v;
		const char *size = pst_json_str(json_object_get(json_array_get(list, i), "pageSize"));
		if (size == NULL || !pst_json_u64(json_object_get(json_array_get(list, i), "limit"), &v))
			continue;
		pst_buf_fmt(p->out, "  huge pages of %.16s ", size);
		amount(p->out, v, BYTES);
		snprintf(at, sizeof at, "/linux/resources/hugepageLimits/%zu", i);
		source(p, at);
	}
}

static void rlimits(const struct printer *p)
{
	const json_t *list = pst_json_at(p->spec, "/process/rlimits");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char at[48];
		uint64_t v;
		const json_t *e = json_array_get(list, i);
		const enum pst_rlimit kind = pst_rlimit_of(pst_json_str(json_object_get(e, "type")));
		if (kind == PST_RL_COUNT || !pst_json_u64(json_object_get(e, "hard"), &v))
			continue;
		pst_buf_fmt(p->out, "  %s ", pst_rlimit_names[kind].what);
		amount(p->out, v, COUNT);
		/* The element when all of it is ours, its hard limit when that was lowered. */
		snprintf(at, sizeof at, "/process/rlimits/%zu/hard", i);
		bool lowered = false;
		for (size_t k = 0; k < p->edits->n; k++)
			lowered = lowered || pst_streq(p->edits->v[k].pointer, at);
		if (!lowered)
			*strrchr(at, '/') = '\0';
		source(p, at);
	}
}

void pst_planlimits_text(const json_t *spec, const struct pst_edits *edits, struct pst_buf *out)
{
	pst_auto_buf lines = {0};
	const struct printer p = {spec, edits, &lines};
	for (size_t i = 0; i < PST_NELEM(numbers); i++) {
		char at[64];
		uint64_t v;
		snprintf(at, sizeof at, "/linux/resources%s", numbers[i].tail);
		if (!pst_json_u64(pst_json_at(spec, at), &v) || v == 0)
			continue;
		pst_buf_fmt(&lines, "  %s ", numbers[i].what);
		amount(&lines, v, numbers[i].unit);
		source(&p, at);
	}
	cpu(&p);
	devices(&p);
	hugepages(&p);
	rlimits(&p);
	if (lines.len != 0)
		pst_buf_fmt(out, "limits\n%s", pst_buf_cstr(&lines));
}
