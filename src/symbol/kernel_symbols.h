#ifndef TSPROF_SYMBOL_KERNEL_SYMBOLS_H
#define TSPROF_SYMBOL_KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#include "base/mapped_file.h"

/*
 * The running kernel's functions and those of its modules, from
 * /proc/kallsyms.  Where the kernel hides addresses (kernel.kptr_restrict) all
 * of them read as zero and the table is empty.
 */
struct kernel_symbols {
	struct kernel_symbol *symbols; /* sorted by address */
	size_t n_symbols;
	size_t capacity;
	struct mapped_file text;
};

/* The name is `size` bytes, not NUL-terminated, borrowed until the table is released. */
struct kernel_symbol {
	uint64_t address;
	const char *name;
	size_t name_bytes;
};

/* Text past this size and symbols past this count are not looked at. */
#define KERNEL_SYMBOLS_MAX_BYTES ((size_t)256 << 20)
#define KERNEL_SYMBOLS_MAX ((size_t)4 << 20)

/* A missing or unreadable file is an empty table; only lack of memory fails, with -ENOMEM. */
int kernel_symbols_load(struct kernel_symbols *symbols, const char *path);
void kernel_symbols_release(struct kernel_symbols *symbols);

/* Borrowed; NULL when no function begins within 1 MiB before the address. */
const struct kernel_symbol *kernel_symbols_find(const struct kernel_symbols *symbols,
						uint64_t address);

#endif
