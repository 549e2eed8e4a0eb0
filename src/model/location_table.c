/* An array with a hash index beside it. */
#include "model/location_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void location_table_release(struct location_table *table)
{
	free(table->locations);
	hash_index_release(&table->index);
	*table = (struct location_table){ 0 };
}

static uint64_t location_hash(uint32_t module, uint64_t vaddr)
{
	return hash_pair(vaddr, module);
}

void location_table_prefetch(const struct location_table *table, uint32_t module, uint64_t vaddr)
{
	hash_index_prefetch(&table->index, location_hash(module, vaddr));
}

int location_table_add(struct location_table *table, uint32_t *ret_id, uint32_t module,
		       uint64_t vaddr)
{
	const uint64_t hash = location_hash(module, vaddr);
	struct hash_cursor cursor = hash_index_cursor(&table->index, hash);
	struct location *grown;
	uint32_t id;

	while ((id = hash_index_next(&table->index, &cursor)) != HASH_INDEX_NONE) {
		if (table->locations[id].vaddr == vaddr && table->locations[id].module == module) {
			*ret_id = id;
			return 0;
		}
	}
	id = (uint32_t)table->n_locations;
	grown = array_grown(table->locations, &table->capacity, (size_t)id + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	table->locations = grown;
	if (hash_index_add(&table->index, hash, id) < 0)
		return -ENOMEM;
	grown[id] = (struct location){ .vaddr = vaddr, .module = module };
	table->n_locations++;
	*ret_id = id;
	return 0;
}
