#include "core/netstate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/json.h"

static const struct pst_json_limits limits = {.bytes = (size_t)1 << 20, .depth = 4};
static const char *const by_words[] = {"nobody", "ours", "theirs"};

void pst_netstate_done(struct pst_netstate *s)
{
	free(s->holder);
	*s = (struct pst_netstate){0};
}

static size_t find(const struct pst_netstate *s, const char *key)
{
	size_t i = 0;
	while (i < s->nholder && !pst_streq(s->holder[i].key, key))
		i++;
	return i;
}

int pst_netstate_hold(struct pst_netstate *s, const char *key, struct pst_netrates want,
		      struct pst_err *err)
{
	const size_t at = find(s, key);
	if (at == PST_NET_HOLDERS_MAX)
		return pst_fail(err, PST_E_EXHAUSTED, "", "the link %s has %zu containers already",
				s->name, at);
	if (at == s->nholder) {
		struct pst_netholder *v = reallocarray(s->holder, at + 1, sizeof *v);
		if (v == NULL)
			return pst_fail_nomem(err);
		s->holder = v;
		s->nholder++;
	}
	s->holder[at] = (struct pst_netholder){.want = want};
	snprintf(s->holder[at].key, sizeof s->holder[at].key, "%s", key);
	return PST_OK;
}

void pst_netstate_drop(struct pst_netstate *s, const char *key)
{
	const size_t at = find(s, key);
	if (at == s->nholder)
		return;
	s->nholder--;
	memmove(&s->holder[at], &s->holder[at + 1], (s->nholder - at) * sizeof *s->holder);
}

uint64_t pst_netstate_bits(const struct pst_netstate *s, enum pst_net_dir d)
{
	uint64_t least = 0;
	for (size_t i = 0; i < s->nholder; i++) {
		const uint64_t v = s->holder[i].want.bits[d];
		if (v != 0 && (least == 0 || v < least))
			least = v;
	}
	return least;
}

static void print_shape(const struct pst_netshape *w, struct pst_buf *out)
{
	pst_buf_fmt(out, "{\"by\":\"%s\",\"link\":%u,\"handle\":%u,\"rate\":%llu,\"options\":\"",
		    by_words[w->by], w->link, w->handle, (unsigned long long)w->rate);
	for (size_t i = 0; i < w->noptions; i++)
		pst_buf_fmt(out, "%02x", w->options[i]);
	pst_buf_str(out, "\"}");
}

int pst_netstate_print(const struct pst_netstate *s, struct pst_buf *out, struct pst_err *err)
{
	pst_auto_json *name = json_string(s->name);
	pst_buf_fmt(out, "{\"version\":1,\"link\":%u,\"mtu\":%u,\"name\":", s->link, s->mtu);
	const int rc = pst_json_dump(name, PST_JSON_COMPACT, out, err);
	if (rc != PST_OK)
		return rc;
	for (int d = 0; d < PST_NET_DIRS; d++) {
		pst_buf_fmt(out, ",\"%s\":", pst_net_dir_word((enum pst_net_dir)d));
		print_shape(&s->shape[d], out);
	}
	pst_buf_str(out, ",\"holders\":[");
	for (size_t i = 0; i < s->nholder; i++)
		pst_buf_fmt(out, "%s{\"key\":\"%s\",\"egress\":%llu,\"ingress\":%llu}", i == 0 ? "" : ",",
			    s->holder[i].key, (unsigned long long)s->holder[i].want.bits[PST_NET_EGRESS],
			    (unsigned long long)s->holder[i].want.bits[PST_NET_INGRESS]);
	pst_buf_str(out, "]}\n");
	return pst_buf_ok(out) ? PST_OK : pst_fail_nomem(err);
}

static bool num(const json_t *o, const char *name, uint64_t max, uint64_t *ret)
{
	return pst_json_u64(json_object_get(o, name), ret) && *ret <= max;
}

static bool num32(const json_t *o, const char *name, uint32_t *ret)
{
	uint64_t v = 0;
	const bool ok = num(o, name, UINT32_MAX, &v);
	*ret = (uint32_t)v;
	return ok;
}

static bool hex(const char *s, struct pst_netshape *w)
{
	if (s == NULL || strlen(s) % 2 != 0 || strlen(s) / 2 > sizeof w->options ||
	    strspn(s, "0123456789abcdef") != strlen(s))
		return false;
	w->noptions = strlen(s) / 2;
	for (size_t i = 0; i < w->noptions; i++) {
		const char two[3] = {s[2 * i], s[2 * i + 1], '\0'};
		w->options[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return true;
}

static bool read_shape(const json_t *o, struct pst_netshape *w)
{
	const char *by = pst_json_str(json_object_get(o, "by"));
	for (size_t i = 0; i < PST_NELEM(by_words); i++)
		if (pst_streq(by, by_words[i])) {
			w->by = (enum pst_net_by)i;
			return num32(o, "link", &w->link) && num32(o, "handle", &w->handle) &&
			       num(o, "rate", UINT64_MAX, &w->rate) &&
			       hex(pst_json_str(json_object_get(o, "options")), w);
		}
	return false;
}

static bool read_holder(const json_t *o, struct pst_netstate *s)
{
	struct pst_netrates want = {0};
	const char *key = pst_json_str(json_object_get(o, "key"));
	return key != NULL && pst_ctrid_is_key(key) &&
	       num(o, "egress", PST_NET_RATE_MAX, &want.bits[PST_NET_EGRESS]) &&
	       num(o, "ingress", PST_NET_RATE_MAX, &want.bits[PST_NET_INGRESS]) &&
	       pst_netstate_hold(s, key, want, NULL) == PST_OK;
}

static bool read_all(const json_t *j, struct pst_netstate *s)
{
	uint64_t version = 0;
	const char *name = pst_json_str(json_object_get(j, "name"));
	const json_t *holders = json_object_get(j, "holders");
	if (!num(j, "version", 1, &version) || version != 1 || name == NULL ||
	    strlen(name) >= sizeof s->name || !num32(j, "link", &s->link) ||
	    !num32(j, "mtu", &s->mtu) || !json_is_array(holders))
		return false;
	snprintf(s->name, sizeof s->name, "%s", name);
	for (int d = 0; d < PST_NET_DIRS; d++)
		if (!read_shape(json_object_get(j, pst_net_dir_word((enum pst_net_dir)d)), &s->shape[d]))
			return false;
	for (size_t i = 0; i < json_array_size(holders); i++)
		if (!read_holder(json_array_get(holders, i), s))
			return false;
	return true;
}

int pst_netstate_parse(const char *text, size_t len, uint32_t link, struct pst_netstate *ret,
		       struct pst_err *err)
{
	pst_auto_json *j = NULL;
	pst_auto_netstate s = {0};
	const int rc = pst_json_parse(text, len, "", &limits, &j, err);
	if (rc == PST_E_NOMEM)
		return rc;
	if (rc != PST_OK || !read_all(j, &s) || s.link != link) {
		pst_fail(err, PST_E_STATE, "", "the record of the limited link %u is not one of ours", link);
		return pst_err_cure(err, "see who wrote it and remove it");
	}
	*ret = s;
	s = (struct pst_netstate){0};
	return PST_OK;
}
