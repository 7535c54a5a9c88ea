/*
 * replay DIR - run a fuzz target over the kept inputs, no engine needed.
 *
 * Each file of DIR goes in as it is, cut short at every eighth of its length,
 * and with bytes changed at places chosen by a fixed generator: the same inputs
 * at each run. TAP: one point a file. A crash or a broken promise aborts.
 */
#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "target.h"

#define SPOILT_COPIES 64
#define SEED_MAX (1 << 20)

static uint32_t next_random(uint32_t *state) /* xorshift32: spread, not secrecy */
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* An allocation of exactly `size`, so that a sanitizer sees one byte too many. */
static void run_exact(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	PST_HOLDS(copy != NULL);
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_spoilt(uint8_t *data, size_t size)
{
	static const uint8_t nasty[] = {0,   '"', '\\', '/',  '{',  '}',  '[',  ']',  ',',
					':', '-', '9',  0x7f, 0x80, 0xc0, 0xff, '\n', ' '};
	uint32_t state = 2463534242u;
	for (int i = 0; i < SPOILT_COPIES && size > 0; i++) {
		const size_t at = next_random(&state) % size;
		const uint8_t was = data[at];
		data[at] = nasty[next_random(&state) % PST_NELEM(nasty)];
		run_exact(data, size);
		if (i % 2 == 0)
			data[at] = was; /* every other change stays: damage adds up */
	}
}

static bool replay(const char *path)
{
	FILE *f = fopen(path, "rbe");
	if (f == NULL)
		return false;
	uint8_t *data = malloc(SEED_MAX);
	PST_HOLDS(data != NULL);
	const size_t size = fread(data, 1, SEED_MAX, f);
	const bool whole = ferror(f) == 0 && feof(f) != 0;
	fclose(f);
	if (whole) {
		run_exact(data, size);
		for (size_t part = 0; part < 8; part++)
			run_exact(data, size * part / 8);
		run_spoilt(data, size);
	}
	free(data);
	return whole;
}

static int not_dot(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIR\n", argv[0]);
		return 2;
	}
	struct dirent **names;
	const int n = scandir(argv[1], &names, not_dot, alphasort);
	if (n <= 0) {
		printf("Bail out! %s holds no inputs\n", argv[1]);
		return 1;
	}
	int failed = 0;
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", argv[1], names[i]->d_name);
		const bool good = replay(path);
		failed += !good;
		printf("%sok %d - %s\n", good ? "" : "not ", i + 1, names[i]->d_name);
		fflush(stdout);
		free(names[i]);
	}
	free(names);
	return failed == 0 ? 0 : 1;
}
