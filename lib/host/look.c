#include "host/look.h"

#include <errno.h>

#include "core/json.h"
#include "host/io.h"
#include "host/journal.h"

void pst_seen_done(struct pst_seen *s)
{
	pst_record_done(&s->record);
	pst_state_close(&s->state);
}

int pst_look(struct pst_ctx *ctx, const char *id, enum pst_lock lock, struct pst_seen *s,
	     struct pst_err *err)
{
	char key[33];
	struct pst_err why = {0};
	s->found = false;
	/* A bad id is nobody's container: the runtime says what is wrong with it. */
	if (ctx->sd.fd < 0 || pst_ctx_key(ctx, id, key, NULL) != PST_OK)
		return PST_OK;
	int rc = pst_state_open(&ctx->sd, key, lock, &s->state, &why);
	if (rc == PST_E_STATE && why.sys == ENOENT)
		return PST_OK;
	if (rc == PST_OK)
		rc = pst_state_read(&s->state, &s->record, &why);
	if (rc != PST_OK && err != NULL)
		*err = why;
	s->found = rc == PST_OK;
	return rc;
}

static int read_doc(const struct pst_seen *s, const char *name, json_t **ret, struct pst_err *err)
{
	pst_auto_buf text = {0};
	const int rc = pst_io_read_file(s->state.fd, name, PST_BUF_CAP / 2, &text, err);
	return rc == PST_OK ? pst_json_parse(pst_buf_cstr(&text), text.len, name, &pst_json_oci, ret, err)
			    : rc;
}

int pst_look_spec(const struct pst_seen *s, json_t **ret, struct pst_err *err)
{
	return read_doc(s, "bundle/config.json", ret, err);
}

int pst_look_plan(const struct pst_seen *s, bool filter, json_t **ret_tree, struct pst_plan *ret,
		  struct pst_err *err)
{
	pst_auto_json *j = NULL;
	pst_auto_json *spec = NULL;
	int rc = read_doc(s, "plan.json", &j, err);
	if (rc == PST_OK && filter)
		rc = pst_look_spec(s, &spec, err);
	if (rc == PST_OK)
		rc = pst_plan_recall(j, spec, ret, err);
	if (rc == PST_OK)
		*ret_tree = PST_TAKE(j);
	return rc;
}

int pst_look_verified(const struct pst_seen *s, struct pst_err *err)
{
	pst_auto_jview v = {0};
	const int rc = pst_journal_read(s->state.fd, &v, err);
	if (rc != PST_OK || pst_journal_marked(&v, "verified"))
		return rc;
	pst_fail(err, PST_E_STATE, "", "container %s was never verified: it is not started",
		 s->record.id);
	return pst_err_cure(err, "delete it and create it again");
}
