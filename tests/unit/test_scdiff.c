#include "core/scdiff.h"
#include "scfixture.h"

struct seen {
	size_t n;
	char line[16][120];
};

static void see(void *ctx, const struct pst_scdiff *d)
{
	struct seen *s = ctx;
	cr_assert_lt(s->n, PST_NELEM(s->line));
	snprintf(s->line[s->n++], sizeof s->line[0], "%s %d %zu %zu", d->sc->name, d->kind, d->a->n,
		 d->b->n);
}

static struct seen compare(const struct pst_scprof *a, const struct pst_scprof *b)
{
	struct seen s = {0};
	cr_expect_eq(pst_scdiff(a, b, see, &s), s.n);
	return s;
}

#define ALLOW(names) "{\"names\":[" names "],\"action\":\"SCMP_ACT_ALLOW\"}"
#define SOCKET(op, v)                                                                   \
	"{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0," \
	"\"value\":" #v ",\"op\":\"" op "\"}]}"

Test(scdiff, equal_to_itself)
{
	pst_auto_scprof *p = builtin("baseline");
	cr_expect_eq(compare(p, p).n, 0);
}

Test(scdiff, written_otherwise_and_meant_the_same)
{
	pst_auto_scprof *a = rules(SOCKET("SCMP_CMP_LT", 2));
	pst_auto_scprof *b = rules(SOCKET("SCMP_CMP_EQ", 0) "," SOCKET("SCMP_CMP_EQ", 1));
	cr_expect_eq(compare(a, b).n, 0);
}

Test(scdiff, calls_of_one_side_only)
{
	pst_auto_scprof *a = rules(ALLOW("\"read\", \"ptrace\""));
	pst_auto_scprof *b = rules(ALLOW("\"read\", \"bpf\""));
	const struct seen s = compare(a, b);
	cr_assert_eq(s.n, 2);
	cr_expect_str_eq(s.line[0], "bpf 1 0 1");
	cr_expect_str_eq(s.line[1], "ptrace 0 1 0");
}

Test(scdiff, other_conditions)
{
	pst_auto_scprof *a = rules(SOCKET("SCMP_CMP_EQ", 1) "," SOCKET("SCMP_CMP_EQ", 2));
	pst_auto_scprof *b = rules(SOCKET("SCMP_CMP_EQ", 2) "," SOCKET("SCMP_CMP_EQ", 10));
	const struct seen s = compare(a, b);
	cr_assert_eq(s.n, 1);
	cr_expect_str_eq(s.line[0], "socket 2 1 1");
}

Test(scdiff, another_errno_is_an_answer)
{
	pst_auto_scprof *a =
		rules("{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38}");
	pst_auto_scprof *b = rules("{\"names\":[\"bpf\"],\"action\":\"SCMP_ACT_KILL_PROCESS\"}");
	const struct seen s = compare(a, b);
	cr_assert_eq(s.n, 2);
	cr_expect_str_eq(s.line[0], "bpf 3 1 0");
	cr_expect_str_eq(s.line[1], "clone3 3 1 0");
}
