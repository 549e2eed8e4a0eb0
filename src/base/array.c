/* Growth by doubling, with the multiplication checked. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

enum { ARRAY_FIRST_CAPACITY = 16 };

void *array_grown(void *items, size_t *capacity, size_t n_needed, size_t item_bytes)
{
	size_t n = *capacity ? *capacity : ARRAY_FIRST_CAPACITY;
	void *grown;

	if (items && n_needed <= *capacity)
		return items;
	while (n < n_needed) {
		if (n > SIZE_MAX / 2)
			return NULL;
		n *= 2;
	}
	grown = reallocarray(items, n, item_bytes);
	if (grown)
		*capacity = n;
	return grown;
}
