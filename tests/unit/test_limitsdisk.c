#include "limitsfixture.h"

#define PLACE(pointer, fs, why, devices)                                                              \
	"{\"pointer\":\"" pointer "\",\"path\":\"/x\",\"fs\":\"" fs "\",\"why\":\"" why                  \
	"\",\"devices\":[" devices "]}"
#define MACHINE(version, throttle, places)                                                            \
	"{\"cgroup\":{\"version\":" version ",\"throttle\":" throttle "},\"bundle\":{\"disks\":[" places \
	"]}}"
#define ONE MACHINE("1", "true", PLACE("/root/path", "ext4", "", "[254,0]"))

static const struct pst_tighten none;

struct outcome {
	struct pst_buf text;
	struct pst_notes notes;
	struct pst_err err;
	int rc;
};

static void judge(const char *disk, const struct pst_tighten *t, const char *facts, const char *in,
		  struct outcome *o)
{
	struct pst_policy p = policy(disk);
	pst_auto_json *tree = parse(in);
	pst_auto_json *f = parse(facts);
	pst_auto_edits e = {0}, again = {0};
	*o = (struct outcome){0};
	o->rc = pst_limits_disk(tree, &p, t, f, &e, &o->notes, &o->err);
	if (o->rc == PST_OK) {
		struct pst_notes more = {0};
		cr_assert_eq(pst_edits_apply(&e, tree, NULL), PST_OK);
		cr_assert_eq(pst_json_dump(tree, PST_JSON_COMPACT, &o->text, NULL), PST_OK);
		/* I-7: what was decided once needs no second decision. */
		cr_expect_eq(pst_limits_disk(tree, &p, t, f, &again, &more, NULL), PST_OK);
		cr_expect_eq(again.n, 0, "%s is edited twice", in);
		pst_notes_done(&more);
	}
	pst_policy_done(&p);
}

static void done(struct outcome *o)
{
	pst_buf_done(&o->text);
	pst_notes_done(&o->notes);
}

static void disk_becomes(const char *disk, const struct pst_tighten *t, const char *facts, const char *in,
		    const char *want)
{
	struct outcome o;
	judge(disk, t, facts, in, &o);
	cr_assert_eq(o.rc, PST_OK, "%s", o.err.msg);
	cr_expect_str_eq(pst_buf_cstr(&o.text), want);
	done(&o);
}

static struct pst_err disk_refused(const char *disk, const char *facts, const char *in, int code)
{
	struct outcome o;
	judge(disk, &none, facts, in, &o);
	cr_assert_eq(o.rc, code, "%s", pst_buf_cstr(&o.text));
	done(&o);
	return o.err;
}

#define WRITE "\"disk\":{\"writeBps\":\"10Mi\"}"
#define BLOCKIO(list, entries) "{\"linux\":{\"resources\":{\"blockIO\":{\"" list "\":[" entries "]}}}}"
#define ENTRY(device, rate) "{" device ",\"rate\":" rate "}"
#define VDA "\"major\":254,\"minor\":0"

Test(limitsdisk, every_device_gets_every_rate)
{
	disk_becomes(WRITE, &none, ONE, "{}", BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "10485760")));
	disk_becomes("\"disk\":{\"readBps\":5000,\"writeBps\":6000,\"readIops\":7,\"writeIops\":8}", &none, ONE,
		"{}",
		"{\"linux\":{\"resources\":{\"blockIO\":{"
		"\"throttleReadBpsDevice\":[" ENTRY(VDA, "5000") "],"
		"\"throttleWriteBpsDevice\":[" ENTRY(VDA, "6000") "],"
		"\"throttleReadIOPSDevice\":[" ENTRY(VDA, "7") "],"
		"\"throttleWriteIOPSDevice\":[" ENTRY(VDA, "8") "]}}}}");
	disk_becomes(WRITE, &none,
		MACHINE("2", "true", PLACE("/root/path", "btrfs", "", "[7,0],[254,0]") ","
			PLACE("/mounts/7", "ext4", "", "[254,0],[7,1]")),
		"{}",
		BLOCKIO("throttleWriteBpsDevice",
			ENTRY("\"major\":7,\"minor\":0", "10485760") "," ENTRY(VDA, "10485760") ","
			ENTRY("\"major\":7,\"minor\":1", "10485760")));
	disk_becomes("", &none, ONE, "{\"linux\":{}}", "{\"linux\":{}}");
}

Test(limitsdisk, what_the_caller_set_is_lowered_and_never_raised)
{
	disk_becomes(WRITE, &none, ONE, BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "5000")),
		BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "5000")));
	disk_becomes(WRITE, &none, ONE,
		BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "5000") "," ENTRY(VDA, "18446744073709551615")),
		BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "5000") "," ENTRY(VDA, "10485760")));
	disk_becomes(WRITE, &none, ONE, BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "0")),
		BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "10485760")));
	/* Of another device: a limit more than ours, left alone. */
	disk_becomes(WRITE, &none, ONE,
		BLOCKIO("throttleWriteBpsDevice", ENTRY("\"major\":8,\"minor\":0", "99999999999")),
		BLOCKIO("throttleWriteBpsDevice",
			ENTRY("\"major\":8,\"minor\":0", "99999999999") "," ENTRY(VDA, "10485760")));
	struct pst_err e = disk_refused("\"above\":\"refuse\"," WRITE, ONE,
				   BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "10485761")), PST_E_POLICY);
	cr_expect_str_eq(e.rule, "p.json /limits/disk/writeBps");
	cr_expect_str_eq(e.pointer, "/linux/resources/blockIO/throttleWriteBpsDevice/0/rate");
}

Test(limitsdisk, a_workload_tightens)
{
	const struct pst_tighten t = {.has_disk[PST_DISK_WRITE_BPS] = true,
				      .disk[PST_DISK_WRITE_BPS] = 4096};
	disk_becomes(WRITE, &t, ONE, "{}", BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "4096")));
	disk_becomes("", &t, ONE, "{}", BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "4096")));
	disk_becomes("", &t, ONE, BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "8192")),
		BLOCKIO("throttleWriteBpsDevice", ENTRY(VDA, "4096")));
}

Test(limitsdisk, what_cannot_be_limited_is_said)
{
	struct outcome o;
	judge(WRITE, &none,
	      MACHINE("1", "true", PLACE("/root/path", "ext4", "", "[254,0]") ","
		      PLACE("/mounts/3", "tmpfs", "tmpfs is memory, no disk", "")),
	      "{}", &o);
	cr_assert_eq(o.rc, PST_OK);
	cr_assert_eq(o.notes.n, 2);
	cr_expect_str_eq(o.notes.v[0].source, "fact: cgroup version 1");
	cr_expect(strstr(o.notes.v[0].text, "page cache") != NULL);
	cr_expect_str_eq(o.notes.v[1].pointer, "/mounts/3");
	cr_expect_str_eq(o.notes.v[1].text, "no disk rate holds for /x: tmpfs is memory, no disk");
	done(&o);
	/* Version 2 throttles buffered writes, and reads are throttled on both. */
	judge(WRITE, &none, MACHINE("2", "true", PLACE("/root/path", "ext4", "", "[254,0]")), "{}", &o);
	cr_expect_eq(o.notes.n, 0);
	done(&o);
	judge(WRITE, &none, MACHINE("2", "true", ""),
	      "{\"linux\":{\"devices\":[{\"type\":\"c\",\"path\":\"/dev/null\"},"
	      "{\"type\":\"b\",\"path\":\"/dev/sda\"}]}}",
	      &o);
	cr_assert_eq(o.notes.n, 1);
	cr_expect_str_eq(o.notes.v[0].pointer, "/linux/devices/1");
	done(&o);
	judge("\"disk\":{\"readIops\":5}", &none, ONE, "{}", &o);
	cr_expect_eq(o.notes.n, 0);
	done(&o);
}

Test(limitsdisk, what_would_undo_it_is_refused)
{
	struct pst_err e = disk_refused(WRITE, ONE,
				   "{\"linux\":{\"resources\":{\"unified\":{\"io.max\":\"254:0 wbps=max\"}}}}",
				   PST_E_POLICY);
	cr_expect_str_eq(e.pointer, "/linux/resources/unified/io.max");
	cr_expect_str_eq(e.rule, "p.json /limits/disk/writeBps");
	e = disk_refused(WRITE, MACHINE("1", "false", ""), "{}", PST_E_POLICY);
	cr_expect(strstr(e.msg, "cannot be limited on this node") != NULL, "%s", e.msg);
	disk_refused(WRITE, ONE, "{\"linux\":{\"resources\":{\"blockIO\":{\"throttleWriteBpsDevice\":5}}}}",
		PST_E_SPEC);
	disk_refused(WRITE, ONE, BLOCKIO("throttleWriteBpsDevice", "{" VDA "}"), PST_E_SPEC);
	disk_refused(WRITE, "{\"bundle\":{\"disks\":[{}]}}", "{}", PST_E_SPEC);
}

Test(limitsdisk, an_update_is_held_to_it_on_every_device)
{
	static const char in[] = "{\"blockIO\":{\"throttleWriteBpsDevice\":["
		ENTRY("\"major\":1,\"minor\":2", "0") "," ENTRY(VDA, "7000") "]}}";
	struct pst_policy p = policy(WRITE);
	pst_auto_json *tree = parse(in);
	pst_auto_edits e = {0};
	pst_auto_buf out = {0};
	cr_assert_eq(pst_limits_update(tree, &p, &none, &e, NULL), PST_OK);
	cr_assert_eq(pst_edits_apply(&e, tree, NULL), PST_OK);
	cr_assert_eq(pst_json_dump(tree, PST_JSON_COMPACT, &out, NULL), PST_OK);
	cr_expect_str_eq(pst_buf_cstr(&out), "{\"blockIO\":{\"throttleWriteBpsDevice\":["
			 ENTRY("\"major\":1,\"minor\":2", "10485760") "," ENTRY(VDA, "7000") "]}}");
	pst_auto_json *sly = parse("{\"unified\":{\"io.max\":\"254:0 wbps=max\"}}");
	struct pst_err err = {0};
	cr_expect_eq(pst_limits_update(sly, &p, &none, &e, &err), PST_E_POLICY);
	pst_policy_done(&p);
}
