#ifndef TSPROF_SYMBOL_DWARF_LINES_H
#define TSPROF_SYMBOL_DWARF_LINES_H

#include <stddef.h>
#include <stdint.h>

#include "base/interner.h"
#include "symbol/dwarf_line_header.h"

/*
 * Files and lines of some addresses of one compilation unit, found while its
 * line number program runs by.  libdw would keep and sort every row of it,
 * which takes half of the time of naming addresses.
 */
struct dwarf_line_place {
	uint32_t file; /* as dwarf_lines_path takes it; DWARF_NO_LINE: no row holds the address */
	uint32_t line; /* 0: none */
};

#define DWARF_NO_LINE UINT32_MAX
#define DWARF_NO_PROGRAM UINT64_MAX

struct dwarf_lines {
	struct dwarf_line_sections sections;
	struct dwarf_line_header header; /* of the unit at hand */
	struct dwarf_line_place *places; /* by address */
	size_t places_capacity;
	uint64_t first_vaddr; /* code below it was thrown away by the linker */
	uint64_t bytes_left;  /* of programs that may still be run, over all units */
};

/* The sections are borrowed. */
void dwarf_lines_init(struct dwarf_lines *lines, const struct dwarf_line_sections *sections,
		      uint64_t first_vaddr);
void dwarf_lines_release(struct dwarf_lines *lines);

/*
 * Run the program at `offset` (DWARF_NO_PROGRAM finds nothing) for sorted
 * addresses; what an earlier call found is forgotten.  `comp_dir` is the unit's
 * directory, NULL when it has none, and must live as long as paths are asked.
 * Returns 0 or -ENOMEM.  A broken program ends early, with what was found kept.
 */
int dwarf_lines_walk(struct dwarf_lines *lines, uint64_t offset, const char *comp_dir,
		     const uint64_t *vaddrs, size_t n_vaddrs);

/* The path of a file of that unit; 0 for a number that no file has.  0 or -ENOMEM. */
int dwarf_lines_path(struct dwarf_lines *lines, struct interner *strings, uint64_t file,
		     uint32_t *ret_id);

#endif
