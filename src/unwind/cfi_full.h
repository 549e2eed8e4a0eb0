#ifndef TSPROF_UNWIND_CFI_FULL_H
#define TSPROF_UNWIND_CFI_FULL_H

#include <stdbool.h>
#include <stdint.h>

#include "model/registers.h"
#include "unwind/cfi_rows.h"
#include "unwind/stack_dump.h"

/*
 * The complete interpreter: all registers, all rules, all expressions.  The
 * fast walk restarts a sample here when a frame needs what it does not track.
 */
enum cfi_full_result {
	CFI_FULL_OK = 0,
	CFI_FULL_END,	  /* the return address is undefined: the outermost frame */
	CFI_FULL_MISSING, /* a word was not in the dump */
	CFI_FULL_BAD,	  /* no sense in the row */
};

/*
 * Replace the registers by the caller's.  On CFI_FULL_MISSING `ret_missing` is the
 * address; on anything but CFI_FULL_OK the registers are unchanged.
 */
enum cfi_full_result cfi_full_step(const struct cfi_row *row, const struct stack_dump *dump,
				   struct registers *registers, uint64_t *ret_missing);

#endif
