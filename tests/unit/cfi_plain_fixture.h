#ifndef TSPROF_TESTS_UNIT_CFI_PLAIN_FIXTURE_H
#define TSPROF_TESTS_UNIT_CFI_PLAIN_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "unwind/cfi_entry.h"
#include "unwind/cfi_rule.h"

/* The rule of the row, without what is kept of the CIE; false where there is no row. */
bool cfi_fixture_general_rule(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch,
			      struct cfi_rule *ret_rule);

/* Whether it is plain.  Fails the test where it is and is not the rule of the row. */
bool cfi_fixture_is_plain(const struct cfi_fde *fde, uint64_t vaddr, enum arch arch);

#endif
