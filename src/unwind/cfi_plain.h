#ifndef TSPROF_UNWIND_CFI_PLAIN_H
#define TSPROF_UNWIND_CFI_PLAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "model/registers.h"
#include "unwind/cfi_entry.h"
#include "unwind/cfi_rule.h"

/* A rule, and the addresses at which it holds. */
struct cfi_span {
	uint64_t start;
	uint64_t end;
	struct cfi_rule rule;
};

/*
 * The rule at `vaddr`, which the FDE must cover, straight from the FDE's program:
 * what cfi_row_at and cfi_rule_pack make of it, in much less time
 * because only the columns are followed that a rule has.
 *
 * False where the program needs more, or makes no sense; then those two must be
 * asked.  Asks for fde->initial.  Bounded by the program's bytes, allocates nothing.
 */
bool cfi_plain_span(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
		    struct cfi_span *ret_span);

#endif
