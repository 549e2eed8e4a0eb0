/*
 * Filling the rule cache: mapping, module, and the rule, which is known by its span or read:
 * FDE, row.  One miss costs some 100 to 250 ns with warm pages, 600 where these are cold.
 */
#include "unwind/cfi_cache.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/cfi_code.h"
#include "unwind/cfi_plain.h"
#include "unwind/code_bytes.h"

void cfi_modules_release(struct cfi_modules *modules)
{
	for (size_t i = 0; i < modules->n_tables; i++) {
		if (modules->tables[i])
			cfi_tables_release(modules->tables[i]);
		free(modules->tables[i]);
	}
	free(modules->tables);
	cfi_spans_release(&modules->spans);
	*modules = (struct cfi_modules){ 0 };
}

const struct elf_image *cfi_modules_image(const struct cfi_cache_context *context, uint32_t module)
{
	const uint16_t machine = context->arch == ARCH_X86_64 ? EM_X86_64 : EM_AARCH64;
	const struct elf_image *image = module < context->images->n_images
						? context->images->images[module]
						: NULL;

	return image && image->machine == machine ? image : NULL;
}

/*
 * Have the tables' pages mapped at once: look-ups jump about in them, and each
 * page taken by a fault of its own would cost more than all else a miss does.
 */
static void tables_start(struct cfi_tables *tables, const struct elf_image *image)
{
	cfi_tables_init(tables, image);
	mapped_file_prefault(&image->file, image->eh_frame.bytes, image->eh_frame.size_bytes);
	mapped_file_prefault(&image->file, image->eh_frame_hdr.bytes,
			     image->eh_frame_hdr.size_bytes);
}

struct cfi_tables *cfi_modules_get(struct cfi_cache_context *context, uint32_t module)
{
	struct cfi_modules *modules = context->modules;
	const struct elf_image *image = cfi_modules_image(context, module);
	struct cfi_tables **grown;

	if (!image)
		return NULL;
	if (module >= modules->n_tables) {
		grown = array_grown(modules->tables, &modules->capacity, (size_t)module + 1,
				    sizeof(struct cfi_tables *));
		if (!grown) {
			context->is_out_of_memory = true;
			return NULL;
		}
		modules->tables = grown;
		while (modules->n_tables <= module)
			grown[modules->n_tables++] = NULL;
	}
	if (!modules->tables[module]) {
		modules->tables[module] = malloc(sizeof(struct cfi_tables));
		if (modules->tables[module])
			tables_start(modules->tables[module], image);
		else
			context->is_out_of_memory = true;
	}
	return modules->tables[module];
}

static void cache_release(struct unwind_cache *cache)
{
	for (size_t i = 0; cache && i < WALK_MEMO_PER_CACHE; i++)
		walk_memo_release(&cache->memos[i]);
	if (cache) {
		cfi_code_rows_release(cache->code_rows);
		free(cache->entries);
	}
	free(cache);
}

static struct cfi_entry *entries_new(unsigned int n_bits)
{
	const size_t size_bytes = sizeof(struct cfi_entry) << n_bits;
	/* Aligned to itself, so that huge pages fit. */
	struct cfi_entry *entries = aligned_alloc(size_bytes, size_bytes);

	if (!entries)
		return NULL;
	array_look_up_at_random(entries, size_bytes);
	memset(entries, 0, size_bytes);
	return entries;
}

/* Without memory the cache stays as it is, which is only slower. */
static void cache_grow(struct unwind_cache *cache)
{
	const unsigned int n_bits = cache->n_bits + CFI_CACHE_GROWTH_BITS;
	struct cfi_entry *entries = entries_new(n_bits);

	cache->n_filled = 0;
	if (!entries)
		return;
	for (size_t i = 0; i < (size_t)1 << cache->n_bits; i++)
		if (cache->entries[i].is_used)
			entries[cfi_cache_place(cache->entries[i].ip, n_bits)] = cache->entries[i];
	free(cache->entries);
	cache->entries = entries;
	cache->n_bits = n_bits;
}

int cfi_cache_prepare(struct unwind_process *process)
{
	struct unwind_cache *cache = process->cache;

	if (cache) {
		if (cache->n_filled >> cache->n_bits && cache->n_bits < CFI_CACHE_LAST_BITS)
			cache_grow(cache);
		return 0;
	}
	cache = calloc(1, sizeof(*cache));
	if (!cache)
		return -ENOMEM;
	cache->n_bits = CFI_CACHE_FIRST_BITS;
	cache->entries = entries_new(cache->n_bits);
	if (!cache->entries) {
		free(cache);
		return -ENOMEM;
	}
	process->cache = cache;
	process->release_cache = cache_release;
	return 0;
}

/* What the instructions around an address without call frame information tell. */
static struct cfi_rule rule_of_code(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	const int16_t crt_words = code_crt_cfa_words(image, arch, vaddr);

	if (crt_words)
		return (struct cfi_rule){ .kind = CFI_RULE_SP,
					  .cfa_words = crt_words,
					  .link_words = -1 };
	if (code_is_sigreturn(image, arch, vaddr))
		return (struct cfi_rule){ .kind = CFI_RULE_SIGNAL };
	if (code_is_before_exit(image, arch, vaddr) || code_is_goexit(image, arch, vaddr))
		return (struct cfi_rule){ .kind = CFI_RULE_END };
	return (struct cfi_rule){
		.kind = CFI_RULE_NONE,
		.flags = code_is_new_thread(image, arch, vaddr) ? CFI_RULE_NEW_THREAD : 0,
	};
}

static struct cfi_rule rule_at(struct cfi_cache_context *context, uint32_t module, uint64_t vaddr)
{
	const struct cfi_rule *known = cfi_spans_find(&context->modules->spans, module, vaddr);
	struct cfi_tables *tables;
	struct cfi_rule rule = { .kind = CFI_RULE_NONE };
	struct cfi_span span;
	struct cfi_fde fde;
	struct cfi_row row;
	int r;

	if (known)
		return *known;
	tables = cfi_modules_get(context, module);
	if (!tables)
		return rule;
	r = cfi_tables_find(tables, vaddr, &fde);
	if (r == -ENOMEM)
		context->is_out_of_memory = true;
	if (r < 0)
		return rule_of_code(cfi_modules_image(context, module), context->arch, vaddr);
	if (cfi_plain_span(&fde, vaddr, context->arch, &span)) {
		cfi_spans_put(&context->modules->spans, module, vaddr, &span);
		return span.rule;
	}
	if (cfi_row_at(&fde, vaddr, context->arch, &row) < 0)
		rule.kind = CFI_RULE_BAD;
	else
		rule = cfi_rule_pack(&row, context->arch);
	return rule;
}

void cfi_cache_look(struct cfi_cache_context *context, struct cfi_entry *entry)
{
	const struct elf_image *image = cfi_modules_image(context, entry->module);
	const struct mapping *mapping = address_space_find(&context->process->space, entry->ip);

	entry->rule.flags |= CFI_RULE_HAS_LOOKED;
	if (!image)
		entry->rule.flags |= CFI_RULE_NO_CODE;
	else if (mapping && code_is_call_end(image, context->arch, entry->ip - mapping->bias + 1))
		entry->rule.flags |= CFI_RULE_AFTER_CALL;
}

void cfi_cache_look_ahead(const struct cfi_cache_context *context, uint64_t ip)
{
	const struct unwind_cache *cache = context->process->cache;
	const struct mapping *mapping = address_space_find(&context->process->space, ip);

	if (!mapping)
		return;
	__builtin_prefetch(&cache->entries[cfi_cache_place(ip, cache->n_bits)]);
	cfi_spans_prefetch(&context->modules->spans, mapping->module, ip - mapping->bias);
	location_table_prefetch(context->locations, mapping->module, ip - mapping->bias);
}

bool cfi_cache_fill(struct cfi_cache_context *context, uint64_t ip, struct cfi_entry *entry)
{
	const struct address_space *space = &context->process->space;
	const struct mapping *mapping = address_space_find(space, ip);

	if (!mapping)
		return false;
	context->process->cache->n_filled++;
	/* The tables take as long as the memory for what mostly comes next. */
	location_table_prefetch(context->locations, mapping->module, ip - mapping->bias);
	*entry = (struct cfi_entry){
		.ip = ip,
		.rule = rule_at(context, mapping->module, ip - mapping->bias),
		.generation = space->generation,
		.location = CFI_ENTRY_NO_LOCATION,
		.module = mapping->module,
		.is_used = true,
	};
	return true;
}

uint32_t cfi_cache_intern(struct cfi_cache_context *context, struct cfi_entry *entry)
{
	const struct mapping *mapping = address_space_find(&context->process->space, entry->ip);
	uint32_t id;

	/* An entry is only valid while the space that it was filled from is. */
	if (!mapping || location_table_add(context->locations, &id, mapping->module,
					   entry->ip - mapping->bias) < 0) {
		context->is_out_of_memory = true;
		return 0;
	}
	entry->location = id;
	return id;
}
