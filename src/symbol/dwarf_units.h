#ifndef TSPROF_SYMBOL_DWARF_UNITS_H
#define TSPROF_SYMBOL_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which compilation unit a vaddr belongs to, from the units' own ranges, since
 * clang and rustc write no .debug_aranges; that section is asked for what is
 * left.  A unit is known by the offset of its DIE.
 */
struct dwarf_unit_range {
	uint64_t low;
	uint64_t high;
	Dwarf_Off unit;
};

struct dwarf_units {
	struct dwarf_unit_range *ranges; /* sorted by low */
	size_t n_ranges;
	size_t capacity;
	Dwarf_Aranges *aranges; /* borrowed from the Dwarf; NULL when there are none */
	uint64_t first_vaddr;
};

/* More ranges than any real program has. */
#define DWARF_UNITS_MAX_RANGES ((size_t)32 << 20)

/*
 * Ranges below `first_vaddr`, the file's first code, belong to functions that
 * the linker threw away.  Returns 0 or -ENOMEM.
 */
int dwarf_units_load(struct dwarf_units *units, Dwarf *dwarf, uint64_t first_vaddr);
void dwarf_units_release(struct dwarf_units *units);

bool dwarf_units_find(const struct dwarf_units *units, uint64_t vaddr, Dwarf_Off *ret_unit);

#endif
