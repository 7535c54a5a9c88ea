/* tests/props/chance.h - repeatable random choices (xorshift64*, seed printed on failure). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void chance_seed(uint64_t seed);
uint64_t chance_next(void);
/* 0..n-1 */
unsigned chance_below(unsigned n);
/* true once in n */
bool chance_one_in(unsigned n);
