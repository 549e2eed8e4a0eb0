/* Section headers, read with every offset checked against the file's size. */
#include "symbol/elf_sections.h"

#include <string.h>

#include "base/bytes.h"

/* `size` bytes at `offset`, NULL when they are not all inside the file. */
static const uint8_t *file_range(const uint8_t *file, size_t file_bytes, uint64_t offset,
				 uint64_t size)
{
	if (offset > file_bytes || size > file_bytes - offset)
		return NULL;
	return file + offset;
}

struct elf_sections elf_sections_of(const uint8_t *file, size_t file_bytes)
{
	struct elf_sections sections = { .file = file, .file_bytes = file_bytes };
	struct elf_section names;
	Elf64_Shdr first;
	Elf64_Shdr name_table;
	uint64_t n;
	uint64_t names_index;
	Elf64_Ehdr ehdr;

	memcpy(&ehdr, file, sizeof(ehdr));
	if (ehdr.e_shoff == 0 || ehdr.e_shentsize != sizeof(Elf64_Shdr) ||
	    !file_range(file, file_bytes, ehdr.e_shoff, sizeof(first)))
		return sections;
	memcpy(&first, file + ehdr.e_shoff, sizeof(first));
	/* gABI: counts too large for their 16 bits are in section 0. */
	n = ehdr.e_shnum ? ehdr.e_shnum : first.sh_size;
	names_index = ehdr.e_shstrndx == SHN_XINDEX ? first.sh_link : ehdr.e_shstrndx;
	if (n > ELF_MAX_SECTIONS ||
	    !file_range(file, file_bytes, ehdr.e_shoff, n * sizeof(Elf64_Shdr)))
		return sections;
	sections.headers = file + ehdr.e_shoff;
	sections.n_sections = (size_t)n;
	if (names_index >= n)
		return sections;
	name_table = elf_sections_header(&sections, (size_t)names_index);
	names = elf_sections_contents(&sections, &name_table);
	sections.names = names.bytes;
	sections.names_bytes = names.bytes ? names.size_bytes : 0;
	return sections;
}

Elf64_Shdr elf_sections_header(const struct elf_sections *sections, size_t index)
{
	Elf64_Shdr header;

	memcpy(&header, sections->headers + index * sizeof(header), sizeof(header));
	return header;
}

const char *elf_sections_name(const struct elf_sections *sections, const Elf64_Shdr *header)
{
	struct bytes all = bytes_of(sections->names, sections->names_bytes);
	const char *name;
	struct bytes b;

	if (header->sh_name >= bytes_left(&all))
		return "";
	(void)bytes_take(&all, header->sh_name);
	b = bytes_of(all.at, bytes_left(&all) < ELF_SECTION_NAME_MAX_BYTES
				     ? bytes_left(&all)
				     : ELF_SECTION_NAME_MAX_BYTES);
	name = bytes_string(&b);
	return name ? name : "";
}

struct elf_section elf_sections_contents(const struct elf_sections *sections,
					 const Elf64_Shdr *header)
{
	struct elf_section section = {
		.vaddr = header->sh_addr,
		.is_compressed = (header->sh_flags & SHF_COMPRESSED) != 0,
	};

	if (header->sh_type == SHT_NOBITS || header->sh_type == SHT_NULL)
		return section;
	section.bytes = file_range(sections->file, sections->file_bytes, header->sh_offset,
				   header->sh_size);
	section.size_bytes = section.bytes ? (size_t)header->sh_size : 0;
	return section;
}

struct elf_section elf_sections_terminated(const struct elf_sections *sections,
					   const Elf64_Shdr *header)
{
	struct elf_section section = elf_sections_contents(sections, header);
	const uint8_t *last;

	if (!section.bytes)
		return section;
	last = memrchr(section.bytes, '\0', section.size_bytes);
	section.size_bytes = last ? (size_t)(last - section.bytes) + 1 : 0;
	return section;
}

size_t elf_sections_find(const struct elf_sections *sections, const char *name)
{
	for (size_t i = 1; i < sections->n_sections; i++) {
		const Elf64_Shdr header = elf_sections_header(sections, i);

		if (strcmp(elf_sections_name(sections, &header), name) == 0)
			return i;
	}
	return sections->n_sections;
}
