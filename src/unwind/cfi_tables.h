#ifndef TSPROF_UNWIND_CFI_TABLES_H
#define TSPROF_UNWIND_CFI_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"
#include "unwind/cfi_entry.h"

/*
 * From a vaddr of one module to its FDE.  .eh_frame_hdr is searched where it is;
 * a section without such a table (.debug_frame always) is indexed in one pass
 * when it is first needed.  Where .eh_frame knows nothing .debug_frame is asked.
 *
 * Borrows the image.  Not thread-safe: finding may build an index.
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
};

/* Reads only headers; cannot fail: a module without tables just finds nothing. */
void cfi_tables_init(struct cfi_tables *tables, const struct elf_image *image);
void cfi_tables_release(struct cfi_tables *tables);

/*
 * The FDE that covers `vaddr`.  Returns 0, -ENOENT when there is none, or
 * -ENOMEM.  `ret_fde` borrows from the tables and the image.
 */
int cfi_tables_find(struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde);

#endif
