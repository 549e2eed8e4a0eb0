/* PLT entries have no symbols: their code is decoded just far enough to know their GOT slot. */
#include "symbol/plt_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "symbol/elf_sections.h"

enum {
	PLT_ENTRY_BYTES = 16,
	/* More slots than any linker makes, so that a hostile file costs no memory. */
	PLT_MAX_SLOTS = 1 << 20,
};

struct slot {
	uint64_t vaddr;
	uint64_t target; /* of an IRELATIVE slot: its resolver */
	const char *name;
};

struct slots {
	struct slot *items;
	size_t n_items;
	size_t capacity;
};

static bool is_slot_type(uint16_t machine, uint64_t type)
{
	if (machine == EM_X86_64)
		return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT ||
		       type == R_X86_64_IRELATIVE;
	return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT ||
	       type == R_AARCH64_IRELATIVE;
}

/* The name of the symbol at `index` in the table of section `link`; NULL when there is none. */
static const char *linked_symbol_name(const struct elf_sections *sections, uint32_t link,
				      uint64_t index, struct elf_section *names)
{
	Elf64_Shdr header;
	struct elf_section entries;
	Elf64_Sym sym;

	if (index == 0 || link >= sections->n_sections)
		return NULL;
	header = elf_sections_header(sections, link);
	entries = elf_sections_contents(sections, &header);
	if (!entries.bytes || index >= entries.size_bytes / sizeof(sym) ||
	    header.sh_link >= sections->n_sections)
		return NULL;
	if (!names->bytes) {
		const Elf64_Shdr names_header = elf_sections_header(sections, header.sh_link);

		*names = elf_sections_terminated(sections, &names_header);
	}
	memcpy(&sym, entries.bytes + index * sizeof(sym), sizeof(sym));
	return sym.st_name < names->size_bytes ? (const char *)names->bytes + sym.st_name : NULL;
}

static int slots_add_section(struct slots *slots, uint16_t machine,
			     const struct elf_sections *sections, const Elf64_Shdr *header)
{
	const struct elf_section entries = elf_sections_contents(sections, header);
	struct bytes b = bytes_of(entries.bytes, entries.size_bytes);
	struct elf_section names = { 0 };

	while (slots->n_items < PLT_MAX_SLOTS) {
		const uint8_t *from = bytes_take(&b, sizeof(Elf64_Rela));
		struct slot slot;
		Elf64_Rela rela;
		void *grown;

		if (!from)
			break;
		memcpy(&rela, from, sizeof(rela));
		if (!is_slot_type(machine, ELF64_R_TYPE(rela.r_info)))
			continue;
		slot.vaddr = rela.r_offset;
		slot.target = (uint64_t)rela.r_addend;
		slot.name = linked_symbol_name(sections, header->sh_link, ELF64_R_SYM(rela.r_info),
					       &names);
		grown = array_grown(slots->items, &slots->capacity, slots->n_items + 1,
				    sizeof(slot));
		if (!grown)
			return -ENOMEM;
		slots->items = grown;
		slots->items[slots->n_items++] = slot;
	}
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct slot *left = a;
	const struct slot *right = b;

	return (left->vaddr > right->vaddr) - (left->vaddr < right->vaddr);
}

/* The slot that `jmp *slot(%rip)` (ff 25 disp32) in this x86-64 entry loads; 0 without one. */
static uint64_t entry_slot_x86_64(const uint8_t *entry, size_t size, uint64_t vaddr)
{
	for (size_t i = 0; i + 6 <= size; i++) {
		int32_t displacement;

		if (entry[i] != 0xff || entry[i + 1] != 0x25)
			continue;
		memcpy(&displacement, entry + i + 2, sizeof(displacement));
		return vaddr + i + 6 + (uint64_t)(int64_t)displacement;
	}
	return 0;
}

/* The slot of `adrp x16, page; ldr x17, [x16, #offset]`; 0 when it is something else. */
static uint64_t entry_slot_aarch64(const uint8_t *entry, size_t size, uint64_t vaddr)
{
	uint64_t pages;
	uint32_t adrp;
	uint32_t ldr;

	if (size < 8)
		return 0;
	memcpy(&adrp, entry, sizeof(adrp));
	memcpy(&ldr, entry + 4, sizeof(ldr));
	if ((adrp & 0x9f00001f) != 0x90000010 || (ldr & 0xffc003ff) != 0xf9400211)
		return 0;
	pages = (adrp >> 29 & 3) | (uint64_t)(adrp >> 5 & 0x7ffff) << 2;
	if (pages & (1U << 20))
		pages |= ~UINT64_C(0x1fffff);
	return (vaddr & ~UINT64_C(0xfff)) + (pages << 12) + (uint64_t)(ldr >> 10 & 0xfff) * 8;
}

static const char *slot_name(const struct symbol_table *table, const struct slot *slot)
{
	const struct symbol *resolver;

	if (slot->name)
		return slot->name[0] ? slot->name : NULL;
	resolver = symbol_table_find(table, slot->target);
	return resolver ? resolver->name : NULL;
}

/*
 * Appends to `added`, because `table` must stay sorted while its names are
 * asked for.
 */
static int plt_section_add(struct symbol_table *table, struct symbol_table *added,
			   const struct slots *slots, uint16_t machine,
			   const struct elf_section *plt, size_t entry_bytes)
{
	/* aarch64's entries follow a header of 32 bytes and are 16 or, with BTI, 24 long. */
	const size_t step = machine == EM_X86_64 ? entry_bytes : 4;

	for (size_t at = 0; at < plt->size_bytes; at += step) {
		const size_t left = plt->size_bytes - at;
		const size_t size = left < entry_bytes ? left : entry_bytes;
		const uint64_t vaddr = plt->vaddr + at;
		const struct slot key = {
			.vaddr = machine == EM_X86_64
					 ? entry_slot_x86_64(plt->bytes + at, size, vaddr)
					 : entry_slot_aarch64(plt->bytes + at, size, vaddr),
		};
		const struct slot *slot = bsearch(&key, slots->items, slots->n_items, sizeof(key),
						  compare_slots);
		const char *name = slot ? slot_name(table, slot) : NULL;
		struct symbol symbol = { .vaddr = vaddr, .end = vaddr + size, .has_size = true };

		if (!name)
			continue;
		symbol.name = symbol_table_keep_name(table, name, "@plt");
		if (!symbol.name || symbol_table_add(added, &symbol) < 0)
			return -ENOMEM;
	}
	return 0;
}

static size_t plt_entry_bytes(uint16_t machine, const char *name, const Elf64_Shdr *header)
{
	/* ld writes 8 for .plt.got without IBT, 16 for all else. */
	if (machine == EM_X86_64 && strcmp(name, ".plt.got") == 0 && header->sh_entsize == 8)
		return 8;
	return PLT_ENTRY_BYTES;
}

int plt_symbols_add(struct symbol_table *table, const struct elf_image *image)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);
	struct symbol_table added = { 0 };
	struct slots slots = { 0 };
	int r = 0;

	for (size_t i = 1; i < sections.n_sections && r == 0; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);

		if (header.sh_type == SHT_RELA)
			r = slots_add_section(&slots, image->machine, &sections, &header);
	}
	if (slots.n_items > 0)
		qsort(slots.items, slots.n_items, sizeof(*slots.items), compare_slots);
	for (size_t i = 1; i < sections.n_sections && r == 0 && slots.n_items > 0; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);
		const struct elf_section plt = elf_sections_contents(&sections, &header);
		const char *name = elf_sections_name(&sections, &header);

		if (plt.bytes && strncmp(name, ".plt", 4) == 0)
			r = plt_section_add(table, &added, &slots, image->machine, &plt,
					    plt_entry_bytes(image->machine, name, &header));
	}
	for (size_t i = 0; i < added.n_symbols && r == 0; i++)
		r = symbol_table_add(table, &added.symbols[i]);
	symbol_table_sort(table);
	symbol_table_release(&added);
	free(slots.items);
	return r;
}
