/* What is decided of a request is not undone by what comes behind it. */
#include "core/httpreq.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own, without a NUL behind it: reading past its end is found. */
	char *head = malloc(size + 1);
	size_t n = 0;
	PST_HOLDS(head != NULL);
	memcpy(head, data, size);
	if (size > PST_HTTP_HEAD_MAX || memchr(head, '\0', size) != NULL)
		size = 0;
	while (n < size && pst_http_judge(head, n) == PST_HTTP_MORE)
		n++;
	if (n < size)
		PST_HOLDS(pst_http_judge(head, size) == pst_http_judge(head, n));
	PST_HOLDS(pst_http_status(pst_http_judge(head, size)) != NULL);
	free(head);
	return 0;
}
