#include "core/elfsym.h"

#include <elf.h>
#include <string.h>

#define PHDRS 32   /* segments looked at; the C library has 14 */
#define DYNS 96    /* entries of the dynamic section; the C library has 30 */
#define CHUNK 128  /* symbols a read, 3 KiB */

/* Addresses, as mapped. */
struct table {
	pst_elfsym_read *read;
	void *ctx;
	uint64_t bias; /* what was added to the file's own addresses */
	uint64_t dyn, dyn_size, syms, strs, strs_size;
};

/* Where the dynamic section is, and what the addresses in the file have to be shifted by. */
static bool read_segments(struct table *t, uint64_t base)
{
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHDRS];
	bool loads = false;
	if (!t->read(t->ctx, base, &eh, sizeof eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_phentsize != sizeof ph[0] || eh.e_phnum == 0)
		return false;
	const size_t n = eh.e_phnum < PHDRS ? eh.e_phnum : PHDRS;
	if (!t->read(t->ctx, base + eh.e_phoff, ph, n * sizeof ph[0]))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (ph[i].p_type == PT_LOAD && !loads) {
			t->bias = base - (ph[i].p_vaddr - ph[i].p_offset);
			loads = true;
		}
		if (ph[i].p_type == PT_DYNAMIC) {
			t->dyn = ph[i].p_vaddr;
			t->dyn_size = ph[i].p_memsz;
		}
	}
	t->dyn += t->bias;
	return loads && t->dyn_size > 0;
}

/* The dynamic linker of some C libraries has added the bias in memory already. */
static uint64_t shifted(const struct table *t, uint64_t at)
{
	return at < t->bias ? at + t->bias : at;
}

static bool read_dynamic(struct table *t)
{
	Elf64_Dyn d[DYNS];
	const uint64_t all = t->dyn_size / sizeof d[0];
	const size_t n = all < DYNS ? (size_t)all : DYNS;
	if (!t->read(t->ctx, t->dyn, d, n * sizeof d[0]))
		return false;
	for (size_t i = 0; i < n && d[i].d_tag != DT_NULL; i++) {
		if (d[i].d_tag == DT_SYMTAB)
			t->syms = shifted(t, d[i].d_un.d_ptr);
		if (d[i].d_tag == DT_STRTAB)
			t->strs = shifted(t, d[i].d_un.d_ptr);
		if (d[i].d_tag == DT_STRSZ)
			t->strs_size = d[i].d_un.d_val;
	}
	return t->syms != 0 && t->strs > t->syms;
}

static bool holds(const Elf64_Sym *s, uint64_t off)
{
	const unsigned type = ELF64_ST_TYPE(s->st_info);
	const unsigned bind = ELF64_ST_BIND(s->st_info);
	return (type == STT_FUNC || type == STT_GNU_IFUNC) && (bind == STB_GLOBAL || bind == STB_WEAK) &&
	       s->st_shndx != SHN_UNDEF && off >= s->st_value && off - s->st_value < s->st_size;
}

static bool read_name(const struct table *t, const Elf64_Sym *s, char name[PST_ELFSYM_NAME])
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.$@";
	char text[PST_ELFSYM_NAME];
	if (s->st_name >= t->strs_size)
		return false;
	const uint64_t left = t->strs_size - s->st_name;
	const size_t n = left < sizeof text ? (size_t)left : sizeof text;
	if (!t->read(t->ctx, t->strs + s->st_name, text, n))
		return false;
	const size_t len = strnlen(text, n);
	if (len == 0 || len == n || strspn(text, good) != len)
		return false;
	memcpy(name, text, len + 1);
	return true;
}

bool pst_elfsym_find(pst_elfsym_read *read, void *ctx, uint64_t base, uint64_t ip,
		     char name[PST_ELFSYM_NAME], uint64_t *ret)
{
	struct table t = {.read = read, .ctx = ctx};
	Elf64_Sym s[CHUNK];
	unsigned tries = 0;
	if (!read_segments(&t, base) || !read_dynamic(&t))
		return false;
	/* Linkers put the names behind the symbols, which say nowhere how many they are; what
	 * stands between them with some is no symbol that could hold the address. */
	uint64_t left = (t.strs - t.syms) / sizeof s[0];
	if (left > PST_ELFSYM_MAX)
		left = PST_ELFSYM_MAX;
	for (uint64_t at = t.syms; left > 0;) {
		const size_t n = left < CHUNK ? (size_t)left : CHUNK;
		if (!read(ctx, at, s, n * sizeof s[0]))
			return false;
		for (size_t i = 0; i < n; i++) {
			if (!holds(&s[i], ip - t.bias))
				continue;
			if (read_name(&t, &s[i], name)) {
				*ret = ip - t.bias - s[i].st_value;
				return true;
			}
			if (++tries == PST_ELFSYM_TRIES)
				return false;
		}
		at += n * sizeof s[0];
		left -= n;
	}
	return false;
}
