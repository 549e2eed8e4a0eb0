#ifndef TSPROF_UNWIND_CFI_WALK_H
#define TSPROF_UNWIND_CFI_WALK_H

#include "model/raw_sample.h"
#include "model/stack.h"
#include "unwind/cfi_cache.h"
#include "unwind/walk_memo.h"

/*
 * Walk the stack of a sample that has registers, of a process whose cache is prepared.  The
 * trail has been begun; after a walk that needed all registers it is empty.
 */
void cfi_walk_sample(struct cfi_cache_context *cache, struct walk_trail *trail,
		     const struct raw_sample *sample, struct stack *stack);

#endif
