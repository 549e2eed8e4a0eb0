#ifndef TSPROF_SYMBOL_DWARF_INLINES_H
#define TSPROF_SYMBOL_DWARF_INLINES_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/dwarf_scopes.h"

/*
 * The functions and inlined calls of one compilation unit that hold some
 * addresses, found in one walk over its tree.
 */
struct dwarf_call {
	Dwarf_Die die;
	uint32_t parent; /* the call that it is inlined into; DWARF_NO_CALL for a function */
	/* For the caller's use, 0 at first. */
	uint32_t name;
	bool is_named;
	bool has_linkage_name;
};

#define DWARF_NO_CALL UINT32_MAX

struct dwarf_inlines {
	const uint64_t *vaddrs; /* sorted, borrowed */
	size_t n_vaddrs;
	uint32_t *innermost; /* by address: index into calls, or DWARF_NO_CALL */
	size_t innermost_capacity;
	struct dwarf_call *calls;
	size_t n_calls;
	size_t calls_capacity;
	struct dwarf_scopes scopes; /* of the functions in the tree */
	uint64_t first_vaddr;	    /* functions below it were thrown away by the linker */
	uint64_t visits_left;	    /* entries that may still be looked at, over all units */
};

/*
 * Walk a unit, whose DIE this is; what an earlier call found is forgotten.
 * Returns 0 or -ENOMEM.  Broken trees end the walk, with what was found kept.
 */
int dwarf_inlines_walk(struct dwarf_inlines *inlines, Dwarf_Die *unit, const uint64_t *vaddrs,
		       size_t n_vaddrs);
void dwarf_inlines_release(struct dwarf_inlines *inlines);

#endif
