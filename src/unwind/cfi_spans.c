/* One place for each block; the hash chooses it, and the last one to come stays. */
#include "unwind/cfi_spans.h"

#include <stdlib.h>

void cfi_spans_release(struct cfi_spans *spans)
{
	free(spans->places);
	spans->places = NULL;
}

void cfi_spans_put(struct cfi_spans *spans, uint32_t module, uint64_t vaddr,
		   const struct cfi_span *span)
{
	if (span->end - span->start > UINT32_MAX)
		return;
	if (!spans->places)
		spans->places = calloc((size_t)1 << CFI_SPANS_BITS, sizeof(*spans->places));
	if (!spans->places)
		return;
	spans->places[cfi_spans_place(module, vaddr)] = (struct cfi_known_span){
		.start = span->start,
		.size = (uint32_t)(span->end - span->start),
		.module = module,
		.rule = span->rule,
	};
}
