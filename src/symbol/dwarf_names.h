#ifndef TSPROF_SYMBOL_DWARF_NAMES_H
#define TSPROF_SYMBOL_DWARF_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/interner.h"

/*
 * Strings of one Dwarf as ids of an interner.  libdw hands out the same pointer
 * for the same string, so each is demangled and hashed once, by its address.
 */
struct dwarf_names {
	struct interner *strings; /* borrowed */
	struct dwarf_name {
		const char *text;
		uint32_t id;
	} * names;
	size_t n_names;
	size_t capacity;
	struct hash_index index;
};

/* The function that a DIE, or its abstract origin, names; 0 when it has no name. */
int dwarf_names_function(struct dwarf_names *names, Dwarf_Die *die, uint32_t *ret_id);

/* Whether that name is a linkage name, and so complete. */
bool dwarf_names_has_linkage_name(Dwarf_Die *die);

/* A source path; NULL is 0. */
int dwarf_names_path(struct dwarf_names *names, const char *path, uint32_t *ret_id);

void dwarf_names_release(struct dwarf_names *names);

#endif
