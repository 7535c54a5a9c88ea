#include "core/sctable.h"

#include <string.h>

#include "sctable_data.h"

#define NCALLS PST_NELEM(table)

const struct pst_sc *pst_sctable_name(const char *name)
{
	size_t lo = 0;
	size_t hi = NCALLS;
	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;
		const int c = strcmp(name, table[mid].name);
		if (c == 0)
			return &table[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

/* slot -> place in the table + 1; built once at load so that it needs no lock */
static uint16_t place[PST_SC_SLOTS];

__attribute__((constructor)) static void index_slots(void)
{
	for (size_t i = 0; i < NCALLS; i++)
		place[table[i].slot] = (uint16_t)(i + 1);
}

const struct pst_sc *pst_sctable_slot(unsigned slot)
{
	return slot < PST_SC_SLOTS && place[slot] != 0 ? &table[place[slot] - 1] : NULL;
}

const struct pst_sc *pst_sctable_at(size_t i)
{
	return i < NCALLS ? &table[i] : NULL;
}
