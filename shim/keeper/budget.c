/*
 * The offender pays for a storm. Our processor time flows into a bucket that leaks at
 * 1.5 % of a core and holds 50 ms; while it is full nobody is answered, so that the
 * threads that make denied calls sleep. An ordinary program never gets there: 50 ms
 * are some ten thousand answers.
 */
#include <time.h>

#include "keeper.h"

#define BURST_US 50000
#define PER_MS_US 15  /* what leaks in a millisecond */
#define NAP_MS 20     /* worth 300 us of answers */
#define EVERY 16      /* answers between two looks at the clock */

static int64_t level; /* us */
static uint64_t looked_at, cpu_before;
static unsigned since;

static uint64_t cpu_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void look(void)
{
	const uint64_t now = now_ms();
	const uint64_t cpu = cpu_us();
	if (looked_at != 0) {
		level += (int64_t)(cpu - cpu_before) - (int64_t)(now - looked_at) * PER_MS_US;
		if (level < 0)
			level = 0;
	}
	looked_at = now;
	cpu_before = cpu;
}

void budget_spent(void)
{
	if (looked_at == 0 || ++since >= EVERY) {
		since = 0;
		look();
	}
}

int budget_wait(void)
{
	if (level <= BURST_US)
		return 0;
	look();
	return level <= BURST_US ? 0 : NAP_MS;
}
