#ifndef TSPROF_UNWIND_CFI_ENTRY_H
#define TSPROF_UNWIND_CFI_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/*
 * The entries of .eh_frame (LSB core 10.6) and .debug_frame (DWARF 5, 6.4.1).
 * Bytes are hostile: a damaged entry is refused, never followed.
 */
struct cfi_section {
	const uint8_t *bytes; /* borrowed from the image; NULL when there is none */
	size_t size_bytes;
	uint64_t vaddr;
	bool is_debug_frame;
};

struct cfi_row;

/* One function's call frame information, with what its CIE says. */
struct cfi_fde {
	uint64_t start; /* first vaddr */
	uint64_t end;	/* one past the last */
	const uint8_t *initial_program;
	size_t initial_program_size;
	const uint8_t *program;
	size_t program_size;
	uint64_t code_alignment;
	int64_t data_alignment;
	uint64_t return_register; /* the column of the return address */
	const struct cfi_section *section;
	uint64_t cie;		       /* its offset in the section */
	const struct cfi_row *initial; /* what the CIE's program makes; NULL: not yet run */
	uint8_t pointer_encoding;
	bool is_signal;	     /* 'S': the caller was interrupted, it did not call */
	bool has_data;	     /* 'z' */
	bool has_long_words; /* DWARF64 */
};

enum {
	CFI_POINTER_OMITTED = 0xff,
	CFI_POINTER_DATA_RELATIVE_S4 = 0x3b, /* what linkers write into .eh_frame_hdr */
};

/*
 * A pointer encoded as DW_EH_PE says.  `base` is the vaddr of base_bytes, for pc-relative
 * ones; `data_base` is what data-relative ones count from.  Indirect and
 * aligned pointers mark the cursor bad: they need the process's memory.
 */
uint64_t cfi_pointer(struct bytes *from, uint8_t encoding, const uint8_t *base_bytes, uint64_t base,
		     uint64_t data_base);

/* Bytes that a fixed-size encoding takes, 0 for the LEB128 ones. */
size_t cfi_pointer_size(uint8_t encoding);

enum cfi_entry_kind {
	CFI_ENTRY_BAD = 0, /* `ret_next` is valid nevertheless, if the length was */
	CFI_ENTRY_CIE,
	CFI_ENTRY_FDE,
	CFI_ENTRY_END, /* nothing more in this section */
};

/*
 * The CIEs read last, so that an FDE need not read its own again: a module has
 * two or three.  Holds FDEs of which only what the CIE says is used.
 */
enum { CFI_CIES_KEPT = 4 };

struct cfi_cies {
	struct cfi_fde known[CFI_CIES_KEPT]; /* section NULL: empty */
};

/* The entry at `offset`; `ret_next` is the offset behind it, `ret_fde` is set for an FDE. */
enum cfi_entry_kind cfi_entry_parse(const struct cfi_section *section, uint64_t offset,
				    struct cfi_fde *ret_fde, uint64_t *ret_next);

/* The FDE at `offset`, with a CIE that may be known and will be; false when there is none. */
bool cfi_entry_fde(const struct cfi_section *section, uint64_t offset, struct cfi_cies *cies,
		   struct cfi_fde *ret_fde);

/* Where the CIE of that FDE is kept: to remember its `initial`. */
static inline struct cfi_fde *cfi_cies_slot(struct cfi_cies *cies, uint64_t cie)
{
	return &cies->known[cie / 8 % CFI_CIES_KEPT];
}

#endif
