#ifndef TSPROF_SYMBOL_ELF_SECTIONS_H
#define TSPROF_SYMBOL_ELF_SECTIONS_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"

/*
 * The section headers of an ELF file's bytes, bounded: a header table that does
 * not lie inside the file has no sections, and a section that does not has no
 * bytes.  Everything is borrowed from the bytes.
 */
struct elf_sections {
	const uint8_t *file;
	size_t file_bytes;
	const uint8_t *headers;
	size_t n_sections;
	const uint8_t *names;
	size_t names_bytes;
};

/* No sane file has more; the count is the file's word. */
#define ELF_MAX_SECTIONS ((size_t)1 << 20)

/* A longer name reads as ""; keeps a name table without NULs from costing its square. */
enum { ELF_SECTION_NAME_MAX_BYTES = 256 };

/* `file` must start with a whole Elf64_Ehdr. */
struct elf_sections elf_sections_of(const uint8_t *file, size_t file_bytes);

/* The header at `index`, which must be below n_sections. */
Elf64_Shdr elf_sections_header(const struct elf_sections *sections, size_t index);

/* "" for a name outside the name table.  Borrowed from the file. */
const char *elf_sections_name(const struct elf_sections *sections, const Elf64_Shdr *header);

/* What the section occupies in the file; bytes NULL for SHT_NOBITS and out of range. */
struct elf_section elf_sections_contents(const struct elf_sections *sections,
					 const Elf64_Shdr *header);

/*
 * The contents of a string table, cut after its last NUL: any offset below
 * size_bytes is a terminated string.
 */
struct elf_section elf_sections_terminated(const struct elf_sections *sections,
					   const Elf64_Shdr *header);

/* The first section of that name; n_sections when there is none. */
size_t elf_sections_find(const struct elf_sections *sections, const char *name);

#endif
