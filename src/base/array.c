/* Growth by doubling, with the multiplication checked. */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	ARRAY_FIRST_CAPACITY = 16,
	ARRAY_HUGE_PAGE_BYTES = 2 << 20, /* also a multiple of all page sizes */
};

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

void array_look_up_at_random(void *items, size_t size_bytes)
{
	const size_t skipped = (0 - (uintptr_t)items) % ARRAY_HUGE_PAGE_BYTES;
	size_t whole;

	if (size_bytes < skipped + ARRAY_HUGE_PAGE_BYTES)
		return;
	whole = (size_bytes - skipped) / ARRAY_HUGE_PAGE_BYTES * ARRAY_HUGE_PAGE_BYTES;
	(void)madvise((char *)items + skipped, whole, MADV_HUGEPAGE);
}
