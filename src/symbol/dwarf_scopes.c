/*
 * A function's place is found by the address of its DIE: either it was noted, or
 * it is inside of the last thing noted before it, a class or another function,
 * whose tree is then followed down to it.
 */
#include "symbol/dwarf_scopes.h"

#include <dwarf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "symbol/demangle.h"

enum {
	/* Functions in classes in functions, and blocks between them. */
	SCOPES_MAX_DEPTH = 64,
	/* References from one DIE to the one that knows more. */
	SCOPES_MAX_ORIGINS = 16,
	/* A function in a function in a function. */
	SCOPES_MAX_FUNCTIONS = 8,
};

void dwarf_scopes_begin(struct dwarf_scopes *scopes, const Dwarf_Die *unit)
{
	scopes->n_namespaces = 0;
	scopes->n_places = 0;
	scopes->unit = unit->cu;
}

void dwarf_scopes_release(struct dwarf_scopes *scopes)
{
	free(scopes->namespaces);
	free(scopes->places);
	*scopes = (struct dwarf_scopes){ 0 };
}

int dwarf_scopes_add_namespace(struct dwarf_scopes *scopes, const Dwarf_Die *die, uint32_t parent,
			       uint32_t *ret_scope)
{
	struct dwarf_namespace *grown = array_grown(scopes->namespaces,
						    &scopes->namespaces_capacity,
						    scopes->n_namespaces + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	scopes->namespaces = grown;
	grown[scopes->n_namespaces] = (struct dwarf_namespace){ .die = *die, .parent = parent };
	*ret_scope = (uint32_t)scopes->n_namespaces++;
	return 0;
}

int dwarf_scopes_add_place(struct dwarf_scopes *scopes, const Dwarf_Die *die, uint32_t scope)
{
	struct dwarf_place *grown = array_grown(scopes->places, &scopes->places_capacity,
						scopes->n_places + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	scopes->places = grown;
	grown[scopes->n_places++] = (struct dwarf_place){ .addr = die->addr, .scope = scope };
	return 0;
}

const char *dwarf_scopes_linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	const char *name;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
	    !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return NULL;
	name = dwarf_formstring(&attribute);
	return name && name[0] == '_' && (name[1] == 'Z' || name[1] == 'R' || name[1] == 'D')
		       ? name
		       : NULL;
}

/* The last place at or before `addr`; NULL when all are behind it. */
static const struct dwarf_place *find_place(const struct dwarf_scopes *scopes, const void *addr)
{
	size_t low = 0;
	size_t high = scopes->n_places;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (scopes->places[middle].addr <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &scopes->places[low - 1] : NULL;
}

static void add_scope(struct buffer *out, const char *name, const char *otherwise)
{
	buffer_add_string(out, name && *name ? name : otherwise);
	buffer_add_string(out, "::");
}

static void add_namespaces(struct dwarf_scopes *scopes, struct buffer *out, uint32_t scope)
{
	uint32_t chain[SCOPES_MAX_DEPTH];
	size_t n = 0;

	for (; scope != DWARF_NO_SCOPE && n < SCOPES_MAX_DEPTH; n++) {
		chain[n] = scope;
		scope = scopes->namespaces[scope].parent;
	}
	while (n-- > 0)
		add_scope(out, dwarf_diename(&scopes->namespaces[chain[n]].die),
			  "(anonymous namespace)");
}

/* From `die` to the child that is, or holds, the DIE at `addr`. */
static bool step_inwards(struct dwarf_scopes *scopes, Dwarf_Die *die, const void *addr)
{
	Dwarf_Die next;

	if (dwarf_child(die, &next) != 0 || next.addr > addr)
		return false;
	do {
		if (scopes->visits_left == 0)
			return false;
		scopes->visits_left--;
		*die = next;
	} while (die->addr != addr && dwarf_siblingof(die, &next) == 0 && next.addr > die->addr &&
		 next.addr <= addr);
	return true;
}

/* Where a function was declared: in its class, not where the class's file defines it. */
static void find_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die origin;

	for (int i = 0; i < SCOPES_MAX_ORIGINS; i++) {
		if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(die, DW_AT_specification, &attribute))
			return;
		if (!dwarf_formref_die(&attribute, &origin))
			return;
		*die = origin;
	}
}

/* What the function stands in, with "::" after each; false when that is not known. */
static bool add_path(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die, int depth);

/* The function that another one, or its class, stands in. */
static void add_outer_function(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die,
			       int depth)
{
	const char *linkage_name = dwarf_scopes_linkage_name(die);

	buffer_clear(out);
	if (linkage_name)
		demangle_add(out, linkage_name);
	else if (add_path(scopes, out, die, depth + 1))
		buffer_add_string(out, dwarf_diename(die) ? dwarf_diename(die) : "");
	if (out->size)
		buffer_add_string(out, "::");
}

/* `unnamed` is what to call a class that has no name. */
static void add_outer(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die,
		      const char *unnamed, int depth)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		add_outer_function(scopes, out, die, depth);
		break;
	case DW_TAG_namespace:
		add_scope(out, dwarf_diename(die), "(anonymous namespace)");
		break;
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
		add_scope(out, dwarf_diename(die), unnamed);
		break;
	default: /* a block */
		break;
	}
}

static bool add_path(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die, int depth)
{
	Dwarf_Die declaration = *die;
	const struct dwarf_place *place;
	const char *unnamed;
	const char *name;
	Dwarf_Die at;

	find_declaration(&declaration);
	if (depth > SCOPES_MAX_FUNCTIONS || declaration.cu != scopes->unit)
		return false;
	place = find_place(scopes, declaration.addr);
	if (!place)
		return false;
	add_namespaces(scopes, out, place->scope);
	name = dwarf_diename(&declaration);
	unnamed = name && strcmp(name, "operator()") == 0 ? "<lambda>" : "<unnamed>";
	at = (Dwarf_Die){ .addr = (void *)(uintptr_t)place->addr, .cu = scopes->unit };
	for (int i = 0; i < SCOPES_MAX_DEPTH && at.addr != declaration.addr; i++) {
		add_outer(scopes, out, &at, unnamed, depth);
		if (!step_inwards(scopes, &at, declaration.addr))
			return false;
	}
	return at.addr == declaration.addr;
}

void dwarf_scopes_add_function(struct dwarf_scopes *scopes, struct buffer *out, Dwarf_Die *die)
{
	const char *name = dwarf_diename(die);
	struct buffer path = BUFFER_INIT;

	if (!name)
		return;
	if (add_path(scopes, &path, die, 0))
		buffer_add_string(out, buffer_string(&path));
	buffer_add_string(out, name);
	out->is_failed |= path.is_failed;
	buffer_release(&path);
}
