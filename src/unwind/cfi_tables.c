/* Look-up of FDEs: binary search in the linker's table, or in one of our own. */
#include "unwind/cfi_tables.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum {
	HEADER_VERSION = 1,
	HEADER_FIXED_BYTES = 4, /* version and three encodings */
	MARKED_BYTES = 8,	/* of an item in the encoding that is marked */
	SEARCHES_BEFORE_MARKS = 32,
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
		.arch = image->machine == EM_AARCH64 ? ARCH_AARCH64 : ARCH_X86_64,
	};
	if (tables->eh_frame.bytes && image->eh_frame_hdr.bytes)
		tables_read_header(tables, &image->eh_frame_hdr);
}

void cfi_tables_release(struct cfi_tables *tables)
{
	free(tables->eh_index.items);
	free(tables->debug_index.items);
	free(tables->marks.starts);
	symbol_table_release(&tables->symbols);
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

static int section_fde(struct cfi_tables *tables, const struct cfi_section *section,
		       uint64_t offset, uint64_t vaddr, struct cfi_fde *ret_fde)
{
	struct cfi_cies *cies = &tables->cies[section->is_debug_frame];
	struct cfi_fde *known;
	struct cfi_row *initial;

	if (!cfi_entry_fde(section, offset, cies, ret_fde))
		return -ENOENT;
	if (vaddr < ret_fde->start || vaddr >= ret_fde->end)
		return -ENOENT;
	if (!ret_fde->initial) {
		known = cfi_cies_slot(cies, ret_fde->cie);
		initial = &tables->initials[section->is_debug_frame][known - cies->known];
		/* A program that makes no sense is left to whoever runs it. */
		if (cfi_row_initial(ret_fde, tables->arch, initial) == 0)
			known->initial = ret_fde->initial = initial;
	}
	return 0;
}

static int index_find(struct cfi_tables *tables, struct cfi_index *index,
		      const struct cfi_section *section, uint64_t vaddr, struct cfi_fde *ret_fde)
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
	if (!low)
		return -ENOENT;
	return section_fde(tables, section, index->items[low - 1].offset, vaddr, ret_fde);
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

/* Only for the encoding that linkers use; without memory for them there are none. */
static void marks_make(struct cfi_tables *tables)
{
	const size_t n_starts = (tables->n_header_items + CFI_MARK_EVERY - 1) / CFI_MARK_EVERY;
	struct cfi_marks *marks = &tables->marks;

	if (tables->header_encoding != CFI_POINTER_DATA_RELATIVE_S4 ||
	    tables->header_vaddr > INT64_MAX)
		return;
	marks->starts = malloc(n_starts * sizeof(*marks->starts));
	if (!marks->starts)
		return;
	marks->n_starts = n_starts;
	for (size_t i = 0; i < n_starts; i++)
		memcpy(&marks->starts[i], tables->header_items + i * CFI_MARK_EVERY * MARKED_BYTES,
		       sizeof(marks->starts[i]));
}

/*
 * How many of the `n` numbers, each `stride` bytes behind the one before, are at most
 * `wanted`; they are sorted.  Without a branch on what is read: a processor guesses
 * every second one wrong.
 */
static size_t n_at_most(const uint8_t *numbers, size_t stride, size_t n, int64_t wanted)
{
	size_t first = 0;
	int32_t number;

	while (n) {
		const size_t half = (n + 1) / 2;

		memcpy(&number, numbers + (first + half - 1) * stride, sizeof(number));
		first += number <= wanted ? half : 0;
		n -= half;
	}
	return first;
}

/* The same of the functions in the header's table, by its marks. */
static size_t n_marked_items(const struct cfi_tables *tables, uint64_t vaddr)
{
	const struct cfi_marks *marks = &tables->marks;
	const int64_t wanted = (int64_t)(vaddr - tables->header_vaddr);
	const size_t n_marks = n_at_most((const uint8_t *)marks->starts, sizeof(*marks->starts),
					 marks->n_starts, wanted);
	const size_t first = n_marks ? (n_marks - 1) * CFI_MARK_EVERY : 0;
	const size_t n_left = tables->n_header_items - first;

	return first + n_at_most(tables->header_items + first * MARKED_BYTES, MARKED_BYTES,
				 n_left < CFI_MARK_EVERY ? n_left : CFI_MARK_EVERY, wanted);
}

static size_t n_items(const struct cfi_tables *tables, uint64_t vaddr)
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
	return low;
}

static int header_find(struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde)
{
	size_t n;

	if (tables->marks.n_searches < SEARCHES_BEFORE_MARKS &&
	    ++tables->marks.n_searches == SEARCHES_BEFORE_MARKS)
		marks_make(tables);
	n = tables->marks.starts ? n_marked_items(tables, vaddr) : n_items(tables, vaddr);
	if (!n)
		return -ENOENT;
	return section_fde(tables, &tables->eh_frame,
			   header_item(tables, n - 1, 1) - tables->eh_frame.vaddr, vaddr, ret_fde);
}

int cfi_tables_find(struct cfi_tables *tables, uint64_t vaddr, struct cfi_fde *ret_fde)
{
	int r;

	if (tables->header_items)
		r = header_find(tables, vaddr, ret_fde);
	else
		r = index_find(tables, &tables->eh_index, &tables->eh_frame, vaddr, ret_fde);
	if (r == -ENOENT)
		r = index_find(tables, &tables->debug_index, &tables->debug_frame, vaddr, ret_fde);
	return r;
}
