#include <criterion/criterion.h>

#include "core/quantity.h"

static uint64_t ok(const char *s, enum pst_quantity_unit unit)
{
	uint64_t v = 0;
	struct pst_err err = {0};
	cr_assert_eq(pst_quantity_parse(s, unit, &v, &err), PST_OK, "%s: %s", s, err.msg);
	return v;
}

Test(quantity, binary_and_decimal_suffixes_mean_what_kubernetes_means)
{
	cr_expect_eq(ok("100Mi", PST_QUANTITY_COUNT), 104857600);
	cr_expect_eq(ok("1G", PST_QUANTITY_COUNT), 1000000000);
	cr_expect_eq(ok("1Gi", PST_QUANTITY_COUNT), 1073741824);
	cr_expect_eq(ok("0", PST_QUANTITY_COUNT), 0);
	cr_expect_eq(ok("0Ei", PST_QUANTITY_COUNT), 0);
	cr_expect_eq(ok("1.5Gi", PST_QUANTITY_COUNT), 1610612736);
	cr_expect_eq(ok("1e3", PST_QUANTITY_COUNT), 1000);
	cr_expect_eq(ok("12E2", PST_QUANTITY_COUNT), 1200);
	cr_expect_eq(ok("15Ei", PST_QUANTITY_COUNT), UINT64_C(15) << 60);
	cr_expect_eq(ok("9223372036854775807", PST_QUANTITY_COUNT), INT64_MAX);
	cr_expect_eq(ok("0.000000001G", PST_QUANTITY_COUNT), 1);
}

Test(quantity, thousandths_serve_cpus)
{
	cr_expect_eq(ok("0.5", PST_QUANTITY_MILLI), 500);
	cr_expect_eq(ok("500m", PST_QUANTITY_MILLI), 500);
	cr_expect_eq(ok(".25", PST_QUANTITY_MILLI), 250);
	cr_expect_eq(ok("2", PST_QUANTITY_MILLI), 2000);
}

Test(quantity, a_fraction_of_the_unit_is_rounded_up_never_to_nothing)
{
	cr_expect_eq(ok("500m", PST_QUANTITY_COUNT), 1);
	cr_expect_eq(ok("1n", PST_QUANTITY_MILLI), 1);
	cr_expect_eq(ok("1.000000000000000001", PST_QUANTITY_COUNT), 2);
}

Test(quantity, rates_may_name_their_bits)
{
	cr_expect_eq(ok("1Gbit", PST_QUANTITY_BITS), 1000000000);
	cr_expect_eq(ok("10M", PST_QUANTITY_BITS), 10000000);
	cr_expect_eq(ok("100kbps", PST_QUANTITY_BITS), 100000);
}

Test(quantity, nonsense_and_overflow_are_refused_and_leave_out_alone)
{
	static const char *const bad[] = {"",      " 1",
					  "1 ",    "-1",
					  "+1",    "Mi",
					  ".",     "1..2",
					  "1.2.3", "0x10",
					  "1mi",   "1KiB",
					  "1Gbit", "nan",
					  "1e",    "1e-",
					  "1e99",  "1Mi\xff",
					  "16Ei",  "18446744073709551616",
					  "1e36",  "99999999999999999999999999999999999999999"};
	for (size_t i = 0; i < PST_NELEM(bad); i++) {
		uint64_t v = 77;
		struct pst_err err = {0};
		cr_expect_eq(pst_quantity_parse(bad[i], PST_QUANTITY_COUNT, &v, &err), PST_E_SPEC,
			     "\"%s\" gave %lu", bad[i], (unsigned long)v);
		cr_expect_eq(v, 77);
		cr_expect_neq(err.cure[0], '\0');
	}
}

Test(quantity, docker_letters_are_binary_and_the_rest_is_kubernetes)
{
	static const struct {
		const char *s;
		uint64_t v;
	} t[] = {{"1g", 1073741824},  {"512m", 536870912},  {"4k", 4096}, {"10b", 10},
		 {"2gb", 2147483648}, {"100Mi", 104857600}, {"7", 7},     {"0.5g", 536870912}};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		uint64_t v = 0;
		cr_assert_eq(pst_quantity_docker_bytes(t[i].s, &v, NULL), PST_OK, "%s", t[i].s);
		cr_expect_eq(v, t[i].v, "%s", t[i].s);
	}
	uint64_t v = 0;
	cr_expect_eq(pst_quantity_docker_bytes("99999999999t", &v, NULL), PST_E_SPEC);
	cr_expect_eq(pst_quantity_docker_bytes("1gg", &v, NULL), PST_E_SPEC);
}
