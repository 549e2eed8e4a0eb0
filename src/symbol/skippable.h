#ifndef TSPROF_SYMBOL_SKIPPABLE_H
#define TSPROF_SYMBOL_SKIPPABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * x86-64 instructions with which functions begin and that a probe may be put behind:
 * they only compute in registers, other than the stack pointer, from registers,
 * constants and memory that they read.  All others count as not known.
 *
 * `keeps_arguments`: not in the registers of arguments either.  Returns the
 * instruction's length; 0 when it may not be skipped.
 */
size_t skippable_bytes(const uint8_t *code, size_t size_bytes, bool keeps_arguments);

/*
 * May somebody jump to one of [from, to], which are addresses in `code` that begins at
 * `start`?  Every byte is taken as if a direct jump or call began there, so yes may be
 * wrong, and no is not.
 */
bool skippable_may_be_jumped_to(const uint8_t *code, size_t size_bytes, uint64_t start,
				uint64_t from, uint64_t to);

/* May there be a jump to an address that is only known when the program runs? */
bool skippable_may_jump_anywhere(const uint8_t *code, size_t size_bytes);

#endif
