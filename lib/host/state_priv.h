/*
 * host/state_priv.h - shared by state*.c: the form of record.json.
 */
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "host/state.h"

#define PST_RECORD_NAME "record.json"

/* Record to JSON text and back. parse: PST_E_STATE for anything else. */
PST_CHECKED int pst_record_print(const struct pst_record *r, struct pst_buf *out,
				 struct pst_err *err);
PST_CHECKED int pst_record_parse(const char *text, size_t len, struct pst_record *out,
				 struct pst_err *err);
