/* A binary search in the file: entries are {start, FDE}, both relative to the table. */
#include "symbol/function_starts.h"

#include <stddef.h>

#include "base/bytes.h"

/* DW_EH_PE_*, LSB 10.5.1: what linkers write, and the only form that can be searched. */
enum {
	EH_FRAME_PTR_PCREL_SDATA4 = 0x1b,
	FDE_COUNT_UDATA4 = 0x03,
	TABLE_DATAREL_SDATA4 = 0x3b,
	TABLE_ENTRY_BYTES = 8,
	FDE_START_AT = 8,
	FDE_BEGIN_BYTES = 16,
};

/* A word of an entry: the function's start (0) or its FDE (1). */
static uint64_t entry_word(struct bytes table, uint64_t table_vaddr, uint64_t entry, uint64_t which)
{
	(void)bytes_take(&table, entry * TABLE_ENTRY_BYTES + which * sizeof(uint32_t));
	return table_vaddr + (uint64_t)(int64_t)(int32_t)bytes_u32(&table);
}

/*
 * Whether the vaddr lies behind the function's end, as its FDE has it in the form that compilers
 * write: length, CIE, start from here, size.  In others that is not known.
 */
static bool is_behind(const struct elf_image *image, uint64_t fde, uint64_t start, uint64_t vaddr)
{
	const uint8_t *from = elf_image_at_vaddr(image, fde, FDE_BEGIN_BYTES);
	struct bytes b = bytes_of(from, from ? FDE_BEGIN_BYTES : 0);
	uint64_t distance;

	(void)bytes_take(&b, FDE_START_AT);
	distance = (uint64_t)(int64_t)(int32_t)bytes_u32(&b);
	return fde + FDE_START_AT + distance == start && vaddr - start >= bytes_u32(&b) &&
	       !b.is_bad;
}

bool function_starts_find(const struct elf_image *image, uint64_t vaddr, uint64_t *ret_start)
{
	const struct elf_section *hdr = &image->eh_frame_hdr;
	struct bytes b = bytes_of(hdr->bytes, hdr->size_bytes);
	const uint8_t version = bytes_u8(&b);
	const uint8_t pointer_encoding = bytes_u8(&b);
	const uint8_t count_encoding = bytes_u8(&b);
	const uint8_t table_encoding = bytes_u8(&b);
	uint64_t low = 0;
	uint64_t high;

	(void)bytes_u32(&b);
	high = bytes_u32(&b);
	if (b.is_bad || version != 1 || pointer_encoding != EH_FRAME_PTR_PCREL_SDATA4 ||
	    count_encoding != FDE_COUNT_UDATA4 || table_encoding != TABLE_DATAREL_SDATA4)
		return false;
	if (high > bytes_left(&b) / TABLE_ENTRY_BYTES)
		high = bytes_left(&b) / TABLE_ENTRY_BYTES;
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;

		if (entry_word(b, hdr->vaddr, middle, 0) <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return false;
	*ret_start = entry_word(b, hdr->vaddr, low - 1, 0);
	return !is_behind(image, entry_word(b, hdr->vaddr, low - 1, 1), *ret_start, vaddr);
}
