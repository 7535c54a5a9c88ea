#include "core/quantity.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

/* 64 bits of digits times 1024^6 times 1000 need more than 64 bits. */
__extension__ typedef unsigned __int128 wide;

#define MAX_DIGITS 19 /* before and after the point: 10^19 still fits 64 bits */
#define MAX_TEXT 64

/* value = mantissa * base^power / 10^decimals */
struct number {
	uint64_t mantissa;
	unsigned decimals;
};

struct suffix {
	const char *text;
	unsigned base;
	int power;
};

static const struct suffix suffixes[] = {
	{"", 10, 0},     {"n", 10, -9},   {"u", 10, -6},   {"m", 10, -3},
	{"k", 10, 3},    {"M", 10, 6},    {"G", 10, 9},    {"T", 10, 12},
	{"P", 10, 15},   {"E", 10, 18},   {"Ki", 1024, 1}, {"Mi", 1024, 2},
	{"Gi", 1024, 3}, {"Ti", 1024, 4}, {"Pi", 1024, 5}, {"Ei", 1024, 6},
};

static const struct suffix docker_suffixes[] = {
	{"b", 1024, 0}, {"k", 1024, 1},  {"kb", 1024, 1}, {"m", 1024, 2},  {"mb", 1024, 2},
	{"g", 1024, 3}, {"gb", 1024, 3}, {"t", 1024, 4},  {"tb", 1024, 4},
};

/* Digits with at most one point; *s moves behind them. */
static bool take_number(const char **s, struct number *ret)
{
	const char *p = *s;
	unsigned digits = 0;
	bool point = false, any = false;
	*ret = (struct number){0};
	for (; (*p >= '0' && *p <= '9') || (*p == '.' && !point); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		any = true;
		if (*p != '0' || ret->mantissa != 0)
			digits++;
		if (digits > MAX_DIGITS || ret->decimals > MAX_DIGITS)
			return false;
		ret->mantissa = ret->mantissa * 10 + (uint64_t)(*p - '0');
		ret->decimals += point;
	}
	*s = p;
	return any;
}

/* "e3", "E-2": a decimal exponent of at most two digits. */
static bool take_exponent(const char *s, struct suffix *ret)
{
	if (*s != 'e' && *s != 'E')
		return false;
	const bool minus = s[1] == '-';
	s += 1 + (s[1] == '-' || s[1] == '+');
	uint64_t n = 0;
	if (!pst_num_parse(s, 10, 36, &n))
		return false;
	*ret = (struct suffix){.text = "", .base = 10, .power = minus ? -(int)n : (int)n};
	return true;
}

static bool find_suffix(const struct suffix list[], size_t n, const char *text, struct suffix *ret)
{
	for (size_t i = 0; i < n; i++)
		if (pst_streq(list[i].text, text)) {
			*ret = list[i];
			return true;
		}
	return false;
}

/* mantissa * base^power / 10^decimals * scale, rounded up; false beyond 64 bits. */
static bool scale_up(struct number n, struct suffix s, unsigned scale, uint64_t *ret)
{
	if (n.mantissa == 0) {
		*ret = 0;
		return true;
	}
	wide v = (wide)n.mantissa * scale;
	int down = (int)n.decimals;
	if (s.power < 0)
		down -= s.power;
	for (int i = 0; i < s.power; i++) {
		if (down > 0 && s.base == 10) {
			down--;
			continue;
		}
		if (v > ~(wide)0 / s.base)
			return false;
		v *= s.base;
	}
	bool rest = false;
	for (; down > 0 && v > 0; down--) {
		rest = rest || v % 10 != 0;
		v /= 10;
	}
	v += rest;
	if (v > UINT64_MAX)
		return false;
	*ret = (uint64_t)v;
	return true;
}

static int refuse(const char *text, struct pst_err *err)
{
	pst_fail(err, PST_E_SPEC, "", "\"%.40s\" is not a quantity", text);
	pst_err_cure(err, "write digits and a suffix, as in 100Mi, 1G, 500m or 0.5");
	return PST_E_SPEC; /* not what cure returns: err may be NULL */
}

static int finish(const char *text, struct number n, struct suffix s, unsigned scale, uint64_t *ret,
		  struct pst_err *err)
{
	uint64_t v = 0;
	if (!scale_up(n, s, scale, &v)) {
		pst_fail(err, PST_E_SPEC, "", "quantity \"%.40s\" does not fit 64 bits", text);
		pst_err_cure(err, "write a smaller amount");
		return PST_E_SPEC;
	}
	*ret = v;
	return PST_OK;
}

int pst_quantity_parse(const char *text, enum pst_quantity_unit unit, uint64_t *ret,
		       struct pst_err *err)
{
	const char *p = text;
	struct number n;
	char tail[8] = "";
	if (strlen(text) > MAX_TEXT || !take_number(&p, &n) || strlen(p) >= sizeof tail)
		return refuse(text, err);
	memcpy(tail, p, strlen(p) + 1);
	if (unit == PST_QUANTITY_BITS && (pst_ends(tail, "bit") || pst_ends(tail, "bps")))
		tail[strlen(tail) - 3] = '\0';
	struct suffix s;
	if (!find_suffix(suffixes, PST_NELEM(suffixes), tail, &s) && !take_exponent(tail, &s))
		return refuse(text, err);
	return finish(text, n, s, unit == PST_QUANTITY_MILLI ? 1000 : 1, ret, err);
}

int pst_quantity_docker_bytes(const char *text, uint64_t *ret, struct pst_err *err)
{
	const char *p = text;
	struct number n;
	struct suffix s;
	if (strlen(text) <= MAX_TEXT && take_number(&p, &n) &&
	    find_suffix(docker_suffixes, PST_NELEM(docker_suffixes), p, &s))
		return finish(text, n, s, 1, ret, err);
	return pst_quantity_parse(text, PST_QUANTITY_COUNT, ret, err);
}

bool pst_quantity_kernel(const char *text, uint64_t *ret, bool *ret_max)
{
	static const char blanks[] = " \t\n", units[] = "kmgtpe";
	char digits[24];
	unsigned shift = 0;
	text += strspn(text, blanks);
	const size_t len = strcspn(text, blanks);
	size_t n = len;
	if (text[len + strspn(text + len, blanks)] != '\0' || len == 0 || len >= sizeof digits)
		return false;
	*ret_max = len == 3 && memcmp(text, "max", 3) == 0;
	if (*ret_max)
		return true;
	const char *unit = strchr(units, text[len - 1] | 0x20);
	if (unit != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		n--;
	}
	snprintf(digits, sizeof digits, "%.*s", (int)n, text);
	if ((digits[0] == '0' && digits[1] != '\0') || !pst_num_parse(digits, 10, UINT64_MAX >> shift, ret))
		return false;
	*ret <<= shift;
	return true;
}
