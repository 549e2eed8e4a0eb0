#ifndef TSPROF_UNWIND_CFI_TABLES_H
#define TSPROF_UNWIND_CFI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"
#include "symbol/symbol_table.h"
#include "unwind/cfi_entry.h"
#include "unwind/cfi_rows.h"

/*
 * From a vaddr of one module to its FDE.  .eh_frame_hdr is searched where it is;
 * a section without such a table (.debug_frame always) is indexed in one pass
 * when it is first needed.  Where .eh_frame knows nothing .debug_frame is asked.
 *
 * Borrows the image.  Must not move.  Not thread-safe: finding may build an index.
 */
struct cfi_index {
	struct cfi_index_item {
		uint64_t start;	 /* first vaddr of the FDE */
		uint64_t offset; /* of the FDE in its section */
	} * items;		 /* sorted by start */
	size_t n_items;
	size_t capacity;
	bool is_built;
};

/*
 * A few KiB of marks in a linker's table of some hundred, made when it is searched
 * over and over: a binary search of the table itself would miss the cache at
 * most of its steps.
 */
enum { CFI_MARK_EVERY = 16 };

struct cfi_marks {
	int32_t *starts; /* of every CFI_MARK_EVERY'th item, as in the table; NULL: not made */
	size_t n_starts;
	uint32_t n_searches;
};

struct cfi_tables {
	struct cfi_section eh_frame;
	struct cfi_section debug_frame;
	struct cfi_index eh_index; /* only when there is no usable header table */
	struct cfi_index debug_index;
	const uint8_t *header_items; /* NULL when there is none */
	size_t n_header_items;
	uint64_t header_vaddr;
	const uint8_t *header_bytes;
	uint8_t header_encoding;
	struct cfi_marks marks;
	enum arch arch;
	struct cfi_cies cies[2]; /* of .eh_frame and of .debug_frame */
	struct cfi_row initials[2][CFI_CIES_KEPT];
	struct symbol_table symbols; /* loaded where code without information is read */
	bool has_symbols;
};

/* Reads only headers; cannot fail: a module without tables just finds nothing. */
void cfi_tables_init(struct cfi_tables *tables, const struct elf_image *image);
void cfi_tables_release(struct cfi_tables *tables);

/*
 * The FDE that covers `vaddr`.  Returns 0, -ENOENT when there is none, or
 * -ENOMEM.  `ret_fde` borrows from the tables, until the next search, and from the image.
 */
int cfi_tables_find(struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde);

#endif
