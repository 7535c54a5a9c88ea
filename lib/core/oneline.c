#include "core/oneline.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of the UTF-8 sequence at `s` and its code point; 0 if it is none (RFC 3629). */
static unsigned decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned n = s[0] < 0x80 ? 1 : s[0] < 0xC0 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
	if (n == 0 || s[0] >= 0xF8)
		return 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0xFFu >> (n + 1));
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xC0) != 0x80) /* the terminating NUL too */
			return 0;
		c = c << 6 | (s[i] & 0x3F);
	}
	if (c < least[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*ret = c;
	return n;
}

static bool is_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7F && c <= 0x9F))
		return false;
	return !(c == 0x200E || c == 0x200F || (c >= 0x2028 && c <= 0x202E) ||
		 (c >= 0x2066 && c <= 0x2069));
}

void pst_oneline(struct pst_buf *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	while (*s != '\0') {
		uint32_t c = 0;
		const unsigned n = decode(s, &c);
		if (n > 0 && is_printable(c)) {
			pst_buf_add(out, s, n);
			s += n;
			continue;
		}
		for (unsigned i = 0; i < (n == 0 ? 1 : n); i++)
			pst_buf_fmt(out, "\\x%02x", *s++);
	}
}
