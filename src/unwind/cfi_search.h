#ifndef TSPROF_UNWIND_CFI_SEARCH_H
#define TSPROF_UNWIND_CFI_SEARCH_H

#include <stdbool.h>

#include "unwind/cfi_cache.h"
#include "unwind/cfi_frame.h"
#include "unwind/stack_dump.h"

/*
 * One step from a function without call frame information, where nothing tells what the code does
 * behind `frame`: above all from what never returns, such as exit, abort, and what begins
 * programs and threads in musl.  The words above the stack pointer are looked through for a
 * return address that is proven:
 *	called	behind a call of the function: followed from its beginning, it has moved
 *		the stack pointer just so far
 *	root	in the code that began the program or the thread, where the call of
 *		it lies, with no other return address before
 *	begun	behind a call by register or memory, with no other return address before, in
 *		code that has call frame information, by which a few steps lead to the outermost
 *		frame: what main and threads' functions are called by
 * What is found is kept as the rule of frame's address.  False leaves the frame as it is.
 */
bool cfi_search_caller(struct cfi_cache_context *context, const struct stack_dump *dump,
		       struct cfi_frame *frame);

/* Whether the code where `frame` is has no call frame information and never returns. */
bool cfi_search_is_endless(struct cfi_cache_context *context, const struct cfi_frame *frame);

#endif
