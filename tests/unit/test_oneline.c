#include <criterion/criterion.h>
#include <string.h>

#include "core/oneline.h"

static void becomes(const char *text, const char *want)
{
	pst_auto_buf out = {0};
	pst_oneline(&out, text);
	cr_assert(pst_buf_ok(&out));
	cr_assert_str_eq(pst_buf_cstr(&out), want);
}

Test(oneline, ordinary_text_of_any_language_stays)
{
	becomes("", "");
	becomes("/var/lib/x: no such file", "/var/lib/x: no such file");
	becomes("caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x90\xB3", "caf\xC3\xA9 \xE6\xBC\xA2 \xF0\x9F\x90\xB3");
	becomes("back\\slash \"quoted\"", "back\\slash \"quoted\"");
}

Test(oneline, a_terminal_gets_nothing_to_obey)
{
	becomes("\x1b[31mred", "\\x1b[31mred");
	becomes("a\nb\rc\td\x7f", "a\\x0ab\\x0dc\\x09d\\x7f");
	becomes("\xC2\x9B" "31m", "\\xc2\\x9b31m");
	becomes("\xE2\x80\xAE" "txt.exe", "\\xe2\\x80\\xaetxt.exe");
	becomes("\xE2\x80\xA8", "\\xe2\\x80\\xa8");
	becomes("\xE2\x81\xA6x", "\\xe2\\x81\\xa6x");
}

Test(oneline, what_is_no_utf8_is_written_byte_by_byte)
{
	becomes("\xff\xfe", "\\xff\\xfe");
	becomes("cut\xC3", "cut\\xc3");
	becomes("cut\xE6\xBC", "cut\\xe6\\xbc");
	becomes("\xC0\xAF", "\\xc0\\xaf");
	becomes("\xE0\x80\xAF", "\\xe0\\x80\\xaf");
	becomes("\xED\xA0\x80", "\\xed\\xa0\\x80");
	becomes("\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	becomes("\xF8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
	becomes("\x80" "a\xC3" "b", "\\x80a\\xc3b");
}
