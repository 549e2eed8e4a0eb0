#include "unwind/cfi_code.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "unwind/code_row.h"

enum { CODE_ROWS_KEPT = 64 };

struct cfi_code_rows {
	struct code_place {
		uint64_t pc;
		uint32_t generation;
		bool is_used;
		bool is_exact;
		bool has_row;
		struct code_row code;
	} places[CODE_ROWS_KEPT];
};

void cfi_code_rows_release(struct cfi_code_rows *rows)
{
	free(rows);
}

static struct code_place *place_of(struct cfi_cache_context *context, uint64_t pc)
{
	struct unwind_cache *cache = context->process->cache;

	if (!cache->code_rows)
		cache->code_rows = calloc(1, sizeof(*cache->code_rows));
	if (!cache->code_rows) {
		context->is_out_of_memory = true;
		return NULL;
	}
	return &cache->code_rows->places[hash_u64(pc) % CODE_ROWS_KEPT];
}

/* Compilers move what seldom happens away from its function, under such a name. */
#define COLD_PART ".cold"

/* The function that holds the place, if its file's symbols tell. */
static bool find_function(struct cfi_cache_context *context, uint32_t module, uint64_t vaddr,
			  struct function_range *ret_function)
{
	struct cfi_tables *tables = cfi_modules_get(context, module);
	const struct symbol *symbol;

	if (!tables)
		return false;
	if (!tables->has_symbols &&
	    symbol_table_load(&tables->symbols, cfi_modules_image(context, module), NULL) < 0)
		context->is_out_of_memory = true;
	tables->has_symbols = true;
	symbol = symbol_table_find(&tables->symbols, vaddr);
	if (!symbol || !symbol->has_size || strstr(symbol->name, COLD_PART))
		return false;
	*ret_function = (struct function_range){ symbol->vaddr, symbol->end - symbol->vaddr };
	return true;
}

/*
 * The way from the beginning is preferred: what comes behind it may be a call that does not
 * return, with another function next to it.
 */
static bool read_code(struct cfi_cache_context *context, struct code_place *place, uint32_t module,
		      uint64_t vaddr)
{
	const struct elf_image *image = cfi_modules_image(context, module);
	struct function_range function;

	place->code.is_endless = false;
	return (find_function(context, module, vaddr - !place->is_exact, &function) &&
		code_row_from(image, context->arch, function, vaddr, &place->code)) ||
	       code_row_at(image, context->arch, vaddr, place->is_exact, &place->code);
}

/* What the code where `frame` is tells; NULL where there is no code. */
static const struct code_place *look_up(struct cfi_cache_context *context,
					const struct cfi_frame *frame,
					const struct cfi_entry *entry)
{
	const struct mapping *mapping = address_space_find(&context->process->space, entry->ip);
	const uint32_t generation = context->process->space.generation;
	struct code_place *place;

	if (!cfi_modules_image(context, entry->module) || !mapping)
		return NULL;
	place = place_of(context, frame->pc);
	if (!place)
		return NULL;
	if (!place->is_used || place->pc != frame->pc || place->generation != generation ||
	    place->is_exact != frame->is_exact) {
		place->is_used = true;
		place->pc = frame->pc;
		place->generation = generation;
		place->is_exact = frame->is_exact;
		place->has_row = read_code(context, place, entry->module,
					   frame->pc - mapping->bias);
	}
	return place;
}

const struct cfi_row *cfi_code_row(struct cfi_cache_context *context, const struct cfi_frame *frame,
				   const struct cfi_entry *entry)
{
	const struct code_place *place = look_up(context, frame, entry);

	return place && place->has_row ? &place->code.row : NULL;
}

void cfi_code_look(struct cfi_cache_context *context, const struct cfi_frame *frame,
		   struct cfi_entry *entry)
{
	const uint8_t flags = entry->rule.flags | CFI_RULE_HAS_READ;
	const struct code_place *place;

	if (entry->rule.kind != CFI_RULE_NONE || entry->rule.flags & CFI_RULE_HAS_READ)
		return;
	place = look_up(context, frame, entry);
	if (place && place->has_row) {
		entry->rule = cfi_rule_pack(&place->code.row, context->arch);
		entry->rule.flags |= CFI_RULE_BY_CODE;
	} else if (place && place->code.is_endless) {
		entry->rule.flags |= CFI_RULE_IS_ENDLESS;
	}
	entry->rule.flags |= flags;
}
