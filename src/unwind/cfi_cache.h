#ifndef TSPROF_UNWIND_CFI_CACHE_H
#define TSPROF_UNWIND_CFI_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/cfi_rule.h"
#include "unwind/cfi_spans.h"
#include "unwind/cfi_tables.h"
#include "unwind/unwinder.h"
#include "unwind/walk_memo.h"

/*
 * What is known of an ip of one process: its rule and its location, kept in a
 * direct-mapped table.  Entries live while the address space's generation does, so
 * that a module mapped where another one was is never unwound by the old rules.
 */
struct cfi_entry {
	uint64_t ip;
	struct cfi_rule rule;
	uint32_t generation;
	uint32_t location; /* CFI_ENTRY_NO_LOCATION until it is part of a stack */
	uint32_t module;
	bool is_used;
};

enum {
	CFI_CACHE_FIRST_BITS = 12,
	CFI_CACHE_GROWTH_BITS = 2,
	CFI_CACHE_LAST_BITS = 14,
};

#define CFI_ENTRY_NO_LOCATION UINT32_MAX

/*
 * The unwind_cache of the backend `cfi`: from 128 KiB for a process that hardly runs
 * to 512 KiB for a large one.
 */
struct unwind_cache {
	struct cfi_entry *entries;
	unsigned int n_bits;
	size_t n_filled;			     /* since it has this size */
	struct cfi_code_rows *code_rows;	     /* NULL until code is read */
	struct walk_memo memos[WALK_MEMO_PER_CACHE]; /* by tid */
};

/* The unwind tables of all modules, by module id; shared by all processes. */
struct cfi_modules {
	struct cfi_tables **tables; /* NULL until first needed */
	size_t n_tables;
	size_t capacity;
	struct cfi_spans spans;
};

void cfi_modules_release(struct cfi_modules *modules);

/* What filling the cache needs. */
struct cfi_cache_context {
	struct cfi_modules *modules;
	struct unwind_process *process;
	const struct unwind_images *images;
	struct location_table *locations;
	enum arch arch;
	bool is_out_of_memory; /* set when something could not be kept */
};

/* A module's file; NULL when it is not readable, or was made for another machine. */
const struct elf_image *cfi_modules_image(const struct cfi_cache_context *context, uint32_t module);

/*
 * The tables of a module; NULL when its file is not readable, was made for another
 * machine, or memory is short.
 */
struct cfi_tables *cfi_modules_get(struct cfi_cache_context *context, uint32_t module);

/*
 * Make the process's cache, or a larger one when it was filled over and over.
 * Entries move: not while one is borrowed.  Returns 0 or -ENOMEM.
 */
int cfi_cache_prepare(struct unwind_process *process);

/*
 * Have what is known of an ip, or will have to be, brought into the cache: half of the samples
 * are where none was lately, and each thing to look up would be waited for.  A hint.
 */
void cfi_cache_look_ahead(const struct cfi_cache_context *context, uint64_t ip);

/* The slow half of cfi_cache_get: reads the tables.  False when the ip is not mapped. */
bool cfi_cache_fill(struct cfi_cache_context *context, uint64_t ip, struct cfi_entry *entry);

static inline size_t cfi_cache_place(uint64_t ip, unsigned int n_bits)
{
	return (size_t)((ip * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - n_bits));
}

static inline bool cfi_entry_is_of(const struct cfi_entry *entry, uint64_t ip, uint32_t generation)
{
	return entry->ip == ip && entry->is_used && entry->generation == generation;
}

/*
 * The entry of an ip, which for return addresses is already stepped back.
 * Borrowed until the next call; NULL when the ip is in no executable mapping.
 */
static inline struct cfi_entry *cfi_cache_get(struct cfi_cache_context *context, uint64_t ip)
{
	const struct unwind_cache *cache = context->process->cache;
	struct cfi_entry *entry = &cache->entries[cfi_cache_place(ip, cache->n_bits)];

	if (cfi_entry_is_of(entry, ip, context->process->space.generation))
		return entry;
	return cfi_cache_fill(context, ip, entry) ? entry : NULL;
}

/*
 * Read the code before the entry's return address, for CFI_RULE_AFTER_CALL and
 * CFI_RULE_NO_CODE.  Apart from filling, because it costs a page of the file that
 * only the ladder needs.
 */
void cfi_cache_look(struct cfi_cache_context *context, struct cfi_entry *entry);

/* The location of an entry, interned when first asked for. */
uint32_t cfi_cache_intern(struct cfi_cache_context *context, struct cfi_entry *entry);

static inline uint32_t cfi_cache_location(struct cfi_cache_context *context,
					  struct cfi_entry *entry)
{
	if (entry->location != CFI_ENTRY_NO_LOCATION)
		return entry->location;
	return cfi_cache_intern(context, entry);
}

#endif
