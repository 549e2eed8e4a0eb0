/* Strings live in blocks that are never reallocated, so pointers to them stay. */
#include "base/interner.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum { INTERNER_BLOCK_BYTES = 64 * 1024 };

struct interner_block {
	struct interner_block *next;
	size_t used;
	size_t size;
	char data[];
};

int interner_init(struct interner *interner)
{
	uint32_t empty;

	*interner = (struct interner){ 0 };
	return interner_add_sized(interner, &empty, "", 0);
}

void interner_release(struct interner *interner)
{
	while (interner->blocks) {
		struct interner_block *block = interner->blocks;

		interner->blocks = block->next;
		free(block);
	}
	free(interner->strings);
	free(interner->sizes);
	hash_index_release(&interner->index);
	*interner = (struct interner){ 0 };
}

static char *interner_room(struct interner *interner, size_t size)
{
	struct interner_block *block = interner->blocks;
	char *room;

	if (!block || block->size - block->used < size) {
		const size_t block_size = size > INTERNER_BLOCK_BYTES ? size : INTERNER_BLOCK_BYTES;

		block = malloc(sizeof(*block) + block_size);
		if (!block)
			return NULL;
		block->next = interner->blocks;
		block->used = 0;
		block->size = block_size;
		interner->blocks = block;
	}
	room = block->data + block->used;
	block->used += size;
	return room;
}

static int interner_append(struct interner *interner, const char *data, size_t size)
{
	const size_t id = interner->n_strings;
	const char **strings;
	uint32_t *sizes;
	char *copy;

	if (id >= HASH_INDEX_NONE)
		return -ENOMEM;
	strings = array_grown(interner->strings, &interner->capacity, id + 1, sizeof(*strings));
	if (!strings)
		return -ENOMEM;
	interner->strings = strings;
	sizes = array_grown(interner->sizes, &interner->sizes_capacity, id + 1, sizeof(*sizes));
	if (!sizes)
		return -ENOMEM;
	interner->sizes = sizes;
	copy = interner_room(interner, size + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, data, size);
	copy[size] = '\0';
	strings[id] = copy;
	sizes[id] = (uint32_t)size;
	return 0;
}

int interner_add_sized(struct interner *interner, uint32_t *ret_id, const char *data, size_t size)
{
	struct hash_cursor cursor;
	uint64_t hash;
	uint32_t id;
	int r;

	if (size > INTERNER_STRING_MAX_BYTES)
		size = INTERNER_STRING_MAX_BYTES;
	hash = hash_bytes(data, size);
	cursor = hash_index_cursor(&interner->index, hash);
	while ((id = hash_index_next(&interner->index, &cursor)) != HASH_INDEX_NONE) {
		if (interner->sizes[id] == size && memcmp(interner->strings[id], data, size) == 0) {
			*ret_id = id;
			return 0;
		}
	}
	id = (uint32_t)interner->n_strings;
	r = interner_append(interner, data, size);
	if (r == 0)
		r = hash_index_add(&interner->index, hash, id);
	if (r < 0)
		return r;
	interner->n_strings++;
	*ret_id = id;
	return 0;
}

int interner_add(struct interner *interner, uint32_t *ret_id, const char *string)
{
	return interner_add_sized(interner, ret_id, string, strlen(string));
}
