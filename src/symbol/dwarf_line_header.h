#ifndef TSPROF_SYMBOL_DWARF_LINE_HEADER_H
#define TSPROF_SYMBOL_DWARF_LINE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "symbol/elf_image.h"

/*
 * The header of a line number program (DWARF 5, 6.2.4, and versions 2 to 4): how
 * its bytes are to be read, and which files it speaks of.
 */
struct dwarf_line_sections {
	struct elf_section line;     /* .debug_line */
	struct elf_section str;	     /* .debug_str, which ends with a NUL, if not empty */
	struct elf_section line_str; /* .debug_line_str, the same */
};

struct dwarf_line_file {
	const char *directory; /* borrowed; NULL: none is known */
	const char *name;      /* borrowed; absolute ones make no use of the directory */
	uint32_t path;	       /* for the caller's use, 0 at first */
};

struct dwarf_line_header {
	struct bytes program; /* the instructions */
	uint8_t min_instruction_bytes;
	int8_t line_base;
	uint8_t line_range; /* never 0 */
	uint8_t opcode_base;
	const uint8_t *n_operands; /* of the opcodes from 1 to opcode_base - 1 */
	const char **directories;
	size_t n_directories;
	size_t directories_capacity;
	struct dwarf_line_file *files; /* by the number that the program calls them */
	size_t n_files;
	size_t files_capacity;
};

/*
 * Read the header at `offset` of .debug_line.  `comp_dir` is the unit's, or
 * NULL.  An earlier header's arrays are used again.  Returns 0, -ENOMEM, or
 * -EINVAL for what makes no sense and for what no known tool writes.
 */
int dwarf_line_header_read(struct dwarf_line_header *header,
			   const struct dwarf_line_sections *sections, uint64_t offset,
			   const char *comp_dir);
void dwarf_line_header_release(struct dwarf_line_header *header);

#endif
