#include "core/scview.h"
#include "core/scwords.h"
#include "scfixture.h"

static char said[2000];

static const char *when(const struct pst_scprof *p, const char *name)
{
	const struct pst_sc *sc = pst_sctable_name(name);
	pst_auto_boxes open = {0};
	pst_auto_buf out = {0};
	pst_scview_open(p, (unsigned)sc->slot, &open);
	pst_scwords_boxes(sc, open.v, open.n, &out);
	snprintf(said, sizeof said, "%s", pst_buf_cstr(&out));
	return said;
}

#define COND(names, args) \
	"{\"names\":[\"" names "\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[" args "]}"
#define EQ(i, v) "{\"index\":" #i ",\"value\":" #v ",\"op\":\"SCMP_CMP_EQ\"}"
#define MASK(i, m, v) \
	"{\"index\":" #i ",\"value\":" #m ",\"valueTwo\":" #v ",\"op\":\"SCMP_CMP_MASKED_EQ\"}"

Test(scwords, socket_arguments_have_their_names)
{
	pst_auto_scprof *p =
		rules(COND("socket", EQ(0, 16) "," EQ(2, 9)) "," COND("socket", EQ(0, 1)));
	cr_expect_str_eq(when(p, "socket"),
			 "family AF_UNIX; family AF_NETLINK, protocol NETLINK_AUDIT");
}

Test(scwords, values_of_one_argument_are_put_together)
{
	pst_auto_scprof *p = rules(COND("socket", EQ(0, 1)) "," COND("socket", EQ(0, 2)) "," COND(
		"socket", EQ(0, 10)) "," COND("personality", EQ(0, 8)));
	cr_expect_str_eq(when(p, "socket"), "family AF_UNIX, AF_INET or AF_INET6");
	cr_expect_str_eq(when(p, "personality"), "persona PER_LINUX32");
}

Test(scwords, a_range_is_a_run)
{
	pst_auto_scprof *p = rules("{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":"
				   "[{\"index\":0,\"value\":38,\"op\":\"SCMP_CMP_LT\"}]}");
	cr_expect_str_eq(when(p, "socket"), "family AF_UNSPEC to AF_CAIF");
}

Test(scwords, flags_say_which_are_left_out)
{
	pst_auto_scprof *p = rules(COND("clone", MASK(0, 268435456, 0)));
	cr_expect_str_eq(when(p, "clone"), "flags without CLONE_NEWUSER");
}

Test(scwords, what_has_no_name_is_a_number)
{
	pst_auto_scprof *p = rules(COND("fcntl", EQ(1, 1030)) "," COND("mmap", MASK(2, 4, 0)));
	cr_expect_str_eq(when(p, "fcntl"), "argument 2 = 0x406");
	cr_expect_str_eq(when(p, "mmap"), "argument 3 & 0x4 = 0");
}

Test(scwords, no_condition_and_no_box)
{
	pst_auto_scprof *p = rules("{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"}");
	cr_expect_str_eq(when(p, "read"), "any arguments");
	cr_expect_str_eq(when(p, "write"), "nothing");
}

Test(scwords, answers)
{
	static const struct {
		uint32_t ret;
		const char *word;
	} t[] = {
		{SECCOMP_RET_ERRNO | 1, "EPERM"},
		{SECCOMP_RET_ERRNO | 4000, "errno 4000"},
		{SECCOMP_RET_TRAP, "SIGSYS"},
		{SECCOMP_RET_KILL_PROCESS, "the process is killed"},
		{SECCOMP_RET_USER_NOTIF, "an agent decides"},
		{SECCOMP_RET_ALLOW, "allowed"},
	};
	for (size_t i = 0; i < PST_NELEM(t); i++) {
		pst_auto_buf out = {0};
		pst_scwords_answer(t[i].ret, &out);
		cr_expect_str_eq(pst_buf_cstr(&out), t[i].word);
	}
}

Test(scview, states)
{
	pst_auto_scprof *p = rules(
		"{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\"},"
		"{\"names\":[\"ptrace\"],\"action\":\"SCMP_ACT_NOTIFY\"}," COND("clone", EQ(0, 1)));
	size_t n[PST_SC_NSTATES];
	cr_expect_eq(pst_scview_state(p, 0), PST_SC_ALLOWED);
	cr_expect_eq(pst_scview_state(p, 56), PST_SC_CONDITIONAL);
	cr_expect_eq(pst_scview_state(p, 101), PST_SC_NOTIFIED);
	cr_expect_eq(pst_scview_state(p, 1), PST_SC_DENIED);
	cr_expect_eq(pst_scview_state(NULL, 1), PST_SC_ALLOWED);
	const size_t all = pst_scview_count(p, n);
	cr_expect_eq(n[0] + n[1] + n[2] + n[3], all);
	cr_expect(n[0] == 1 && n[1] == 1 && n[2] == 1);
}

Test(scview, two_halves_are_a_whole)
{
	pst_auto_scprof *p = rules(COND("clone", MASK(0, 1, 0)) "," COND("clone", MASK(0, 1, 1)));
	cr_expect_eq(pst_scview_state(p, 56), PST_SC_ALLOWED);
}
