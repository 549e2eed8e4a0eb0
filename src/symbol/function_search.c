/* All symbols of a file, of its debug file and of .gnu_debugdata, one after the other. */
#include "symbol/function_search.h"

#include <elf.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/bytes.h"
#include "base/suggest.h"
#include "symbol/demangle.h"
#include "symbol/elf_sections.h"
#include "symbol/gnu_debugdata.h"

enum {
	SYMBOLS_MAX = 16 << 20,
	SYMBOL_NAME_MAX_BYTES = 64 * 1024,
};

struct searching {
	struct function_search *search;
	const struct elf_image *image;
	const char *name;
	bool is_pattern;
	const char *word; /* of the name: what its mangled form must hold */
	size_t word_bytes;
	struct buffer plain;	 /* the symbol's name without its version */
	struct buffer demangled; /* … as a programmer writes it */
	struct suggestion suggestion;
};

/* The last identifier before the parameters. */
static void find_word(struct searching *searching)
{
	const char *const name = searching->name;
	const size_t n_bytes = strcspn(name, "(<*?[");
	size_t at = n_bytes;

	while (at > 0 && name[at - 1] != ':' && name[at - 1] != '~' && name[at - 1] != ' ')
		at--;
	searching->word = name + at;
	searching->word_bytes = n_bytes - at;
}

/* Where the parameters begin, or the text's end: not inside "operator()" or templates. */
static size_t parameters_at(const char *text)
{
	size_t n_open = 0;

	for (size_t i = 0; text[i]; i++) {
		if (text[i] == '<')
			n_open++;
		else if (text[i] == '>' && n_open)
			n_open--;
		else if (text[i] == '(' && !n_open && i > 0 &&
			 !(i >= 8 && strncmp(text + i - 8, "operator", 8) == 0))
			return i;
	}
	return strlen(text);
}

/* ".constprop.0", ".isra.0", ".part.0", ".cold", ".llvm.123": where they begin. */
static const char *clone_suffix(const char *name)
{
	static const char *const kinds[] = { ".constprop.", ".isra.", ".llvm." };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const char *at = strstr(name, kinds[i]);

		if (at)
			return at;
	}
	return NULL;
}

static bool has_part(const char *name)
{
	return strstr(name, ".cold") || strstr(name, ".part.");
}

static bool fits(const struct searching *searching, const char *text)
{
	if (searching->is_pattern)
		return fnmatch(searching->name, text, 0) == 0;
	return strcmp(searching->name, text) == 0;
}

static bool is_mangled(const char *name)
{
	return strncmp(name, "_Z", 2) == 0 || strncmp(name, "_R", 2) == 0 ||
	       strncmp(name, "_D", 2) == 0;
}

static bool holds_word(const struct searching *searching, const char *name)
{
	return searching->is_pattern ||
	       memmem(name, strlen(name), searching->word, searching->word_bytes);
}

/* The demangled name, whole and without its parameters. */
static bool fits_demangled(struct searching *searching, const char *plain)
{
	struct buffer *text = &searching->demangled;
	char *clone;

	if (!is_mangled(plain) || !holds_word(searching, plain))
		return false;
	buffer_clear(text);
	demangle_add(text, plain);
	if (text->is_failed)
		return false;
	clone = strstr(text->data, " [clone ");
	if (clone)
		*clone = '\0';
	if (fits(searching, text->data))
		return true;
	text->data[parameters_at(text->data)] = '\0';
	return fits(searching, text->data);
}

static bool vaddr_to_offset(const struct elf_image *image, uint64_t vaddr, uint64_t *ret_offset)
{
	for (size_t i = 0; i < image->n_segments; i++) {
		const struct elf_segment *segment = &image->segments[i];

		if (segment->is_executable && vaddr >= segment->vaddr &&
		    vaddr - segment->vaddr < segment->file_size) {
			*ret_offset = segment->file_offset + (vaddr - segment->vaddr);
			return true;
		}
	}
	return false;
}

static int add_match(struct searching *searching, const Elf64_Sym *symbol, const char *name,
		     bool is_clone)
{
	struct function_search *search = searching->search;
	struct function_match *grown;
	struct function_match match = {
		.vaddr = symbol->st_value,
		.size_bytes = symbol->st_size,
		.is_resolver = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC,
		.is_clone = is_clone,
	};
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < search->n_matches; i++)
		if (search->matches[i].vaddr == match.vaddr)
			return 0;
	if (!vaddr_to_offset(searching->image, match.vaddr, &match.file_offset))
		return 0;
	grown = array_grown(search->matches, &search->capacity, search->n_matches + 1,
			    sizeof(*grown));
	demangle_add(&text, name);
	match.name = text.is_failed ? NULL : strdup(buffer_string(&text));
	buffer_release(&text);
	if (grown)
		search->matches = grown;
	if (!grown || !match.name) {
		free(match.name);
		return -ENOMEM;
	}
	grown[search->n_matches++] = match;
	return 0;
}

/* Without what follows in `plain`. */
static bool fits_cut(struct searching *searching, const char *from)
{
	struct buffer *plain = &searching->plain;

	plain->size = (size_t)(from - plain->data);
	plain->data[plain->size] = '\0';
	return fits(searching, plain->data);
}

/* The rest of a function whose beginning is elsewhere: no function, but told. */
static int look_at_part(struct searching *searching, const char *name)
{
	struct function_search *search = searching->search;
	const char *const plain = buffer_string(&searching->plain);
	const char *const part = strstr(plain, ".part.");
	const char *const clone = clone_suffix(plain);

	if (!part || search->part ||
	    !(fits_cut(searching, clone && clone < part ? clone : part) ||
	      fits_demangled(searching, searching->plain.data)))
		return 0;
	search->part = strndup(name, strcspn(name, "@"));
	return search->part ? 0 : -ENOMEM;
}

static int look_at(struct searching *searching, const Elf64_Sym *symbol, const char *name)
{
	struct buffer *plain = &searching->plain;
	const char *clone;
	bool is_fit;

	buffer_clear(plain);
	buffer_add(plain, name, strcspn(name, "@"));
	if (plain->is_failed)
		return -ENOMEM;
	searching->search->n_functions++;
	is_fit = fits(searching, buffer_string(plain));
	clone = clone_suffix(buffer_string(plain));
	if (!is_fit && has_part(buffer_string(plain)))
		return look_at_part(searching, name);
	if (!is_fit && clone)
		is_fit = fits_cut(searching, clone);
	if (!is_fit)
		is_fit = fits_demangled(searching, buffer_string(plain));
	if (is_fit)
		return add_match(searching, symbol, name, clone != NULL);
	return 0;
}

static bool is_function(const Elf64_Sym *symbol, const struct elf_sections *sections)
{
	const unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_ABS ||
	    symbol->st_shndx == SHN_COMMON || !symbol->st_value)
		return false;
	if (type == STT_FUNC || type == STT_GNU_IFUNC)
		return true;
	return type == STT_NOTYPE && symbol->st_shndx < sections->n_sections &&
	       (elf_sections_header(sections, symbol->st_shndx).sh_flags & SHF_EXECINSTR);
}

/* The nearest name is borrowed from a file that may be closed. */
static int offer(struct searching *searching, const char *name)
{
	const char *const before = searching->suggestion.nearest;

	suggestion_offer(&searching->suggestion, name);
	if (searching->suggestion.nearest == before)
		return 0;
	free(searching->search->nearest);
	searching->search->nearest = strndup(name, strcspn(name, "@"));
	searching->suggestion.nearest = searching->search->nearest;
	return searching->search->nearest ? 0 : -ENOMEM;
}

static int search_section(struct searching *searching, const struct elf_sections *sections,
			  const Elf64_Shdr *header)
{
	const struct elf_section entries = elf_sections_contents(sections, header);
	struct bytes at = bytes_of(entries.bytes, entries.size_bytes);
	struct elf_section names;
	Elf64_Shdr names_header;
	int r = 0;

	if (!entries.bytes || header->sh_link >= sections->n_sections)
		return 0;
	if (header->sh_type == SHT_SYMTAB)
		searching->search->has_symtab = true;
	names_header = elf_sections_header(sections, header->sh_link);
	names = elf_sections_terminated(sections, &names_header);
	for (size_t i = 0; r == 0 && i < SYMBOLS_MAX; i++) {
		const uint8_t *from = bytes_take(&at, sizeof(Elf64_Sym));
		const char *name;
		Elf64_Sym symbol;

		if (!from)
			break;
		memcpy(&symbol, from, sizeof(symbol));
		if (symbol.st_name >= names.size_bytes || !is_function(&symbol, sections))
			continue;
		name = (const char *)names.bytes + symbol.st_name;
		if (!*name || *name == '$' ||
		    strnlen(name, SYMBOL_NAME_MAX_BYTES) == SYMBOL_NAME_MAX_BYTES)
			continue;
		r = look_at(searching, &symbol, name);
		if (r == 0 && !searching->is_pattern)
			r = offer(searching, name);
	}
	return r;
}

static int search_file(struct searching *searching, const struct elf_image *file)
{
	const struct elf_sections sections = elf_sections_of(file->file.bytes,
							     file->file.size_bytes);
	int r = 0;

	for (size_t i = 1; r == 0 && i < sections.n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(&sections, i);

		if (header.sh_type == SHT_SYMTAB || header.sh_type == SHT_DYNSYM)
			r = search_section(searching, &sections, &header);
	}
	return r;
}

static int compare_matches(const void *a, const void *b)
{
	const struct function_match *left = a;
	const struct function_match *right = b;

	return left->vaddr < right->vaddr ? -1 : left->vaddr > right->vaddr;
}

int function_search_run(struct function_search *search, const struct elf_image *image,
			const struct elf_image *debug, const char *name)
{
	struct searching searching = {
		.search = search,
		.image = image,
		.name = name,
		.is_pattern = name[strcspn(name, "*?[")] != '\0' && !strstr(name, "operator"),
		.plain = BUFFER_INIT,
		.demangled = BUFFER_INIT,
		.suggestion = { .typed = name },
	};
	struct elf_image inner;
	int r;

	*search = (struct function_search){ 0 };
	find_word(&searching);
	r = search_file(&searching, image);
	if (r == 0 && debug)
		r = search_file(&searching, debug);
	if (r == 0 && gnu_debugdata_open(&inner, image, NULL) == 0) {
		r = search_file(&searching, &inner);
		elf_image_release(&inner);
	}
	buffer_release(&searching.plain);
	buffer_release(&searching.demangled);
	if (r < 0)
		function_search_release(search);
	else if (search->n_matches)
		qsort(search->matches, search->n_matches, sizeof(*search->matches),
		      compare_matches);
	return r;
}

void function_search_release(struct function_search *search)
{
	for (size_t i = 0; i < search->n_matches; i++)
		free(search->matches[i].name);
	free(search->matches);
	free(search->part);
	free(search->nearest);
	*search = (struct function_search){ 0 };
}
