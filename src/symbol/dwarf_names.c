/* Names and paths out of DWARF, demangled and interned once each. */
#include "symbol/dwarf_names.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buffer.h"
#include "symbol/demangle.h"

static int names_find(struct dwarf_names *names, const char *text, bool is_function,
		      uint32_t *ret_id)
{
	const uint64_t hash = hash_pair((uint64_t)(uintptr_t)text, is_function);
	struct hash_cursor cursor = hash_index_cursor(&names->index, hash);
	struct buffer demangled = BUFFER_INIT;
	struct dwarf_name *grown;
	uint32_t at;
	int r = -ENOMEM;

	while ((at = hash_index_next(&names->index, &cursor)) != HASH_INDEX_NONE)
		if (names->names[at].text == text) {
			*ret_id = names->names[at].id;
			return 0;
		}
	grown = array_grown(names->names, &names->capacity, names->n_names + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	names->names = grown;
	if (is_function) {
		demangle_add(&demangled, text);
		if (!demangled.is_failed)
			r = interner_add_sized(names->strings, ret_id, buffer_string(&demangled),
					       demangled.size);
		buffer_release(&demangled);
	} else {
		r = interner_add(names->strings, ret_id, text);
	}
	if (r < 0)
		return r;
	grown[names->n_names] = (struct dwarf_name){ .text = text, .id = *ret_id };
	return hash_index_add(&names->index, hash, (uint32_t)names->n_names++);
}

/*
 * The mangled name of C++ ("_Z"), Rust ("_R", "_Z") or D ("_D").  C has linkage
 * names only where an alias is meant, as glibc's __GI___libc_malloc, which
 * nobody calls it.
 */
static const char *linkage_name(Dwarf_Die *die)
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

bool dwarf_names_has_linkage_name(Dwarf_Die *die)
{
	return linkage_name(die) != NULL;
}

int dwarf_names_function(struct dwarf_names *names, Dwarf_Die *die, uint32_t *ret_id)
{
	const char *text = linkage_name(die);

	if (!text)
		text = dwarf_diename(die);
	*ret_id = 0;
	return text ? names_find(names, text, true, ret_id) : 0;
}

int dwarf_names_path(struct dwarf_names *names, const char *path, uint32_t *ret_id)
{
	*ret_id = 0;
	return path ? names_find(names, path, false, ret_id) : 0;
}

void dwarf_names_release(struct dwarf_names *names)
{
	free(names->names);
	hash_index_release(&names->index);
	*names = (struct dwarf_names){ 0 };
}
