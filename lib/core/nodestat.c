#include "core/nodestat.h"

#include <stdlib.h>
#include <string.h>

void pst_nodestat_done(struct pst_nodestat *s)
{
	for (size_t i = 0; i < s->n; i++) {
		struct pst_ctrstat *c = &s->v[i];
		free(c->id);
		free(c->root);
		for (size_t k = 0; k < PST_POD_NAMES; k++)
			free(c->names[k]);
		free(c->profile);
		free(c->counts);
	}
	free(s->v);
	*s = (struct pst_nodestat){0};
}

void pst_nodestat_since(struct pst_nodestat *now, const struct pst_nodestat *before)
{
	now->apart_us = now->at_us > before->at_us ? now->at_us - before->at_us : 0;
	for (size_t i = 0; i < now->n; i++)
		for (size_t k = 0; k < before->n; k++) {
			struct pst_ctrstat *c = &now->v[i];
			const struct pst_ctrstat *old = &before->v[k];
			if (strcmp(c->key, old->key) == 0 && c->num.cpu_us != PST_CGNUM_NONE &&
			    old->num.cpu_us != PST_CGNUM_NONE && c->num.cpu_us >= old->num.cpu_us)
				c->busy_us = c->num.cpu_us - old->num.cpu_us;
		}
}

uint64_t pst_cgnum_millicores(const struct pst_cgnum *n)
{
	return n->quota_us == PST_CGNUM_NONE || n->period_us == PST_CGNUM_NONE || n->period_us == 0
		       ? PST_CGNUM_NONE
		       : n->quota_us * 1000 / n->period_us;
}
