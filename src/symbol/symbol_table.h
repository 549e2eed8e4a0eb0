#ifndef TSPROF_SYMBOL_SYMBOL_TABLE_H
#define TSPROF_SYMBOL_SYMBOL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"

/*
 * The functions of one module by vaddr, from .symtab, .dynsym and the .symtab
 * in .gnu_debugdata, and the PLT's entries by their relocations ("qsort@plt").
 * Of several names for one address a typed symbol beats an untyped one, global
 * beats weak beats local, and fewer leading underscores win.  A symbol without
 * a size reaches up to the next one, within its section.
 */
struct symbol {
	uint64_t vaddr;
	uint64_t end;
	const char *name; /* as in the file; borrowed from the image or the table */
	uint32_t parent;  /* the nearest earlier symbol that reaches beyond this one's start */
	uint8_t rank;	  /* lower is better */
	bool has_size;
};

struct symbol_table {
	struct symbol *symbols; /* sorted by vaddr, one for each */
	size_t n_symbols;
	size_t capacity;
	struct symbol_table_block *blocks; /* names that are in no file */
	struct elf_image *debugdata;	   /* the file inside .gnu_debugdata */
};

/* Entries of a file's tables past this count are not looked at. */
#define SYMBOL_TABLE_MAX_SYMBOLS ((size_t)16 << 20)

/*
 * Read the tables of `image` and, if not NULL, of its separate debug file.  Both
 * must outlive the table.  Damaged tables yield fewer symbols; only lack of
 * memory fails, with -ENOMEM.
 */
int symbol_table_load(struct symbol_table *table, const struct elf_image *image,
		      const struct elf_image *debug);
void symbol_table_release(struct symbol_table *table);

/* Borrowed; the innermost symbol that holds the vaddr, NULL when there is none. */
const struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t vaddr);

/*
 * For loading: append one symbol, to be sorted later.  `end` is `vaddr` when the
 * size is not known, and then `limit` is where its section ends.
 */
int symbol_table_add(struct symbol_table *table, const struct symbol *symbol);

/* Make the symbols appended so far findable. */
void symbol_table_sort(struct symbol_table *table);

/* A copy of "name" + "suffix" that lives as long as the table; NULL without memory. */
const char *symbol_table_keep_name(struct symbol_table *table, const char *name,
				   const char *suffix);

#endif
