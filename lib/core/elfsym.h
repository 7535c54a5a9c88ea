/*
 * core/elfsym.h - the symbol of an address, from an ELF file's image in memory. Pure.
 *
 * What is read is the dynamic symbol table as the kernel and the dynamic linker mapped it
 * (elf(5): PT_DYNAMIC, DT_SYMTAB, DT_STRTAB), through a function of the caller's. Nothing in
 * it is trusted: every count and every address may be any number, and what is read at all
 * is bounded by the constants below.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define PST_ELFSYM_NAME 48     /* bytes of a name, its NUL included; a longer one is none */
#define PST_ELFSYM_MAX 16384   /* symbols looked at, 384 KiB; the C library has 3,000 */
#define PST_ELFSYM_TRIES 4     /* of them with the address inside and a name that is none */

/* Read `n` bytes at address `at`, all of them. */
typedef bool pst_elfsym_read(void *ctx, uint64_t at, void *buf, size_t n);

/*
 * The function that holds address `ip` of the file whose first byte is mapped at `base`.
 * name  filled; only letters, digits, _ . $ @, so that it can be printed
 * ret   offset of ip in the function
 * False when there is none, and for whatever is no such table.
 */
PST_CHECKED PST_NONNULL(1, 5, 6)
bool pst_elfsym_find(pst_elfsym_read *read, void *ctx, uint64_t base, uint64_t ip,
		     char name[PST_ELFSYM_NAME], uint64_t *ret);
