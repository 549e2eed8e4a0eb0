/*
 * Function symbols, sorted so that a search by address needs no scan: every
 * symbol knows the nearest earlier one that reaches beyond its start, so
 * functions inside others and gaps after them both resolve rightly.
 */
#include "symbol/symbol_table.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"
#include "base/key_sort.h"
#include "symbol/elf_sections.h"
#include "symbol/gnu_debugdata.h"
#include "symbol/plt_symbols.h"

enum {
	SYMBOL_BLOCK_BYTES = 64 * 1024,
	/* Nesting past this depth is no program's; it bounds each search. */
	SYMBOL_MAX_NESTING = 64,
};

#define SYMBOL_NO_PARENT UINT32_MAX

enum { RANK_WEAK = 1, RANK_LOCAL = 2, RANK_NO_SIZE = 4, RANK_UNTYPED = 8 };

struct symbol_table_block {
	struct symbol_table_block *next;
	size_t n_used;
	size_t n_bytes;
	char bytes[];
};

const char *symbol_table_keep_name(struct symbol_table *table, const char *name, const char *suffix)
{
	const size_t name_bytes = strlen(name);
	const size_t suffix_bytes = strlen(suffix);
	const size_t n_needed = name_bytes + suffix_bytes + 1;
	struct symbol_table_block *block = table->blocks;
	char *kept;

	if (!block || block->n_bytes - block->n_used < n_needed) {
		const size_t n_bytes = n_needed > SYMBOL_BLOCK_BYTES ? n_needed
								     : SYMBOL_BLOCK_BYTES;

		block = malloc(sizeof(*block) + n_bytes);
		if (!block)
			return NULL;
		block->next = table->blocks;
		block->n_used = 0;
		block->n_bytes = n_bytes;
		table->blocks = block;
	}
	kept = block->bytes + block->n_used;
	memcpy(kept, name, name_bytes);
	memcpy(kept + name_bytes, suffix, suffix_bytes + 1);
	block->n_used += n_needed;
	return kept;
}

int symbol_table_add(struct symbol_table *table, const struct symbol *symbol)
{
	struct symbol *grown = array_grown(table->symbols, &table->capacity, table->n_symbols + 1,
					   sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	table->symbols = grown;
	grown[table->n_symbols++] = *symbol;
	return 0;
}

static size_t leading_underscores(const char *name)
{
	return strspn(name, "_");
}

/*
 * Of several names for one address the first is kept.  A C library's public
 * names are often its weak ones ("read" beside the global "__read"), so
 * underscores come before weakness.
 */
static int compare_symbols(const void *a, const void *b)
{
	const struct symbol *left = a;
	const struct symbol *right = b;
	const unsigned int left_rank = left->rank & ~(unsigned int)RANK_WEAK;
	const unsigned int right_rank = right->rank & ~(unsigned int)RANK_WEAK;
	size_t left_lead;
	size_t right_lead;

	if (left->vaddr != right->vaddr)
		return left->vaddr < right->vaddr ? -1 : 1;
	if (left_rank != right_rank)
		return left_rank < right_rank ? -1 : 1;
	left_lead = leading_underscores(left->name);
	right_lead = leading_underscores(right->name);
	if (left_lead != right_lead)
		return left_lead < right_lead ? -1 : 1;
	if (left->rank != right->rank)
		return left->rank < right->rank ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* Keep the best name of each address and no label inside of a function that has a size. */
static void table_drop_aliases(struct symbol_table *table)
{
	uint64_t covered_end = 0;
	size_t n_kept = 0;

	for (size_t i = 0; i < table->n_symbols; i++) {
		const struct symbol symbol = table->symbols[i];

		if (n_kept > 0 && table->symbols[n_kept - 1].vaddr == symbol.vaddr)
			continue;
		if ((symbol.rank & RANK_UNTYPED) && symbol.vaddr < covered_end)
			continue;
		if (symbol.has_size && symbol.end > covered_end)
			covered_end = symbol.end;
		table->symbols[n_kept++] = symbol;
	}
	table->n_symbols = n_kept;
}

/* False without memory. */
static bool table_sort_by_vaddr(struct symbol_table *table)
{
	const size_t n = table->n_symbols;
	struct sort_key *keys = malloc(2 * n * sizeof(*keys));
	struct symbol *sorted = malloc(n * sizeof(*sorted));

	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return false;
	}
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct sort_key){ table->symbols[i].vaddr, (uint32_t)i };
	key_sort(keys, keys + n, n);
	for (size_t i = 0; i < n; i++)
		sorted[i] = table->symbols[keys[i].index];
	free(keys);
	free(table->symbols);
	table->symbols = sorted;
	table->capacity = n;
	return true;
}

static void table_sort(struct symbol_table *table)
{
	size_t n_same;

	if (!table_sort_by_vaddr(table)) {
		qsort(table->symbols, table->n_symbols, sizeof(*table->symbols), compare_symbols);
		return;
	}
	for (size_t i = 0; i < table->n_symbols; i += n_same) {
		struct symbol *first = &table->symbols[i];

		n_same = 1;
		while (i + n_same < table->n_symbols && first[n_same].vaddr == first->vaddr)
			n_same++;
		if (n_same > 1)
			qsort(first, n_same, sizeof(*first), compare_symbols);
	}
}

void symbol_table_sort(struct symbol_table *table)
{
	struct symbol *symbols;

	if (table->n_symbols == 0)
		return;
	table_sort(table);
	table_drop_aliases(table);
	symbols = table->symbols;
	for (size_t i = 0; i < table->n_symbols; i++) {
		uint32_t parent = i > 0 ? (uint32_t)(i - 1) : SYMBOL_NO_PARENT;

		if (!symbols[i].has_size && i + 1 < table->n_symbols &&
		    symbols[i + 1].vaddr < symbols[i].end)
			symbols[i].end = symbols[i + 1].vaddr;
		while (parent != SYMBOL_NO_PARENT && symbols[parent].end <= symbols[i].vaddr)
			parent = symbols[parent].parent;
		symbols[i].parent = parent;
	}
}

const struct symbol *symbol_table_find(const struct symbol_table *table, uint64_t vaddr)
{
	size_t low = 0;
	size_t high = table->n_symbols;
	uint32_t at;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (table->symbols[middle].vaddr <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	at = low > 0 ? (uint32_t)(low - 1) : SYMBOL_NO_PARENT;
	for (int depth = 0; at != SYMBOL_NO_PARENT && depth < SYMBOL_MAX_NESTING; depth++) {
		if (vaddr < table->symbols[at].end)
			return &table->symbols[at];
		at = table->symbols[at].parent;
	}
	return NULL;
}

/* $x, $d (aarch64), .L labels: places in code that are no function's name. */
static bool is_code_name(const char *name)
{
	return name[0] != '\0' && name[0] != '$' && !(name[0] == '.' && name[1] == 'L');
}

/* Fills `ret_symbol` from a symbol of the file; false when it names no code. */
static bool symbol_from_elf(struct symbol *ret_symbol, const Elf64_Sym *sym,
			    const struct elf_sections *sections, const char *name)
{
	const unsigned int type = ELF64_ST_TYPE(sym->st_info);
	const unsigned int binding = ELF64_ST_BIND(sym->st_info);
	uint64_t limit = UINT64_MAX;
	bool is_code = false;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (sym->st_shndx == SHN_UNDEF || sym->st_shndx == SHN_ABS || sym->st_shndx == SHN_COMMON ||
	    !is_code_name(name))
		return false;
	if (sym->st_shndx < sections->n_sections) {
		const Elf64_Shdr section = elf_sections_header(sections, sym->st_shndx);

		is_code = (section.sh_flags & SHF_EXECINSTR) != 0;
		if (section.sh_addr <= sym->st_value &&
		    section.sh_size <= UINT64_MAX - section.sh_addr)
			limit = section.sh_addr + section.sh_size;
	}
	if (type == STT_NOTYPE && !is_code)
		return false;
	*ret_symbol = (struct symbol){
		.vaddr = sym->st_value,
		.end = sym->st_size > 0 && sym->st_size <= UINT64_MAX - sym->st_value
			       ? sym->st_value + sym->st_size
			       : limit,
		.name = name,
		.has_size = sym->st_size > 0,
		.rank = (uint8_t)((binding == STB_LOCAL	 ? RANK_LOCAL
				   : binding == STB_WEAK ? RANK_WEAK
							 : 0) |
				  (sym->st_size == 0 ? RANK_NO_SIZE : 0) |
				  (type == STT_NOTYPE ? RANK_UNTYPED : 0)),
	};
	return ret_symbol->vaddr < ret_symbol->end;
}

/* One SHT_SYMTAB or SHT_DYNSYM. */
static int table_load_section(struct symbol_table *table, const struct elf_sections *sections,
			      const Elf64_Shdr *header)
{
	const struct elf_section entries = elf_sections_contents(sections, header);
	struct elf_section names;
	Elf64_Shdr names_header;
	struct bytes b;

	if (!entries.bytes || header->sh_link >= sections->n_sections)
		return 0;
	names_header = elf_sections_header(sections, header->sh_link);
	names = elf_sections_terminated(sections, &names_header);
	b = bytes_of(entries.bytes, entries.size_bytes);
	while (table->n_symbols < SYMBOL_TABLE_MAX_SYMBOLS) {
		const uint8_t *from = bytes_take(&b, sizeof(Elf64_Sym));
		struct symbol symbol;
		Elf64_Sym sym;

		if (!from)
			break;
		memcpy(&sym, from, sizeof(sym));
		if (sym.st_name < names.size_bytes &&
		    symbol_from_elf(&symbol, &sym, sections,
				    (const char *)names.bytes + sym.st_name) &&
		    symbol_table_add(table, &symbol) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int table_load_image(struct symbol_table *table, const struct elf_image *image)
{
	const struct elf_sections sections = elf_sections_of(image->file.bytes,
							     image->file.size_bytes);

	for (size_t i = 1; i < sections.n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);

		if ((header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM) &&
		    table_load_section(table, &sections, &header) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int table_load_debugdata(struct symbol_table *table, const struct elf_image *image)
{
	int r;

	table->debugdata = calloc(1, sizeof(*table->debugdata));
	if (!table->debugdata)
		return -ENOMEM;
	r = gnu_debugdata_open(table->debugdata, image, NULL);
	if (r == 0)
		return table_load_image(table, table->debugdata);
	free(table->debugdata);
	table->debugdata = NULL;
	return r == -ENOMEM ? r : 0;
}

int symbol_table_load(struct symbol_table *table, const struct elf_image *image,
		      const struct elf_image *debug)
{
	int r;

	*table = (struct symbol_table){ 0 };
	r = table_load_image(table, image);
	if (r == 0 && debug)
		r = table_load_image(table, debug);
	if (r == 0)
		r = table_load_debugdata(table, image);
	if (r == 0) {
		symbol_table_sort(table);
		r = plt_symbols_add(table, image);
	}
	if (r < 0)
		symbol_table_release(table);
	return r;
}

void symbol_table_release(struct symbol_table *table)
{
	struct symbol_table_block *block = table->blocks;

	while (block) {
		struct symbol_table_block *const next = block->next;

		free(block);
		block = next;
	}
	elf_image_release(table->debugdata);
	free(table->debugdata);
	free(table->symbols);
	*table = (struct symbol_table){ 0 };
}
