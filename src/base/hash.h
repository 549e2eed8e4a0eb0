#ifndef TSPROF_BASE_HASH_H
#define TSPROF_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* A mix whose low bits depend on every input bit (the finaliser of splitmix64). */
static inline uint64_t hash_u64(uint64_t value)
{
	value ^= value >> 30;
	value *= UINT64_C(0xbf58476d1ce4e5b9);
	value ^= value >> 27;
	value *= UINT64_C(0x94d049bb133111eb);
	return value ^ (value >> 31);
}

static inline uint64_t hash_pair(uint64_t a, uint64_t b)
{
	return hash_u64(a ^ (b * UINT64_C(0x9e3779b97f4a7c15)) ^ (b >> 32));
}

uint64_t hash_bytes(const void *data, size_t size);

/*
 * An open-addressing index from a hash to positions in an array that the
 * caller owns.  The index stores only positions; the caller compares items:
 *
 *	struct hash_cursor cursor = hash_index_cursor(&index, hash);
 *
 *	while ((at = hash_index_next(&index, &cursor)) != HASH_INDEX_NONE)
 *		if (item_equals(&items[at], key))
 *			return at;
 *	return hash_index_add(&index, hash, n_items);
 *
 * Deleting is not supported; `hash_index_clear` forgets all.
 */
struct hash_index {
	struct hash_index_slot {
		uint32_t tag;	   /* the folded hash: most misses cost no item look-up */
		uint32_t position; /* HASH_INDEX_NONE when empty */
	} * slots;
	uint32_t n_slots; /* a power of two, or 0 */
	uint32_t n_used;
};

struct hash_cursor {
	uint32_t tag;
	uint32_t slot;
};

#define HASH_INDEX_NONE UINT32_MAX

void hash_index_release(struct hash_index *index);
void hash_index_clear(struct hash_index *index);

/* Returns 0 or -ENOMEM. */
int hash_index_add(struct hash_index *index, uint64_t hash, uint32_t position);

static inline uint32_t hash_fold(uint64_t hash)
{
	return (uint32_t)(hash ^ (hash >> 32));
}

static inline struct hash_cursor hash_index_cursor(const struct hash_index *index, uint64_t hash)
{
	const uint32_t tag = hash_fold(hash);

	return (struct hash_cursor){ .tag = tag, .slot = tag & (index->n_slots - 1) };
}

/* Have the slot brought into the cache for a look-up that comes soon. */
static inline void hash_index_prefetch(const struct hash_index *index, uint64_t hash)
{
	if (index->n_slots)
		__builtin_prefetch(&index->slots[hash_fold(hash) & (index->n_slots - 1)]);
}

/* The next position that may hold the key, or HASH_INDEX_NONE. */
static inline uint32_t hash_index_next(const struct hash_index *index, struct hash_cursor *cursor)
{
	if (!index->n_slots)
		return HASH_INDEX_NONE;
	for (;;) {
		const struct hash_index_slot found = index->slots[cursor->slot];

		cursor->slot = (cursor->slot + 1) & (index->n_slots - 1);
		if (found.position == HASH_INDEX_NONE || found.tag == cursor->tag)
			return found.position;
	}
}

#endif
