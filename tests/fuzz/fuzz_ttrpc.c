/* Frames from anybody, in pieces of any size: what comes out is within the limits, and a
 * request that unpacks packs again. */
#include "proto/envelope.pb-c.h"
#include "proto/task.pb-c.h"
#include "proto/ttrpc.h"
#include "target.h"

static void look(const struct pst_ttrpc_reader *r)
{
	PST_HOLDS(r->nbody == r->h.length && r->nbody <= PST_TTRPC_MAX);
	Pst__RpcRequest *q = pst__rpc_request__unpack(NULL, r->nbody, r->body);
	if (q == NULL)
		return;
	PST_HOLDS(q->service != NULL && q->method != NULL);
	PST_HOLDS(pst__rpc_request__get_packed_size(q) > 0 || r->nbody == 0 ||
		  (q->service[0] == '\0' && q->method[0] == '\0'));
	Pst__CreateTaskRequest *c =
		pst__create_task_request__unpack(NULL, q->payload.len, q->payload.data);
	if (c != NULL)
		pst__create_task_request__free_unpacked(c, NULL);
	pst__rpc_request__free_unpacked(q, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_ttrpc_reader r = {0};
	const size_t step = size > 0 ? data[0] % 64 + 1 : 1;
	for (size_t at = 0; at < size;) {
		const size_t n = size - at < step ? size - at : step;
		size_t used = 0;
		const enum pst_ttrpc_got got = pst_ttrpc_take(&r, data + at, n, &used);
		PST_HOLDS(used <= n && (used > 0 || got != PST_TTRPC_MORE));
		if (got == PST_TTRPC_FRAME)
			look(&r);
		if (got == PST_TTRPC_FRAME || got == PST_TTRPC_TOOBIG)
			pst_ttrpc_next(&r);
		at += used;
	}
	pst_ttrpc_done(&r);
	return 0;
}
