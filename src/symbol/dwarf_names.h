#ifndef TSPROF_SYMBOL_DWARF_NAMES_H
#define TSPROF_SYMBOL_DWARF_NAMES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/interner.h"
#include "symbol/dwarf_scopes.h"

/*
 * Strings of one Dwarf as ids of an interner.  libdw hands out the same pointer
 * for the same string, so each is demangled and hashed once, by its address; and
 * a function that was inlined in many places is asked for its name once.
 */
enum dwarf_name_kind {
	DWARF_NAME_PATH,     /* by its text's address */
	DWARF_NAME_FUNCTION, /* the same */
	DWARF_NAME_ORIGIN,   /* of an inlined function, by its DIE's address */
};

struct dwarf_names {
	struct interner *strings; /* borrowed */
	struct dwarf_name {
		const void *key;
		enum dwarf_name_kind kind;
		uint32_t id;
	} * names;
	size_t n_names;
	size_t capacity;
	struct hash_index index;
};

/*
 * The function that a DIE, or its abstract origin, names; 0 when it has no name.
 * A linkage name is complete: it has all namespaces.
 */
int dwarf_names_function(struct dwarf_names *names, Dwarf_Die *die, uint32_t *ret_id,
			 bool *ret_is_complete);

/* The same for an inlined call; without a linkage name `scopes` make it complete. */
int dwarf_names_inlined(struct dwarf_names *names, struct dwarf_scopes *scopes, Dwarf_Die *die,
			uint32_t *ret_id);

/* A source path; NULL is 0. */
int dwarf_names_path(struct dwarf_names *names, const char *path, uint32_t *ret_id);

void dwarf_names_release(struct dwarf_names *names);

#endif
