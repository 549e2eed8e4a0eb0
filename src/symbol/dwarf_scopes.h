#ifndef TSPROF_SYMBOL_DWARF_SCOPES_H
#define TSPROF_SYMBOL_DWARF_SCOPES_H

#include <elfutils/libdw.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/*
 * Where the functions of one compilation unit stand: in which namespaces,
 * classes and functions.  Compilers write no linkage name for a function that
 * other units cannot call, and libdw knows no parents; they are noted by whoever
 * walks the tree.
 */
struct dwarf_scopes {
	struct dwarf_namespace {
		Dwarf_Die die;
		uint32_t parent; /* DWARF_NO_SCOPE: the unit */
	} * namespaces;
	size_t n_namespaces;
	size_t namespaces_capacity;
	struct dwarf_place {
		const void *addr; /* a DIE's; rising, as the tree is walked */
		uint32_t scope;	  /* the namespace that it stands in */
	} * places;
	size_t n_places;
	size_t places_capacity;
	Dwarf_CU *unit;
	uint64_t visits_left; /* entries that may still be looked at, over all units */
};

#define DWARF_NO_SCOPE UINT32_MAX

/* Forget what was noted; the unit whose DIE this is comes next. */
void dwarf_scopes_begin(struct dwarf_scopes *scopes, const Dwarf_Die *unit);
void dwarf_scopes_release(struct dwarf_scopes *scopes);

/* Note a DIE that stands in a namespace itself; in order of the tree.  0 or -ENOMEM. */
int dwarf_scopes_add_namespace(struct dwarf_scopes *scopes, const Dwarf_Die *die, uint32_t parent,
			       uint32_t *ret_scope);
int dwarf_scopes_add_place(struct dwarf_scopes *scopes, const Dwarf_Die *die, uint32_t scope);

/*
 * The mangled name of C++ ("_Z"), Rust ("_R", "_Z") or D ("_D"); else NULL.  C has
 * linkage names only where an alias is meant, as glibc's __GI___libc_malloc, which
 * nobody calls it.
 */
const char *dwarf_scopes_linkage_name(Dwarf_Die *die);

/*
 * Append the name of a function without linkage name, with what it stands in as
 * far as that is known: "ns::(anonymous namespace)::parse".  Nothing for a
 * function without a name.
 */
void dwarf_scopes_add_function(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die);

#endif
