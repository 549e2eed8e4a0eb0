/* Look-up of FDEs: binary search in the linker's table, or in one of our own. */
#include "unwind/cfi_tables.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

enum {
	HEADER_VERSION = 1,
	HEADER_FIXED_BYTES = 4, /* version and three encodings */
};

static struct cfi_section section_of(const struct elf_section *section, bool is_debug_frame)
{
	return (struct cfi_section){
		.bytes = section->is_compressed ? NULL : section->bytes,
		.size_bytes = section->bytes ? section->size_bytes : 0,
		.vaddr = section->vaddr,
		.is_debug_frame = is_debug_frame,
	};
}

/* .eh_frame_hdr: LSB core, 10.6.2. */
static void tables_read_header(struct cfi_tables *tables, const struct elf_section *header)
{
	struct bytes from = bytes_of(header->bytes, header->size_bytes);
	const uint8_t version = bytes_u8(&from);
	const uint8_t frame_encoding = bytes_u8(&from);
	const uint8_t count_encoding = bytes_u8(&from);
	const uint8_t encoding = bytes_u8(&from);
	const size_t item_size = 2 * cfi_pointer_size(encoding);
	uint64_t n_items;

	if (from.is_bad || version != HEADER_VERSION || count_encoding == CFI_POINTER_OMITTED ||
	    encoding == CFI_POINTER_OMITTED || !item_size)
		return;
	if (frame_encoding != CFI_POINTER_OMITTED)
		(void)cfi_pointer(&from, frame_encoding, header->bytes, header->vaddr,
				  header->vaddr);
	n_items = cfi_pointer(&from, count_encoding, header->bytes, header->vaddr, header->vaddr);
	if (from.is_bad || n_items > bytes_left(&from) / item_size)
		return;
	tables->header_bytes = header->bytes;
	tables->header_vaddr = header->vaddr;
	tables->header_encoding = encoding;
	tables->header_items = n_items ? from.at : NULL;
	tables->n_header_items = (size_t)n_items;
}

void cfi_tables_init(struct cfi_tables *tables, const struct elf_image *image)
{
	*tables = (struct cfi_tables){
		.eh_frame = section_of(&image->eh_frame, false),
		.debug_frame = section_of(&image->debug_frame, true),
	};
	if (tables->eh_frame.bytes && image->eh_frame_hdr.bytes)
		tables_read_header(tables, &image->eh_frame_hdr);
}

void cfi_tables_release(struct cfi_tables *tables)
{
	free(tables->eh_index.items);
	free(tables->debug_index.items);
	*tables = (struct cfi_tables){ 0 };
}

static int item_compare(const void *left, const void *right)
{
	const struct cfi_index_item *a = left;
	const struct cfi_index_item *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->offset > b->offset) - (a->offset < b->offset);
}

static int index_build(struct cfi_index *index, const struct cfi_section *section)
{
	uint64_t offset = 0;

	index->is_built = true;
	for (;;) {
		struct cfi_fde fde;
		uint64_t next = section->size_bytes;
		const enum cfi_entry_kind kind = cfi_entry_parse(section, offset, &fde, &next);
		struct cfi_index_item *grown;

		if (kind == CFI_ENTRY_END || next <= offset)
			break;
		if (kind == CFI_ENTRY_FDE) {
			grown = array_grown(index->items, &index->capacity, index->n_items + 1,
					    sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			index->items = grown;
			grown[index->n_items++] = (struct cfi_index_item){ .start = fde.start,
									   .offset = offset };
		}
		offset = next;
	}
	if (index->n_items)
		qsort(index->items, index->n_items, sizeof(*index->items), item_compare);
	return 0;
}

static int section_fde(const struct cfi_section *section, uint64_t offset, uint64_t vaddr,
		       struct cfi_fde *ret_fde)
{
	struct cfi_fde fde;
	uint64_t next;

	if (cfi_entry_parse(section, offset, &fde, &next) != CFI_ENTRY_FDE)
		return -ENOENT;
	if (vaddr < fde.start || vaddr >= fde.end)
		return -ENOENT;
	*ret_fde = fde;
	return 0;
}

static int index_find(struct cfi_index *index, const struct cfi_section *section, uint64_t vaddr,
		      struct cfi_fde *ret_fde)
{
	size_t low = 0;
	size_t high;

	if (!section->bytes)
		return -ENOENT;
	if (!index->is_built && index_build(index, section) < 0)
		return -ENOMEM;
	high = index->n_items;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (index->items[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? section_fde(section, index->items[low - 1].offset, vaddr, ret_fde) : -ENOENT;
}

/* The vaddr in the header's item: its function (0) or its FDE (1). */
static uint64_t header_item(const struct cfi_tables *tables, size_t at, size_t which)
{
	const size_t size = cfi_pointer_size(tables->header_encoding);
	struct bytes from = bytes_of(tables->header_items + (at * 2 + which) * size, size);

	if (tables->header_encoding == CFI_POINTER_DATA_RELATIVE_S4)
		return tables->header_vaddr + (uint64_t)(int64_t)(int32_t)bytes_u32(&from);
	return cfi_pointer(&from, tables->header_encoding, tables->header_bytes,
			   tables->header_vaddr, tables->header_vaddr);
}

static int header_find(const struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde)
{
	size_t low = 0;
	size_t high = tables->n_header_items;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (header_item(tables, middle, 0) <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return -ENOENT;
	return section_fde(&tables->eh_frame,
			   header_item(tables, low - 1, 1) - tables->eh_frame.vaddr, vaddr,
			   ret_fde);
}

int cfi_tables_find(struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde)
{
	int r;

	if (tables->header_items)
		r = header_find(tables, vaddr, ret_fde);
	else
		r = index_find(&tables->eh_index, &tables->eh_frame, vaddr, ret_fde);
	if (r == -ENOENT)
		r = index_find(&tables->debug_index, &tables->debug_frame, vaddr, ret_fde);
	return r;
}
