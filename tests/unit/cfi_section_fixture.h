#ifndef TSPROF_TESTS_UNIT_CFI_SECTION_FIXTURE_H
#define TSPROF_TESTS_UNIT_CFI_SECTION_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "unwind/cfi_entry.h"

/* Call frame information written by hand: one CIE and one FDE, of any kind. */
struct cfi_description {
	const char *augmentation; /* NULL: "zR" */
	const char *initial;	  /* the CIE's program; `n_initial` bytes */
	size_t n_initial;
	const char *program; /* the FDE's */
	size_t n_program;
	uint64_t start; /* of the function */
	uint64_t size;
	uint8_t encoding; /* DW_EH_PE_* of the FDE's start; .eh_frame only */
	uint8_t version;  /* 0: 1 */
	uint8_t return_register;
	bool is_debug_frame;
	bool has_long_words; /* DWARF64 */
	bool is_aarch64;     /* code alignment 4 */
};

enum { CFI_FIXTURE_VADDR = 0x5000 };

/* Appends both to `out`, which starts at CFI_FIXTURE_VADDR; returns the FDE's offset. */
size_t cfi_description_write(struct buffer *out, const struct cfi_description *description);

struct cfi_section cfi_fixture_section(const struct buffer *bytes, bool is_debug_frame);

#endif
