#include "core/httpreq.h"

#include <stdbool.h>
#include <string.h>

static bool is_whole(const char *head, size_t len)
{
	return memmem(head, len, "\r\n\r\n", 4) != NULL || memmem(head, len, "\n\n", 2) != NULL;
}

static bool is_word(const char *s, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(s, word, len) == 0;
}

/* "METHOD SP target SP HTTP/1.x" */
static enum pst_http judge_line(const char *line, size_t len)
{
	const char *method_end = memchr(line, ' ', len);
	if (method_end == NULL)
		return PST_HTTP_BAD;
	const char *path = method_end + 1;
	const size_t rest = len - (size_t)(path - line);
	const char *path_end = memchr(path, ' ', rest);
	if (path_end == NULL || path[0] != '/' || len - (size_t)(path_end - line) < 9 ||
	    memcmp(path_end + 1, "HTTP/1.", 7) != 0)
		return PST_HTTP_BAD;
	const bool get = is_word(line, (size_t)(method_end - line), "GET");
	if (!get && !is_word(line, (size_t)(method_end - line), "HEAD"))
		return PST_HTTP_METHOD;
	const char *query = memchr(path, '?', (size_t)(path_end - path));
	const size_t n = (size_t)((query == NULL ? path_end : query) - path);
	if (is_word(path, n, "/metrics"))
		return get ? PST_HTTP_METRICS : PST_HTTP_METRICS_HEAD;
	return is_word(path, n, "/") ? PST_HTTP_ROOT : PST_HTTP_NOT_FOUND;
}

enum pst_http pst_http_judge(const char *head, size_t len)
{
	if (memchr(head, '\0', len) != NULL)
		return PST_HTTP_BAD;
	if (!is_whole(head, len))
		return len >= PST_HTTP_HEAD_MAX ? PST_HTTP_LONG : PST_HTTP_MORE;
	const char *end = memchr(head, '\n', len);
	size_t n = (size_t)(end - head);
	if (n > 0 && head[n - 1] == '\r')
		n--;
	return judge_line(head, n);
}

const char *pst_http_status(enum pst_http h)
{
	switch (h) {
	case PST_HTTP_METRICS:
	case PST_HTTP_METRICS_HEAD:
	case PST_HTTP_ROOT:
		return "200 OK";
	case PST_HTTP_NOT_FOUND:
		return "404 Not Found";
	case PST_HTTP_METHOD:
		return "405 Method Not Allowed";
	case PST_HTTP_LONG:
		return "431 Request Header Fields Too Large";
	case PST_HTTP_MORE:
	case PST_HTTP_BAD:
		break;
	}
	return "400 Bad Request";
}
