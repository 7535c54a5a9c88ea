#include <criterion/criterion.h>
#include <string.h>

#include "core/httpreq.h"

static enum pst_http judge(const char *text)
{
	return pst_http_judge(text, strlen(text));
}

Test(httpreq, what_a_scraper_asks)
{
	cr_expect_eq(judge("GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"), PST_HTTP_METRICS);
	cr_expect_eq(judge("GET /metrics?x=y HTTP/1.0\n\n"), PST_HTTP_METRICS);
	cr_expect_eq(judge("HEAD /metrics HTTP/1.1\r\n\r\n"), PST_HTTP_METRICS_HEAD);
	cr_expect_eq(judge("GET / HTTP/1.1\r\n\r\n"), PST_HTTP_ROOT);
	cr_expect_eq(judge("GET /other HTTP/1.1\r\n\r\n"), PST_HTTP_NOT_FOUND);
	cr_expect_eq(judge("GET /metricsx HTTP/1.1\r\n\r\n"), PST_HTTP_NOT_FOUND);
	cr_expect_eq(judge("POST /metrics HTTP/1.1\r\n\r\n"), PST_HTTP_METHOD);
}

Test(httpreq, a_head_comes_in_pieces)
{
	static const char text[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	for (size_t n = 0; n < sizeof text - 1; n++)
		cr_expect_eq(pst_http_judge(text, n), PST_HTTP_MORE, "%zu", n);
}

Test(httpreq, nonsense_is_refused)
{
	static const char *const bad[] = {"\r\n\r\n", "GET\r\n\r\n", "GET /metrics\r\n\r\n", "GET /metrics FTP/1.1\r\n\r\n",
					  "GET  HTTP/1.1\r\n\r\n", "GET metrics HTTP/1.1\r\n\r\n", "\n\n", "GET / HTTP\n\n"};
	char full[PST_HTTP_HEAD_MAX];
	for (size_t i = 0; i < PST_NELEM(bad); i++)
		cr_expect_eq(judge(bad[i]), PST_HTTP_BAD, "%s", bad[i]);
	cr_expect_eq(pst_http_judge("GET /\0 HTTP/1.1\r\n\r\n", 19), PST_HTTP_BAD);
	memset(full, 'a', sizeof full);
	cr_expect_eq(pst_http_judge(full, sizeof full), PST_HTTP_LONG);
	for (enum pst_http h = 0; h <= PST_HTTP_LONG; h++)
		cr_expect_eq(strspn(pst_http_status(h), "0123456789"), 3);
}
