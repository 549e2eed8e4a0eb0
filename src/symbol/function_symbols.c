#include "symbol/function_symbols.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/bytes.h"

enum { MAX_RANGES = 4 << 20 };

/* Compilers move what seldom happens away from its function, under such a name. */
static bool is_cold_part(const struct elf_section *names, const Elf64_Sym *sym)
{
	static const char cold[] = ".cold";
	const uint8_t *name = names->bytes ? names->bytes + sym->st_name : NULL;

	return name && sym->st_name < names->size_bytes &&
	       memmem(name, strnlen((const char *)name, names->size_bytes - sym->st_name), cold,
		      sizeof(cold) - 1);
}

static int load(struct function_symbols *symbols, const struct elf_section *entries,
		const struct elf_section *names)
{
	struct bytes b = bytes_of(entries->bytes, entries->is_compressed ? 0 : entries->size_bytes);
	struct function_range *grown;
	const uint8_t *from;
	Elf64_Sym sym;

	while (symbols->n_ranges < MAX_RANGES && (from = bytes_take(&b, sizeof(sym))) != NULL) {
		memcpy(&sym, from, sizeof(sym));
		if (ELF64_ST_TYPE(sym.st_info) != STT_FUNC || sym.st_shndx == SHN_UNDEF ||
		    !sym.st_size || is_cold_part(names, &sym))
			continue;
		grown = array_grown(symbols->ranges, &symbols->capacity, symbols->n_ranges + 1,
				    sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		symbols->ranges = grown;
		grown[symbols->n_ranges++] = (struct function_range){ sym.st_value, sym.st_size };
	}
	return 0;
}

static int range_compare(const void *left, const void *right)
{
	const struct function_range *a = left;
	const struct function_range *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	return (a->size_bytes > b->size_bytes) - (a->size_bytes < b->size_bytes);
}

int function_symbols_load(struct function_symbols *symbols, const struct elf_image *image)
{
	const struct elf_section symtab = elf_image_section(image, ".symtab");
	const struct elf_section strtab = elf_image_section(image, ".strtab");
	const struct elf_section dynsym = elf_image_section(image, ".dynsym");
	const struct elf_section dynstr = elf_image_section(image, ".dynstr");
	int r = load(symbols, &symtab, &strtab);

	if (r == 0)
		r = load(symbols, &dynsym, &dynstr);
	if (symbols->n_ranges)
		qsort(symbols->ranges, symbols->n_ranges, sizeof(*symbols->ranges), range_compare);
	symbols->is_loaded = true;
	return r;
}

void function_symbols_release(struct function_symbols *symbols)
{
	free(symbols->ranges);
	*symbols = (struct function_symbols){ 0 };
}

bool function_symbols_find(const struct function_symbols *symbols, uint64_t vaddr,
			   struct function_range *ret_range)
{
	size_t low = 0;
	size_t high = symbols->n_ranges;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (symbols->ranges[middle].start <= vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || vaddr - symbols->ranges[low - 1].start >= symbols->ranges[low - 1].size_bytes)
		return false;
	*ret_range = symbols->ranges[low - 1];
	return true;
}
