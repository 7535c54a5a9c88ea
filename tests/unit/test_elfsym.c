#include <criterion/criterion.h>
#include <dlfcn.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/elfsym.h"

/* Our own memory: what a C library of today looks like, mapped by its dynamic linker. */
static bool read_own(void *ctx, uint64_t at, void *buf, size_t n)
{
	(void)ctx;
	memcpy(buf, (const void *)(uintptr_t)at, n);
	return true;
}

Test(elfsym, finds_functions_of_the_c_library)
{
	static const char *const names[] = {"getppid", "mount", "unshare", "syscall"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		Dl_info di;
		char name[PST_ELFSYM_NAME] = "";
		uint64_t off = 99;
		const char *f = dlsym(RTLD_DEFAULT, names[i]);
		cr_assert(f != NULL && dladdr(f, &di) != 0);
		cr_expect(pst_elfsym_find(read_own, NULL, (uintptr_t)di.dli_fbase, (uintptr_t)f + 3, name, &off));
		/* more than one name may stand for one function */
		cr_expect(dlsym(RTLD_DEFAULT, name) == (const void *)f, "%s for %s", name, names[i]);
		cr_expect_eq(off, 3);
	}
}

/* An image: header, one PT_LOAD and PT_DYNAMIC, symbols, names; file and memory alike. */
struct image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	Elf64_Dyn dyn[4];
	Elf64_Sym sym[3];
	char str[96];
};

struct view {
	const struct image *im;
	uint64_t base;
	size_t reads;
};

static bool read_image(void *ctx, uint64_t at, void *buf, size_t n)
{
	struct view *v = ctx;
	v->reads++;
	if (at < v->base || at - v->base > sizeof *v->im || n > sizeof *v->im - (at - v->base))
		return false;
	memcpy(buf, (const char *)v->im + (at - v->base), n);
	return true;
}

#define BASE UINT64_C(0x7f0000000000)
#define VADDR UINT64_C(0x10000) /* the first segment's own address */

static struct image image(void)
{
	struct image im = {
		.eh = {.e_phoff = offsetof(struct image, ph), .e_phentsize = sizeof im.ph[0], .e_phnum = 2},
		.ph = {{.p_type = PT_LOAD, .p_vaddr = VADDR},
		       {.p_type = PT_DYNAMIC, .p_vaddr = VADDR + offsetof(struct image, dyn), .p_memsz = sizeof im.dyn}},
		.dyn = {{.d_tag = DT_SYMTAB, .d_un.d_ptr = VADDR + offsetof(struct image, sym)},
			{.d_tag = DT_STRTAB, .d_un.d_ptr = VADDR + offsetof(struct image, str)},
			{.d_tag = DT_STRSZ, .d_un.d_val = sizeof im.str}},
		.sym = {{0},
			{.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 5, .st_value = VADDR + 0x400,
			 .st_size = 0x20},
			{.st_name = 7, .st_info = ELF64_ST_INFO(STB_WEAK, STT_FUNC), .st_shndx = 5, .st_value = VADDR + 0x420,
			 .st_size = 0x10}},
		.str = "\0alpha\0beta",
	};
	memcpy(im.eh.e_ident, ELFMAG, SELFMAG);
	im.eh.e_ident[EI_CLASS] = ELFCLASS64;
	return im;
}

static bool find(const struct image *im, uint64_t off, char name[PST_ELFSYM_NAME], uint64_t *ret)
{
	struct view v = {.im = im, .base = BASE};
	const bool found = pst_elfsym_find(read_image, &v, BASE, BASE + off, name, ret);
	cr_expect_leq(v.reads, 16, "%zu reads", v.reads);
	return found;
}

Test(elfsym, the_symbol_is_the_one_that_holds_the_address)
{
	const struct image im = image();
	char name[PST_ELFSYM_NAME] = "-";
	uint64_t off = 7;
	cr_expect_not(find(&im, 0x3ff, name, &off));
	cr_expect(strcmp(name, "-") == 0 && off == 7, "a failure leaves both alone");
	cr_expect(find(&im, 0x400, name, &off) && strcmp(name, "alpha") == 0 && off == 0);
	cr_expect(find(&im, 0x41f, name, &off) && strcmp(name, "alpha") == 0 && off == 0x1f);
	cr_expect(find(&im, 0x42a, name, &off) && strcmp(name, "beta") == 0 && off == 10);
	cr_expect_not(find(&im, 0x430, name, &off));
}

Test(elfsym, tables_the_linker_has_moved_are_found_too)
{
	struct image im = image();
	char name[PST_ELFSYM_NAME];
	uint64_t off;
	for (size_t i = 0; i < 2; i++)
		im.dyn[i].d_un.d_ptr += BASE - VADDR;
	cr_expect(find(&im, 0x401, name, &off) && strcmp(name, "alpha") == 0);
}

static void spoil_name(struct image *im)
{
	im->str[2] = '\n';
}

static void spoil_long_name(struct image *im)
{
	memset(im->str + 1, 'a', sizeof im->str - 1);
}

static void spoil_name_index(struct image *im)
{
	im->sym[1].st_name = UINT32_MAX;
}

static void spoil_names_place(struct image *im)
{
	im->dyn[1].d_un.d_ptr = UINT64_MAX;
}

static void spoil_symbols_place(struct image *im)
{
	im->dyn[0].d_un.d_ptr = 1;
}

static void spoil_headers_place(struct image *im)
{
	im->eh.e_phoff = UINT64_MAX - 3;
}

static void spoil_class(struct image *im)
{
	im->eh.e_ident[EI_CLASS] = ELFCLASS32;
}

static void spoil_size(struct image *im)
{
	im->ph[1].p_memsz = UINT64_MAX;
}

static void spoil_kind(struct image *im)
{
	im->sym[1].st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC);
}

Test(elfsym, what_is_no_table_has_no_symbols)
{
	static void (*const spoil[])(struct image *) = {
		spoil_name, spoil_long_name, spoil_name_index, spoil_names_place, spoil_symbols_place,
		spoil_headers_place, spoil_class, spoil_size, spoil_kind,
	};
	for (size_t i = 0; i < sizeof spoil / sizeof spoil[0]; i++) {
		struct image im = image();
		char name[PST_ELFSYM_NAME];
		uint64_t off;
		spoil[i](&im);
		cr_expect_not(find(&im, 0x401, name, &off), "%zu", i);
	}
}

/* Memory without an end that looks like functions with names that are none. */
static bool read_hostile(void *ctx, uint64_t at, void *buf, size_t n)
{
	size_t *reads = ctx;
	const struct image im = image();
	++*reads;
	if (at >= BASE && at - BASE < offsetof(struct image, sym) && n <= offsetof(struct image, sym)) {
		struct image whole = im;
		whole.dyn[1].d_un.d_ptr = UINT64_MAX / 2; /* the names, far behind the symbols */
		whole.dyn[2].d_un.d_val = UINT64_MAX;
		memcpy(buf, (const char *)&whole + (at - BASE), n);
		return true;
	}
	memset(buf, 0, n);
	for (size_t i = 0; n % sizeof im.sym[0] == 0 && i < n / sizeof im.sym[0]; i++) {
		const Elf64_Sym s = {.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1,
				     .st_value = *reads % 2 == 0 ? 0 : UINT64_MAX, .st_size = UINT64_MAX};
		memcpy((char *)buf + i * sizeof s, &s, sizeof s);
	}
	return true;
}

Test(elfsym, a_table_without_an_end_is_left_soon)
{
	size_t reads = 0;
	char name[PST_ELFSYM_NAME];
	uint64_t off;
	cr_expect_not(pst_elfsym_find(read_hostile, &reads, BASE, BASE + 0x401, name, &off));
	cr_expect_leq(reads, 3 + PST_ELFSYM_MAX / 128 + PST_ELFSYM_TRIES, "%zu reads", reads);
}
