/* A binary search in the file: entries are {start, FDE}, both relative to the table. */
#include "symbol/function_starts.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

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

/* Compilers move what seldom happens away from its function, under such a name. */
static bool is_cold_part(const struct elf_section *names, const Elf64_Sym *sym)
{
	static const char cold[] = ".cold";
	const uint8_t *name = names->bytes ? names->bytes + sym->st_name : NULL;

	return name && sym->st_name < names->size_bytes &&
	       memmem(name, strnlen((const char *)name, names->size_bytes - sym->st_name), cold,
		      sizeof(cold) - 1);
}

static bool section_find(const struct elf_image *image, const char *symbols_name,
			 const char *names_name, uint64_t vaddr, uint64_t *ret_start)
{
	const struct elf_section symbols = elf_image_section(image, symbols_name);
	const struct elf_section names = elf_image_section(image, names_name);
	struct bytes b = bytes_of(symbols.bytes, symbols.is_compressed ? 0 : symbols.size_bytes);
	const uint8_t *from;
	Elf64_Sym sym;

	while ((from = bytes_take(&b, sizeof(sym))) != NULL) {
		memcpy(&sym, from, sizeof(sym));
		if (ELF64_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
		    vaddr - sym.st_value >= sym.st_size)
			continue;
		*ret_start = sym.st_value;
		return !is_cold_part(&names, &sym);
	}
	return false;
}

bool function_starts_find_symbol(const struct elf_image *image, uint64_t vaddr, uint64_t *ret_start)
{
	return section_find(image, ".symtab", ".strtab", vaddr, ret_start) ||
	       section_find(image, ".dynsym", ".dynstr", vaddr, ret_start);
}
