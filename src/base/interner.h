#ifndef TSPROF_BASE_INTERNER_H
#define TSPROF_BASE_INTERNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

/*
 * Every distinct string once, as a small number.  Id 0 is "" and always there,
 * so a zeroed id means "no string".  Strings never move: what `interner_get`
 * returns is valid until the interner is released.
 */
struct interner {
	const char **strings; /* by id; each NUL-terminated, may not be UTF-8 */
	uint32_t *sizes;      /* by id, in bytes without the NUL */
	size_t n_strings;
	size_t capacity;
	size_t sizes_capacity;
	struct hash_index index;
	struct interner_block *blocks;
};

/* The longest string kept, in bytes; longer ones are cut there. */
enum { INTERNER_STRING_MAX_BYTES = 1 << 20 };

/* Returns 0 or -ENOMEM. */
int interner_init(struct interner *interner);
void interner_release(struct interner *interner);

/* The id of the string, added if new; returns 0 or -ENOMEM. */
int interner_add(struct interner *interner, uint32_t *ret_id, const char *string);
int interner_add_sized(struct interner *interner, uint32_t *ret_id, const char *data, size_t size);

/* Borrowed.  An id that was never given out reads as "". */
static inline const char *interner_get(const struct interner *interner, uint32_t id)
{
	return id < interner->n_strings ? interner->strings[id] : "";
}

#endif
