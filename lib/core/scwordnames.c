#include "core/scwordnames.h"

#include <stddef.h>

#include "base/str.h"

struct named {
	uint64_t v;
	const char *name;
};

static const char *find(const struct named *t, size_t n, uint64_t v)
{
	for (size_t i = 0; i < n; i++)
		if (t[i].v == v)
			return t[i].name;
	return NULL;
}

static const char *family(uint64_t v)
{
	static const char *const names[] = {
		"AF_UNSPEC",    "AF_UNIX",       "AF_INET",    "AF_AX25",    "AF_IPX",
		"AF_APPLETALK", "AF_NETROM",     "AF_BRIDGE",  "AF_ATMPVC",  "AF_X25",
		"AF_INET6",     "AF_ROSE",       "AF_DECnet",  "AF_NETBEUI", "AF_SECURITY",
		"AF_KEY",       "AF_NETLINK",    "AF_PACKET",  "AF_ASH",     "AF_ECONET",
		"AF_ATMSVC",    "AF_RDS",        "AF_SNA",     "AF_IRDA",    "AF_PPPOX",
		"AF_WANPIPE",   "AF_LLC",        "AF_IB",      "AF_MPLS",    "AF_CAN",
		"AF_TIPC",      "AF_BLUETOOTH",  "AF_IUCV",    "AF_RXRPC",   "AF_ISDN",
		"AF_PHONET",    "AF_IEEE802154", "AF_CAIF",    "AF_ALG",     "AF_NFC",
		"AF_VSOCK",     "AF_KCM",        "AF_QIPCRTR", "AF_SMC",     "AF_XDP",
		"AF_MCTP",
	};
	return v < PST_NELEM(names) ? names[v] : NULL;
}

static const char *type(uint64_t v)
{
	static const struct named t[] = {
		{1, "SOCK_STREAM"},    {2, "SOCK_DGRAM"}, {3, "SOCK_RAW"},     {4, "SOCK_RDM"},
		{5, "SOCK_SEQPACKET"}, {6, "SOCK_DCCP"},  {10, "SOCK_PACKET"},
	};
	return find(t, PST_NELEM(t), v);
}

static const char *ip_protocol(uint64_t v)
{
	static const struct named t[] = {
		{0, "0"},       {1, "ICMP"},   {6, "TCP"},        {17, "UDP"},  {33, "DCCP"},
		{58, "ICMPv6"}, {132, "SCTP"}, {136, "UDP-Lite"}, {255, "raw"}, {262, "MPTCP"},
	};
	return find(t, PST_NELEM(t), v);
}

static const char *netlink(uint64_t v)
{
	static const char *const names[] = {
		"NETLINK_ROUTE",         NULL,
		"NETLINK_USERSOCK",      "NETLINK_FIREWALL",
		"NETLINK_SOCK_DIAG",     "NETLINK_NFLOG",
		"NETLINK_XFRM",          "NETLINK_SELINUX",
		"NETLINK_ISCSI",         "NETLINK_AUDIT",
		"NETLINK_FIB_LOOKUP",    "NETLINK_CONNECTOR",
		"NETLINK_NETFILTER",     "NETLINK_IP6_FW",
		"NETLINK_DNRTMSG",       "NETLINK_KOBJECT_UEVENT",
		"NETLINK_GENERIC",       NULL,
		"NETLINK_SCSITRANSPORT", "NETLINK_ECRYPTFS",
		"NETLINK_RDMA",          "NETLINK_CRYPTO",
		"NETLINK_SMC",
	};
	return v < PST_NELEM(names) ? names[v] : NULL;
}

static const char *clone_flag(uint64_t v)
{
	static const struct named t[] = {
		{0x00000080, "CLONE_NEWTIME"},   {0x00000100, "CLONE_VM"},
		{0x00000200, "CLONE_FS"},        {0x00000400, "CLONE_FILES"},
		{0x00000800, "CLONE_SIGHAND"},   {0x00001000, "CLONE_PIDFD"},
		{0x00002000, "CLONE_PTRACE"},    {0x00004000, "CLONE_VFORK"},
		{0x00008000, "CLONE_PARENT"},    {0x00010000, "CLONE_THREAD"},
		{0x00020000, "CLONE_NEWNS"},     {0x00040000, "CLONE_SYSVSEM"},
		{0x02000000, "CLONE_NEWCGROUP"}, {0x04000000, "CLONE_NEWUTS"},
		{0x08000000, "CLONE_NEWIPC"},    {0x10000000, "CLONE_NEWUSER"},
		{0x20000000, "CLONE_NEWPID"},    {0x40000000, "CLONE_NEWNET"},
		{0x80000000, "CLONE_IO"},
	};
	return find(t, PST_NELEM(t), v);
}

static const char *persona(uint64_t v)
{
	static const struct named t[] = {
		{0, "PER_LINUX"},          {8, "PER_LINUX32"},
		{0x20000, "UNAME26"},      {0x20008, "PER_LINUX32 with UNAME26"},
		{0xffffffff, "the query"}, {0x40000, "ADDR_NO_RANDOMIZE"},
	};
	return find(t, PST_NELEM(t), v);
}

static const char *request(uint64_t v)
{
	static const struct named t[] = {
		{0x5401, "TCGETS"},    {0x5410, "TIOCSPGRP"}, {0x5412, "TIOCSTI"},
		{0x541c, "TIOCLINUX"}, {0x5423, "TIOCSETD"},  {0x541b, "FIONREAD"},
		{0x5421, "FIONBIO"},   {0x5451, "FIOCLEX"},
	};
	return find(t, PST_NELEM(t), v);
}

static const char *no_name(uint64_t v)
{
	(void)v;
	return NULL;
}

struct pst_scarg pst_scarg_of(const struct pst_sc *sc, unsigned arg, int64_t proto_of)
{
	const struct pst_scarg none = {NULL, PST_SCARG_VALUE, UINT64_MAX, no_name};
	const bool sock = pst_streq(sc->name, "socket") || pst_streq(sc->name, "socketpair");
	if (sock && arg == 0)
		return (struct pst_scarg){"family", PST_SCARG_VALUE, UINT32_MAX, family};
	if (sock && arg == 1)
		return (struct pst_scarg){"type", PST_SCARG_VALUE, 0xf, type};
	if (sock && arg == 2)
		return (struct pst_scarg){"protocol", PST_SCARG_VALUE, UINT32_MAX,
					  proto_of == 16                    ? netlink
					  : proto_of == 2 || proto_of == 10 ? ip_protocol
									    : no_name};
	if (arg == 0 && (pst_streq(sc->name, "clone") || pst_streq(sc->name, "unshare")))
		return (struct pst_scarg){"flags", PST_SCARG_FLAGS, UINT32_MAX, clone_flag};
	if (arg == 0 && pst_streq(sc->name, "personality"))
		return (struct pst_scarg){"persona", PST_SCARG_VALUE, UINT32_MAX, persona};
	if (arg == 1 && pst_streq(sc->name, "ioctl"))
		return (struct pst_scarg){"request", PST_SCARG_VALUE, UINT32_MAX, request};
	return none;
}
