#ifndef TSPROF_UNWIND_CFI_SPANS_H
#define TSPROF_UNWIND_CFI_SPANS_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "unwind/cfi_plain.h"

/*
 * Rules of all modules by where they hold, the last one of each block of addresses.  Half of
 * the addresses that were not met before lie where one nearby has shown the rule already:
 * neither the function has to be searched for then, nor its program run.
 */
enum { CFI_SPANS_BLOCK_BITS = 8, CFI_SPANS_BITS = 13 };

struct cfi_spans {
	struct cfi_known_span {
		uint64_t start;
		uint32_t size;
		uint32_t module;
		struct cfi_rule rule;
	} * places; /* NULL until first used: 192 KiB */
};

void cfi_spans_release(struct cfi_spans *spans);

/* Remember what holds at `vaddr`; without memory for it nothing is. */
void cfi_spans_put(struct cfi_spans *spans, uint32_t module, uint64_t vaddr,
		   const struct cfi_span *span);

static inline size_t cfi_spans_place(uint32_t module, uint64_t vaddr)
{
	return (size_t)(hash_pair(vaddr >> CFI_SPANS_BLOCK_BITS, module) >> (64 - CFI_SPANS_BITS));
}

/* Have the place brought into the cache for a look-up that comes soon. */
static inline void cfi_spans_prefetch(const struct cfi_spans *spans, uint32_t module,
				      uint64_t vaddr)
{
	if (spans->places)
		__builtin_prefetch(&spans->places[cfi_spans_place(module, vaddr)]);
}

/* The rule at `vaddr`, if it is known; borrowed until the next put.  NULL if not. */
static inline const struct cfi_rule *cfi_spans_find(const struct cfi_spans *spans, uint32_t module,
						    uint64_t vaddr)
{
	const struct cfi_known_span *place;

	if (!spans->places)
		return NULL;
	place = &spans->places[cfi_spans_place(module, vaddr)];
	return place->module == module && vaddr - place->start < place->size ? &place->rule : NULL;
}

#endif
