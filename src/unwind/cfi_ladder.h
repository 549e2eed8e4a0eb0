#ifndef TSPROF_UNWIND_CFI_LADDER_H
#define TSPROF_UNWIND_CFI_LADDER_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/cfi_cache.h"
#include "unwind/cfi_frame.h"
#include "unwind/stack_dump.h"

enum cfi_ladder_step {
	CFI_LADDER_FOUND, /* the frame is the caller's now */
	CFI_LADDER_ROOT,  /* the frame is the outermost */
	CFI_LADDER_CUT,	  /* the chain goes on at fp, in what was not copied */
	CFI_LADDER_LOST,
};

/*
 * One step where there is no call frame information, and the code could not be followed
 * (unwind/code_row.h).  In this order, each
 * accepted only when what it finds is proven:
 *	search	for code that never returns: see unwind/cfi_search.h
 *	root	sp points at argc, argv and their end: the program's entry
 *	leaf	exact frames: the return address is at sp (aarch64: in lr)
 *	chain	fp points at a frame record in the dump
 *	search	for other code
 * A return address is proven when it is mapped executable and follows a call.
 */
enum cfi_ladder_step cfi_ladder_climb(struct cfi_cache_context *context,
				      const struct stack_dump *dump, struct cfi_frame *frame);

/* Whether a return address is proven, or at least mapped where no code is at hand. */
bool cfi_ladder_is_return(struct cfi_cache_context *context, uint64_t ip);
bool cfi_ladder_is_behind_call(struct cfi_cache_context *context, uint64_t ip);

/* Whether a program's arguments lie there, or behind a word or two that its entry has pushed. */
bool cfi_ladder_is_arguments(const struct stack_dump *dump, uint64_t sp);

/*
 * Is the return address one that no call left behind, the first byte of a function?
 * Then it was put there to begin a stack, as makecontext does, and has no caller.
 */
bool cfi_ladder_is_planted(struct cfi_cache_context *context, const struct cfi_frame *frame,
			   struct cfi_entry *entry);

/*
 * The registers that the kernel saved at sp when it delivered a signal, by DWARF
 * number.  False when they are not in the dump.
 */
bool cfi_signal_registers(const struct stack_dump *dump, enum arch arch, uint64_t sp,
			  struct registers *ret_registers);

#endif
