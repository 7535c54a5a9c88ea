#include <criterion/criterion.h>
#include <string.h>

#include "core/runclog.h"

/* The message when `text` arrives in pieces of `step` bytes. */
static const char *last(const char *text, size_t step)
{
	static char msg[640];
	pst_auto_runclog l = {0};
	const size_t len = strlen(text);
	for (size_t i = 0; i < len; i += step)
		pst_runclog_feed(&l, text + i, len - i < step ? len - i : step);
	const char *m = pst_runclog_end(&l);
	if (m == NULL)
		return NULL;
	memcpy(msg, m, strlen(m) + 1);
	return msg;
}

static const char runc[] =
	"{\"level\":\"warning\",\"msg\":\"cannot toggle freezer\",\"time\":\"t\"}\n"
	"{\"level\":\"error\",\"msg\":\"first\",\"time\":\"t\"}\n"
	"{\"level\":\"debug\",\"msg\":\"x\",\"nested\":{\"level\":\"error\",\"msg\":\"no\"}}\n"
	"{\"level\":\"error\",\"msg\":\"open \\\"\\u00e9\\\": no such file\\n\",\"time\":\"t\"}\n"
	"{\"level\":\"info\",\"msg\":\"later\"}\n";

Test(runclog, the_last_error_counts_however_the_bytes_arrive)
{
	for (size_t step = 1; step < sizeof runc; step += 7)
		cr_assert_str_eq(last(runc, step), "open \"\xC3\xA9\": no such file", "step %zu",
				 step);
}

Test(runclog, text_form_is_read_too)
{
	cr_assert_str_eq(last("time=\"2026\" level=warning msg=\"w\"\ntime=\"2026\" level=error "
			      "msg=\"runc create failed: \\\"x\\\" is\\nbad\"\n", 1000),
			 "runc create failed: \"x\" is\nbad");
	cr_assert_str_eq(last("level=fatal msg=plain", 3), "plain");
}

Test(runclog, junk_between_records_is_skipped)
{
	cr_assert_str_eq(last("panic: runtime error\n{\"level\":\"error\",\"msg\":\n"
			      "{\"level\":\"error\",\"msg\":\"kept\"}\n{\"level\":\"error\"}\n{]\n"
			      "{\"level\":1,\"msg\":2}\n[[[[\n", 5),
			 "kept");
}

Test(runclog, without_an_error_there_is_no_message)
{
	cr_assert_null(last("", 1));
	cr_assert_null(last("\n\n", 1));
	cr_assert_null(last("{\"level\":\"info\",\"msg\":\"fine\"}\n", 4));
	cr_assert_null(last("hello world\n", 4));
}

Test(runclog, a_record_without_newline_at_the_end_counts)
{
	cr_assert_str_eq(last("{\"level\":\"error\",\"msg\":\"end\"}", 6), "end");
}

Test(runclog, endless_lines_are_skipped_in_bounded_memory)
{
	pst_auto_runclog l = {0};
	char x[4096];
	memset(x, 'x', sizeof x);
	for (int i = 0; i < 1000; i++) {
		pst_runclog_feed(&l, x, sizeof x);
		cr_assert(l.line.len <= 65536);
	}
	static const char tail[] = "\n{\"level\":\"error\",\"msg\":\"after\"}\n";
	pst_runclog_feed(&l, tail, sizeof tail - 1);
	cr_assert_str_eq(pst_runclog_end(&l), "after");
}

Test(runclog, a_long_message_is_cut)
{
	char text[3000];
	size_t n = (size_t)snprintf(text, sizeof text, "{\"level\":\"error\",\"msg\":\"");
	memset(text + n, 'm', 2000);
	snprintf(text + n + 2000, sizeof text - n - 2000, "\"}\n");
	cr_assert_eq(strlen(last(text, 100)), 639);
}
