#include "proto/ttrpc.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SPACE 512

static void put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void pst_ttrpc_emit(const struct pst_ttrpc_header *h, uint8_t out[PST_TTRPC_HEADER])
{
	put32(out, h->length);
	put32(out + 4, h->stream);
	out[8] = h->type;
	out[9] = h->flags;
}

void pst_ttrpc_parse(const uint8_t in[PST_TTRPC_HEADER], struct pst_ttrpc_header *ret)
{
	ret->length = get32(in);
	ret->stream = get32(in + 4);
	ret->type = in[8];
	ret->flags = in[9];
}

/* Room for `len` more bytes of the body, never more than the frame has. */
static bool room(struct pst_ttrpc_reader *r, size_t len)
{
	if (r->nbody + len <= r->space)
		return true;
	size_t space = r->space == 0 ? FIRST_SPACE : r->space * 2;
	while (space < r->nbody + len)
		space *= 2;
	if (space > r->h.length)
		space = r->h.length;
	uint8_t *b = realloc(r->body, space);
	if (b == NULL)
		return false;
	r->body = b;
	r->space = space;
	return true;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

enum pst_ttrpc_got pst_ttrpc_take(struct pst_ttrpc_reader *r, const uint8_t *in, size_t len,
				  size_t *used)
{
	size_t at = least(r->skip, len);
	r->skip -= at;
	if (r->nhead < PST_TTRPC_HEADER) {
		const size_t n = least(PST_TTRPC_HEADER - r->nhead, len - at);
		memcpy(r->head + r->nhead, in + at, n);
		r->nhead += n;
		at += n;
		*used = at;
		if (r->nhead < PST_TTRPC_HEADER)
			return PST_TTRPC_MORE;
		pst_ttrpc_parse(r->head, &r->h);
		if (r->h.length > PST_TTRPC_MAX) {
			r->skip = r->h.length;
			return PST_TTRPC_TOOBIG;
		}
	}
	const size_t n = least(r->h.length - r->nbody, len - at);
	if (n > 0) {
		if (!room(r, n))
			return PST_TTRPC_NOMEM;
		memcpy(r->body + r->nbody, in + at, n);
		r->nbody += n;
	}
	*used = at + n;
	return r->nbody == r->h.length ? PST_TTRPC_FRAME : PST_TTRPC_MORE;
}

void pst_ttrpc_next(struct pst_ttrpc_reader *r)
{
	free(r->body);
	r->body = NULL;
	r->nbody = r->space = r->nhead = 0;
}

void pst_ttrpc_done(struct pst_ttrpc_reader *r)
{
	pst_ttrpc_next(r);
	r->skip = 0;
}
