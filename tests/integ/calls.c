/*
 * calls NR COUNT THREADS [ARG...]: make one system call COUNT times in each of THREADS
 * threads, and print how it ended: "ERRNO COUNT" a line ("0" is success), then
 * "median NANOSECONDS" of the first thread. With COUNT 0 until it is killed.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long nr, count, args[6];
static atomic_ulong ends[4096];
static uint32_t *took;

static uint64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void *work(void *first)
{
	for (long i = 0; count == 0 || i < count; i++) {
		const uint64_t from = now();
		const long r = syscall((int)nr, args[0], args[1], args[2], args[3], args[4], args[5]);
		if (first != NULL && took != NULL)
			took[i] = (uint32_t)(now() - from);
		atomic_fetch_add(&ends[r < 0 ? errno & 4095 : 0], 1);
	}
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	pthread_t t[64];
	if (argc < 4 || argc > 10)
		return 2;
	nr = strtol(argv[1], NULL, 0);
	count = strtol(argv[2], NULL, 0);
	const long threads = strtol(argv[3], NULL, 0);
	for (int i = 4; i < argc; i++)
		args[i - 4] = strtol(argv[i], NULL, 0);
	if (threads < 1 || threads > 64)
		return 2;
	if (count > 0)
		took = calloc((size_t)count, sizeof *took);
	for (long i = 1; i < threads; i++)
		if (pthread_create(&t[i], NULL, work, NULL) != 0)
			return 3;
	(void)work(&t);
	for (long i = 1; i < threads; i++)
		(void)pthread_join(t[i], NULL);
	for (int e = 0; e < 4096; e++)
		if (ends[e] > 0)
			printf("%s %lu\n", e == 0 ? "0" : strerrorname_np(e), ends[e]);
	if (took != NULL) {
		qsort(took, (size_t)count, sizeof *took, compare);
		printf("median %u\n", took[count / 2]);
	}
	return 0;
}
