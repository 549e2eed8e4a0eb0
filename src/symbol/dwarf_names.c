/* Names and paths out of DWARF, demangled and interned once each. */
#include "symbol/dwarf_names.h"

#include <dwarf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buffer.h"
#include "symbol/demangle.h"

static uint64_t name_hash(const void *key, enum dwarf_name_kind kind)
{
	return hash_pair((uint64_t)(uintptr_t)key, kind);
}

static bool names_find(const struct dwarf_names *names, const void *key, enum dwarf_name_kind kind,
		       uint32_t *ret_id)
{
	struct hash_cursor cursor = hash_index_cursor(&names->index, name_hash(key, kind));
	uint32_t at;

	while ((at = hash_index_next(&names->index, &cursor)) != HASH_INDEX_NONE) {
		if (names->names[at].key == key && names->names[at].kind == kind) {
			*ret_id = names->names[at].id;
			return true;
		}
	}
	return false;
}

static int names_add(struct dwarf_names *names, const void *key, enum dwarf_name_kind kind,
		     uint32_t id)
{
	struct dwarf_name *grown = array_grown(names->names, &names->capacity, names->n_names + 1,
					       sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	names->names = grown;
	grown[names->n_names] = (struct dwarf_name){ .key = key, .kind = kind, .id = id };
	return hash_index_add(&names->index, name_hash(key, kind), (uint32_t)names->n_names++);
}

int dwarf_names_function(struct dwarf_names *names, Dwarf_Die *die, uint32_t *ret_id,
			 bool *ret_is_complete)
{
	const char *text = dwarf_scopes_linkage_name(die);
	struct buffer demangled = BUFFER_INIT;
	int r = -ENOMEM;

	*ret_id = 0;
	*ret_is_complete = text != NULL;
	if (!text)
		text = dwarf_diename(die);
	if (!text || names_find(names, text, DWARF_NAME_FUNCTION, ret_id))
		return 0;
	demangle_add(&demangled, text);
	if (!demangled.is_failed)
		r = interner_add_sized(names->strings, ret_id, buffer_string(&demangled),
				       demangled.size);
	buffer_release(&demangled);
	return r < 0 ? r : names_add(names, text, DWARF_NAME_FUNCTION, *ret_id);
}

int dwarf_names_inlined(struct dwarf_names *names, struct dwarf_scopes *scopes, Dwarf_Die *die,
			uint32_t *ret_id)
{
	struct buffer text = BUFFER_INIT;
	Dwarf_Attribute attribute;
	Dwarf_Die origin = *die;
	bool is_complete;
	int r;

	if (dwarf_attr(die, DW_AT_abstract_origin, &attribute))
		(void)dwarf_formref_die(&attribute, &origin);
	if (names_find(names, origin.addr, DWARF_NAME_ORIGIN, ret_id))
		return 0;
	if (dwarf_scopes_linkage_name(die)) {
		r = dwarf_names_function(names, die, ret_id, &is_complete);
	} else {
		dwarf_scopes_add_function(scopes, &text, die);
		r = text.is_failed ? -ENOMEM
				   : interner_add_sized(names->strings, ret_id,
							buffer_string(&text), text.size);
		buffer_release(&text);
	}
	return r < 0 ? r : names_add(names, origin.addr, DWARF_NAME_ORIGIN, *ret_id);
}

int dwarf_names_path(struct dwarf_names *names, const char *path, uint32_t *ret_id)
{
	int r;

	*ret_id = 0;
	if (!path || names_find(names, path, DWARF_NAME_PATH, ret_id))
		return 0;
	r = interner_add(names->strings, ret_id, path);
	return r < 0 ? r : names_add(names, path, DWARF_NAME_PATH, *ret_id);
}

void dwarf_names_release(struct dwarf_names *names)
{
	free(names->names);
	hash_index_release(&names->index);
	*names = (struct dwarf_names){ 0 };
}
