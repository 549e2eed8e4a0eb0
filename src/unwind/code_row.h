#ifndef TSPROF_UNWIND_CODE_ROW_H
#define TSPROF_UNWIND_CODE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"
#include "unwind/cfi_rows.h"

/* Where a function lies. */
struct function_range {
	uint64_t start;
	uint64_t size_bytes;
};

enum { CODE_EXPRESSIONS_BYTES = 128 };

/* A row and the expressions that it borrows; not to be moved. */
struct code_row {
	struct cfi_row row;
	uint8_t expressions[CODE_EXPRESSIONS_BYTES];
	size_t n_bytes;
	bool is_endless; /* without a row: no way returns, and none was lost sight of */
};

/*
 * What call frame information would say at an address that has none, read from the code
 * itself: assembly, and compilers' own functions.  The instructions from there to a
 * return are followed on paper: what they do to the stack pointer tells where the return
 * address lies, and what they load into the registers that a function has to preserve
 * tells where the caller's are.  Conditional jumps are followed both ways; the first return
 * counts, as code leaves the stack as it found it on all of its ways, but for loops
 * that move the stack pointer: with one of these on a way there is no row.
 *
 * It goes on at `vaddr`: behind a call that returns, or where it was interrupted when it is
 * `is_exact` (then other registers than the preserved ones hold what they hold).  False when no way
 * leads to a return, or by means that are not followed, such as jumps through tables.
 * Whoever uses it should see that a call lies before the return address.  Bounded,
 * allocates nothing.
 */
bool code_row_at(const struct elf_image *image, enum arch arch, uint64_t vaddr, bool is_exact,
		 struct code_row *ret_row);

/*
 * The same by the ways from a function's beginning to `vaddr`, which may never return.  The
 * function's size is at most what is said.  False when no way leads there, or they contradict
 * each other.
 */
bool code_row_from(const struct elf_image *image, enum arch arch, struct function_range function,
		   uint64_t vaddr, struct code_row *ret_row);

#endif
