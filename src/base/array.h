#ifndef TSPROF_BASE_ARRAY_H
#define TSPROF_BASE_ARRAY_H

#include <stddef.h>

/*
 * Growable arrays of plain structs: a pointer, a count and a capacity, kept by
 * whoever owns them.  Capacity doubles, so that appending is amortised O(1).
 *
 *	void *grown = array_grown(a->items, &a->capacity, a->n_items + 1, sizeof(*a->items));
 *	if (!grown)
 *		return -ENOMEM;
 *	a->items = grown;
 *	a->items[a->n_items++] = item;
 *
 * Returns the array, moved or not, with room for `n_needed` items of
 * `item_bytes`; NULL when memory is short, and then the old array still stands.
 */
void *array_grown(void *items, size_t *capacity, size_t n_needed, size_t item_bytes);

/*
 * Ask for huge pages under memory that is looked up at random: a table larger
 * than what the TLB covers costs a page walk for every look-up, and in a virtual
 * machine two-dimensional ones.  Does nothing to small tables, cannot fail.
 */
void array_look_up_at_random(void *items, size_t size_bytes);

#endif
