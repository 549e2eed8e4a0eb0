/*
 * The walk goes from a unit through namespaces to functions, and into those
 * that hold an address.  Only when addresses remain without a function it looks
 * everywhere else too: into classes (where rustc and clang put functions),
 * other functions (nested ones) and imported units (dwz).
 */
#include "symbol/dwarf_inlines.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/array.h"

/* Deeper trees are not followed. */
enum { DWARF_INLINES_MAX_DEPTH = 256 };

/* The first address at or after `vaddr`. */
static size_t lower_bound(const struct dwarf_inlines *inlines, uint64_t vaddr)
{
	size_t low = 0;
	size_t high = inlines->n_vaddrs;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (inlines->vaddrs[middle] < vaddr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool take_visit(struct dwarf_inlines *inlines)
{
	if (inlines->visits_left == 0)
		return false;
	inlines->visits_left--;
	return true;
}

static int add_call(struct dwarf_inlines *inlines, const Dwarf_Die *die, uint32_t parent)
{
	struct dwarf_call *grown = array_grown(inlines->calls, &inlines->calls_capacity,
					       inlines->n_calls + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	inlines->calls = grown;
	grown[inlines->n_calls++] = (struct dwarf_call){ .die = *die, .parent = parent };
	return 0;
}

/*
 * Give the addresses in the DIE's ranges that belonged to `parent` to the call
 * `claimer`, which may be `parent` itself to only ask.  Returns how many.
 */
static size_t claim(struct dwarf_inlines *inlines, Dwarf_Die *die, uint32_t parent,
		    uint32_t claimer)
{
	size_t n_claimed = 0;
	ptrdiff_t at = 0;
	Dwarf_Addr base;
	Dwarf_Addr low;
	Dwarf_Addr high;

	while ((at = dwarf_ranges(die, at, &base, &low, &high)) > 0 && take_visit(inlines)) {
		if (low < inlines->first_vaddr)
			continue;
		for (size_t i = lower_bound(inlines, low);
		     i < inlines->n_vaddrs && inlines->vaddrs[i] < high; i++) {
			if (inlines->innermost[i] != parent || !take_visit(inlines))
				continue;
			inlines->innermost[i] = claimer;
			n_claimed++;
		}
	}
	return n_claimed;
}

static bool has_code_range(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) || dwarf_hasattr(die, DW_AT_ranges);
}

/* The calls inlined below `die`, whose addresses belong to `parent`. */
static int walk_calls(struct dwarf_inlines *inlines, Dwarf_Die *die, uint32_t parent, int depth)
{
	Dwarf_Die child;

	if (depth > DWARF_INLINES_MAX_DEPTH || dwarf_child(die, &child) != 0)
		return 0;
	do {
		const uint32_t call = (uint32_t)inlines->n_calls;
		int r = 0;

		if (!take_visit(inlines))
			return 0;
		switch (dwarf_tag(&child)) {
		case DW_TAG_inlined_subroutine:
			if (claim(inlines, &child, parent, call) > 0) {
				r = add_call(inlines, &child, parent);
				if (r == 0)
					r = walk_calls(inlines, &child, call, depth + 1);
			}
			break;
		case DW_TAG_lexical_block:
		case DW_TAG_try_block:
		case DW_TAG_catch_block:
		case DW_TAG_with_stmt:
			if (!has_code_range(&child) || claim(inlines, &child, parent, parent) > 0)
				r = walk_calls(inlines, &child, parent, depth + 1);
			break;
		default:
			break;
		}
		if (r < 0)
			return r;
	} while (dwarf_siblingof(&child, &child) == 0);
	return 0;
}

static int walk_function(struct dwarf_inlines *inlines, Dwarf_Die *die)
{
	const uint32_t call = (uint32_t)inlines->n_calls;
	int r;

	if (!has_code_range(die) || claim(inlines, die, DWARF_NO_CALL, call) == 0)
		return 0;
	r = add_call(inlines, die, DWARF_NO_CALL);
	return r < 0 ? r : walk_calls(inlines, die, call, 0);
}

static bool is_searched(int tag, bool is_thorough)
{
	return tag == DW_TAG_namespace || tag == DW_TAG_module || is_thorough;
}

/* Note what functions can stand in, and themselves; `scope` becomes a namespace's own. */
static int note_scope(struct dwarf_inlines *inlines, const Dwarf_Die *die, int tag, uint32_t *scope)
{
	switch (tag) {
	case DW_TAG_namespace:
	case DW_TAG_module:
		return dwarf_scopes_add_namespace(&inlines->scopes, die, *scope, scope);
	case DW_TAG_subprogram:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		return dwarf_scopes_add_place(&inlines->scopes, die, *scope);
	default:
		return 0;
	}
}

/* Functions below `die`: in namespaces only, or, looking for the rest, everywhere. */
static int walk_scopes(struct dwarf_inlines *inlines, Dwarf_Die *die, bool is_thorough,
		       uint32_t scope, int depth)
{
	Dwarf_Die child;

	if (depth > DWARF_INLINES_MAX_DEPTH || dwarf_child(die, &child) != 0)
		return 0;
	do {
		const int tag = dwarf_tag(&child);
		Dwarf_Attribute attribute;
		uint32_t inner = scope;
		Dwarf_Die imported;
		int r = 0;

		if (!take_visit(inlines))
			return 0;
		if (!is_thorough)
			r = note_scope(inlines, &child, tag, &inner);
		if (r == 0 && (tag == DW_TAG_subprogram || tag == DW_TAG_entry_point))
			r = walk_function(inlines, &child);
		if (r == 0 && tag == DW_TAG_imported_unit && is_thorough &&
		    dwarf_attr(&child, DW_AT_import, &attribute) &&
		    dwarf_formref_die(&attribute, &imported))
			r = walk_scopes(inlines, &imported, is_thorough, inner, depth + 1);
		else if (r == 0 && is_searched(tag, is_thorough))
			r = walk_scopes(inlines, &child, is_thorough, inner, depth + 1);
		if (r < 0)
			return r;
	} while (dwarf_siblingof(&child, &child) == 0);
	return 0;
}

int dwarf_inlines_walk(struct dwarf_inlines *inlines, Dwarf_Die *unit, const uint64_t *vaddrs,
		       size_t n_vaddrs)
{
	uint32_t *grown = array_grown(inlines->innermost, &inlines->innermost_capacity, n_vaddrs,
				      sizeof(*grown));
	bool is_complete = true;
	int r;

	if (!grown)
		return -ENOMEM;
	inlines->innermost = grown;
	inlines->vaddrs = vaddrs;
	inlines->n_vaddrs = n_vaddrs;
	inlines->n_calls = 0;
	dwarf_scopes_begin(&inlines->scopes, unit);
	for (size_t i = 0; i < n_vaddrs; i++)
		inlines->innermost[i] = DWARF_NO_CALL;
	r = walk_scopes(inlines, unit, false, DWARF_NO_SCOPE, 0);
	for (size_t i = 0; i < n_vaddrs; i++)
		is_complete &= inlines->innermost[i] != DWARF_NO_CALL;
	if (r == 0 && !is_complete)
		r = walk_scopes(inlines, unit, true, DWARF_NO_SCOPE, 0);
	return r;
}

void dwarf_inlines_release(struct dwarf_inlines *inlines)
{
	free(inlines->innermost);
	free(inlines->calls);
	dwarf_scopes_release(&inlines->scopes);
	*inlines = (struct dwarf_inlines){ 0 };
}
