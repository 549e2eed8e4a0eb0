#ifndef TSPROF_SYMBOL_FUNCTION_SYMBOLS_H
#define TSPROF_SYMBOL_FUNCTION_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"

/*
 * Where the functions of a file begin and end by its own .symtab and .dynsym, without their
 * names: for reading code that has no call frame information.  Parts of functions that lie
 * elsewhere ("f.cold") are left out, as they begin with no call.
 */
struct function_range {
	uint64_t start;
	uint64_t size_bytes;
};

struct function_symbols {
	struct function_range *ranges; /* sorted by start */
	size_t n_ranges;
	size_t capacity;
	bool is_loaded;
};

/* Only lack of memory fails, with -ENOMEM; what was read until then can be found. */
int function_symbols_load(struct function_symbols *symbols, const struct elf_image *image);
void function_symbols_release(struct function_symbols *symbols);

/* The function whose symbol reaches over the vaddr. */
bool function_symbols_find(const struct function_symbols *symbols, uint64_t vaddr,
			   struct function_range *ret_range);

#endif
