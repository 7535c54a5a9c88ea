#include "core/highids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"

#define NO_ID UINT32_MAX /* (uid_t)-1, chown(2); no spec of ours holds it (spec.c) */

static int add(struct pst_highids *h, const char *pointer, uint64_t id, struct pst_err *err)
{
	size_t at = 0;
	if (id < PST_ID_BLOCK)
		return PST_OK;
	while (at < h->n && h->v[at].container < id)
		at++;
	if (at < h->n && h->v[at].container == id)
		return PST_OK;
	if (h->n == PST_HIGHIDS_MAX) {
		pst_fail(err, PST_E_SPEC, pointer, "the container has more than %d ids of %u and above",
			 PST_HIGHIDS_MAX, PST_ID_BLOCK);
		return pst_err_cure(err, "give it fewer groups of that kind, or name fewer in postern/ids");
	}
	memmove(&h->v[at + 1], &h->v[at], (h->n - at) * sizeof h->v[0]);
	h->v[at] = (struct pst_idextra){.container = (uint32_t)id, .count = 1};
	h->n++;
	return PST_OK;
}

static const char pointer[] = "/annotations/postern~1ids";

int pst_highids_name(const char *text, struct pst_highids *h, struct pst_err *err)
{
	const char *at = text;
	while (at != NULL) {
		char *end;
		const bool digit = *at >= '0' && *at <= '9';
		const unsigned long long id = strtoull(at, &end, 10);
		if (!digit || id >= NO_ID || (*end != ',' && *end != '\0')) {
			pst_fail(err, PST_E_SPEC, pointer, "annotation postern/ids: \"%.64s\" does not begin "
				 "with an id from 0 to %u", at, NO_ID - 1);
			return pst_err_cure(err, "name ids of users and groups, divided by commas");
		}
		const int rc = add(h, pointer, id, err);
		if (rc != PST_OK)
			return rc;
		at = *end == ',' ? end + 1 : NULL;
	}
	return PST_OK;
}

int pst_highids_read(const struct pst_spec *s, uint32_t second, struct pst_highids *ret,
		     struct pst_err *err)
{
	struct pst_highids h = {.n = 0};
	int rc = add(&h, "/process/user/uid", s->uid, err);
	if (rc == PST_OK)
		rc = add(&h, "/process/user/gid", s->gid, err);
	const json_t *a = pst_json_at(s->tree, "/process/user/additionalGids");
	for (size_t i = 0; rc == PST_OK && i < json_array_size(a); i++) {
		char p[64];
		uint64_t gid = 0;
		snprintf(p, sizeof p, "/process/user/additionalGids/%zu", i);
		if (pst_json_u64(json_array_get(a, i), &gid))
			rc = add(&h, p, gid, err);
	}
	if (rc == PST_OK)
		rc = pst_highids_name(pst_json_str(pst_json_at(s->tree, pointer)), &h, err);
	if (rc != PST_OK)
		return rc;
	for (size_t i = 0; i < h.n; i++)
		h.v[i].host = second + (uint32_t)i;
	*ret = h;
	return PST_OK;
}

bool pst_highids_has(const struct pst_highids *h, uint64_t id)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].container == id)
			return true;
	return false;
}

json_t *pst_highids_json(const struct pst_highids *h)
{
	json_t *a = json_array();
	for (size_t i = 0; a != NULL && i < h->n; i++)
		if (json_array_append_new(a, json_pack("{s:I, s:I}", "container",
						       (json_int_t)h->v[i].container, "host",
						       (json_int_t)h->v[i].host)) != 0) {
			json_decref(a);
			return NULL;
		}
	return a;
}

bool pst_highids_parse(const json_t *a, struct pst_highids *ret)
{
	struct pst_highids h = {.n = 0};
	if (a != NULL && (!json_is_array(a) || json_array_size(a) > PST_HIGHIDS_MAX))
		return false;
	for (; h.n < json_array_size(a); h.n++) {
		const json_t *o = json_array_get(a, h.n);
		uint64_t inside, outside;
		if (!pst_json_u64(json_object_get(o, "container"), &inside) || inside < PST_ID_BLOCK ||
		    inside >= NO_ID || !pst_json_u64(json_object_get(o, "host"), &outside) ||
		    outside < PST_ID_BLOCK || outside >= NO_ID)
			return false;
		h.v[h.n] = (struct pst_idextra){
			.container = (uint32_t)inside, .host = (uint32_t)outside, .count = 1};
	}
	*ret = h;
	return true;
}
