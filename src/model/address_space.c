/* A sorted array: processes have some hundred mappings, look-ups outnumber changes by millions. */
#include "model/address_space.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void address_space_release(struct address_space *space)
{
	free(space->mappings);
	*space = (struct address_space){ 0 };
}

void address_space_reset(struct address_space *space)
{
	space->n_mappings = 0;
	space->generation++;
}

/* The number of mappings that end at or before the address. */
static size_t n_mappings_below(const struct address_space *space, uint64_t address)
{
	size_t low = 0;
	size_t high = space->n_mappings;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (space->mappings[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct mapping *address_space_find(const struct address_space *space, uint64_t ip)
{
	const size_t at = n_mappings_below(space, ip);

	if (at == space->n_mappings || ip < space->mappings[at].start)
		return NULL;
	return &space->mappings[at];
}

static int address_space_insert(struct address_space *space, size_t at,
				const struct mapping *mapping)
{
	struct mapping *grown = array_grown(space->mappings, &space->capacity,
					    space->n_mappings + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	space->mappings = grown;
	memmove(&grown[at + 1], &grown[at], (space->n_mappings - at) * sizeof(*grown));
	grown[at] = *mapping;
	space->n_mappings++;
	return 0;
}

static void address_space_remove(struct address_space *space, size_t at)
{
	space->n_mappings--;
	memmove(&space->mappings[at], &space->mappings[at + 1],
		(space->n_mappings - at) * sizeof(*space->mappings));
}

static struct mapping mapping_above(struct mapping mapping, uint64_t address)
{
	mapping.file_offset += address - mapping.start;
	mapping.start = address;
	return mapping;
}

/* Make [start, end) free by shortening, splitting and removing what is there. */
static int address_space_cut(struct address_space *space, uint64_t start, uint64_t end)
{
	size_t at = n_mappings_below(space, start);

	while (at < space->n_mappings && space->mappings[at].start < end) {
		struct mapping *old = &space->mappings[at];
		const struct mapping whole = *old;

		space->generation++;
		if (whole.start < start) {
			old->end = start;
			at++;
			if (whole.end > end) {
				const struct mapping rest = mapping_above(whole, end);

				return address_space_insert(space, at, &rest);
			}
		} else if (whole.end > end) {
			*old = mapping_above(whole, end);
			return 0;
		} else {
			address_space_remove(space, at);
		}
	}
	return 0;
}

int address_space_map(struct address_space *space, const struct mapping *mapping)
{
	const struct mapping *same = address_space_find(space, mapping->start);
	int r;

	if (mapping->start >= mapping->end)
		return 0;
	if (same && same->start == mapping->start && same->end == mapping->end &&
	    same->module == mapping->module && same->bias == mapping->bias)
		return 0;
	r = address_space_cut(space, mapping->start, mapping->end);
	if (r < 0)
		return r;
	return address_space_insert(space, n_mappings_below(space, mapping->start), mapping);
}

int address_space_copy(struct address_space *space, const struct address_space *from)
{
	struct mapping *grown = array_grown(space->mappings, &space->capacity, from->n_mappings + 1,
					    sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	space->mappings = grown;
	if (from->n_mappings)
		memcpy(grown, from->mappings, from->n_mappings * sizeof(*grown));
	space->n_mappings = from->n_mappings;
	space->generation++;
	return 0;
}
