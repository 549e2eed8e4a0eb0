/* Linear probing at a load of at most 2/3; the folded hash is kept, so growing needs no items. */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { HASH_INDEX_FIRST_SLOTS = 64 };

uint64_t hash_bytes(const void *data, size_t size)
{
	const unsigned char *at = data;
	uint64_t hash = UINT64_C(0x9e3779b97f4a7c15) ^ size;
	uint64_t word;

	for (; size >= sizeof(word); size -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		hash = hash_pair(hash, word);
	}
	word = 0;
	if (size)
		memcpy(&word, at, size);
	return hash_pair(hash, word);
}

void hash_index_release(struct hash_index *index)
{
	free(index->slots);
	*index = (struct hash_index){ 0 };
}

void hash_index_clear(struct hash_index *index)
{
	if (index->slots)
		memset(index->slots, 0xff, index->n_slots * sizeof(*index->slots));
	index->n_used = 0;
}

static void hash_index_place(struct hash_index *index, struct hash_index_slot item)
{
	uint32_t slot = item.tag & (index->n_slots - 1);

	while (index->slots[slot].position != HASH_INDEX_NONE)
		slot = (slot + 1) & (index->n_slots - 1);
	index->slots[slot] = item;
	index->n_used++;
}

static int hash_index_resize(struct hash_index *index, uint32_t n_slots)
{
	struct hash_index bigger = { .n_slots = n_slots };

	bigger.slots = malloc(n_slots * sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	array_look_up_at_random(bigger.slots, n_slots * sizeof(*bigger.slots));
	hash_index_clear(&bigger);
	for (uint32_t i = 0; i < index->n_slots; i++)
		if (index->slots[i].position != HASH_INDEX_NONE)
			hash_index_place(&bigger, index->slots[i]);
	hash_index_release(index);
	*index = bigger;
	return 0;
}

int hash_index_add(struct hash_index *index, uint64_t hash, uint32_t position)
{
	if (index->n_used >= index->n_slots / 3 * 2) {
		const uint32_t n_slots = index->n_slots ? index->n_slots * 2
							: HASH_INDEX_FIRST_SLOTS;
		const int r = n_slots ? hash_index_resize(index, n_slots) : -ENOMEM;

		if (r < 0)
			return r;
	}
	hash_index_place(index, (struct hash_index_slot){ hash_fold(hash), position });
	return 0;
}
