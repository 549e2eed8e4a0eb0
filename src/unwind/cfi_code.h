#ifndef TSPROF_UNWIND_CFI_CODE_H
#define TSPROF_UNWIND_CFI_CODE_H

#include <stdbool.h>

#include "unwind/cfi_cache.h"
#include "unwind/cfi_frame.h"

/*
 * Entries without call frame information, by what their code says (unwind/code_row.h).  An
 * address is either one that a thread was at or one that a call returns to, so that one
 * rule serves for all frames with it.
 */

/*
 * The row where `frame` is, which is in the module of `entry`; NULL where there is none.
 * Borrowed until the next call: few are kept, by address, for walks that need all registers.
 */
const struct cfi_row *cfi_code_row(struct cfi_cache_context *context, const struct cfi_frame *frame,
				   const struct cfi_entry *entry);

/*
 * Read the code, unless that was done: the rule, with CFI_RULE_BY_CODE, takes the place of
 * CFI_RULE_NONE.
 */
void cfi_code_look(struct cfi_cache_context *context, const struct cfi_frame *frame,
		   struct cfi_entry *entry);

void cfi_code_rows_release(struct cfi_code_rows *rows);

#endif
