#include "chance.h"

static uint64_t s = 1;

void chance_seed(uint64_t seed)
{
	s = seed * 2654435761u + 88172645463325252u;
}

uint64_t chance_next(void)
{
	s ^= s >> 12;
	s ^= s << 25;
	s ^= s >> 27;
	return s * 2685821657736338717u;
}

unsigned chance_below(unsigned n)
{
	return (unsigned)((chance_next() >> 33) % n);
}

bool chance_one_in(unsigned n)
{
	return chance_below(n) == 0;
}
