/* A file as it is mapped, of a container: the symbol at an address. */
#include "core/elfsym.h"
#include "target.h"

#define BASE UINT64_C(0x5000000)

struct file {
	const uint8_t *data;
	size_t size, reads;
};

static bool read_file(void *ctx, uint64_t at, void *buf, size_t n)
{
	struct file *f = ctx;
	f->reads++;
	if (at < BASE || at - BASE > f->size || n > f->size - (at - BASE))
		return false;
	memcpy(buf, f->data + (at - BASE), n);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (uint64_t ip = 0; ip < size + 16; ip += 1 + size / 32) {
		struct file f = {.data = data, .size = size};
		char name[PST_ELFSYM_NAME] = "";
		uint64_t off = 0;
		if (pst_elfsym_find(read_file, &f, BASE, BASE + ip, name, &off))
			PST_HOLDS(name[0] != '\0' && memchr(name, '\0', sizeof name) != NULL && off <= size + 16);
		PST_HOLDS(f.reads <= 3 + PST_ELFSYM_MAX / 128 + PST_ELFSYM_TRIES);
	}
	return 0;
}
