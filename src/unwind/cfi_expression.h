#ifndef TSPROF_UNWIND_CFI_EXPRESSION_H
#define TSPROF_UNWIND_CFI_EXPRESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/registers.h"
#include "unwind/stack_dump.h"

/* Deeper or longer expressions are refused; compilers write a dozen operations. */
enum { CFI_EXPRESSION_MAX_DEPTH = 64, CFI_EXPRESSION_MAX_STEPS = 1000 };

/*
 * What an expression may look at; memory is the dump only.  `missing_address` tells the
 * address that could not be read, when that was the reason to fail.
 */
struct cfi_expression_context {
	const struct registers *registers;
	const struct stack_dump *dump;
	uint64_t missing_address; /* set when a read failed, else 0 */
};

/*
 * The value of a DWARF expression (DWARF 5, 2.5.1), with `*first` pushed before
 * it starts unless NULL.  Returns false for what is malformed or not readable.
 */
bool cfi_expression_value(struct cfi_expression_context *context, const uint8_t *expression,
			  size_t size, const uint64_t *first, uint64_t *ret_value);

#endif
