#ifndef TSPROF_UNWIND_CFI_ROWS_H
#define TSPROF_UNWIND_CFI_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "model/registers.h"
#include "unwind/cfi_entry.h"

/* How a caller's register is found (DWARF 5, 6.4.1). */
enum cfi_how {
	CFI_HOW_SAME = 0, /* also: nothing is said */
	CFI_HOW_UNDEFINED,
	CFI_HOW_OFFSET,		  /* saved at CFA + offset */
	CFI_HOW_VALUE_OFFSET,	  /* is CFA + offset */
	CFI_HOW_REGISTER,	  /* is in another register */
	CFI_HOW_EXPRESSION,	  /* saved where the expression says */
	CFI_HOW_VALUE_EXPRESSION, /* is what the expression says */
};

struct cfi_column {
	union {
		int64_t offset; /* or the other register's number */
		const uint8_t *expression;
	};
	uint32_t expression_size;
	uint8_t how; /* enum cfi_how */
};

/*
 * What holds at one address: the table row of DWARF 5, 6.4.1.  Columns are by
 * DWARF register number; those past REGISTERS_MAX (vector registers) are dropped.
 */
struct cfi_row {
	const uint8_t *cfa_expression; /* NULL: CFA is cfa_register + cfa_offset */
	uint32_t cfa_expression_size;
	uint32_t cfa_register; /* REGISTERS_MAX and more: none that we track */
	int64_t cfa_offset;
	uint32_t return_register;
	uint32_t n_columns;
	bool is_signal;
	bool is_return_signed; /* aarch64 pointer authentication */
	struct cfi_column columns[REGISTERS_MAX];
};

/* Nested DW_CFA_remember_state; compilers write one, hand-written assembly two. */
enum { CFI_ROWS_MAX_STATES = 8 };

/*
 * What the program of the FDE's CIE makes, before the FDE's own: kept in
 * fde->initial it saves running it again.  Returns 0 or -EINVAL.
 */
int cfi_row_initial(const struct cfi_fde *fde, enum arch arch, struct cfi_row *ret_row);

/*
 * Run the programs of the FDE and its CIE up to `vaddr`, which it must cover.
 * Returns 0, or -EINVAL for programs that make no sense.  Expressions borrow
 * from the section.  Bounded by the programs' bytes, allocates nothing.
 */
int cfi_row_at(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch, struct cfi_row *ret_row);

#endif
