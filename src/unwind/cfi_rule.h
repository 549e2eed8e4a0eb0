#ifndef TSPROF_UNWIND_CFI_RULE_H
#define TSPROF_UNWIND_CFI_RULE_H

#include <assert.h>
#include <stdint.h>

#include "model/registers.h"
#include "unwind/cfi_rows.h"

/*
 * A row in eight bytes: how to get from one frame to its caller while tracking
 * only pc, sp, fp (and lr).  99.9 % of the rows of a distribution fit; the rest is
 * CFI_RULE_FULL.
 */
enum cfi_rule_kind {
	CFI_RULE_NONE = 0, /* no call frame information: see unwind/cfi_ladder.h */
	CFI_RULE_SP,	   /* CFA = sp + cfa */
	CFI_RULE_FP,	   /* CFA = fp + cfa */
	CFI_RULE_SP_FAR,   /* CFA = sp + cfi_rule_far_bytes: frames of 256 KiB and more */
	CFI_RULE_DRAP,	   /* CFA = *(fp + cfa), fp = *(fp + fp): realigned stacks of gcc */
	CFI_RULE_PLT,	   /* CFA = sp + 8, and 8 more from byte `cfa` of its 16 on */
	CFI_RULE_SIGNAL,   /* the kernel's signal frame lies at sp */
	CFI_RULE_END,	   /* the outermost frame */
	CFI_RULE_FULL,	   /* needs the interpreter: see unwind/cfi_full.h */
	CFI_RULE_BAD,	   /* the row could not be read */
};

enum cfi_rule_flags {
	CFI_RULE_IS_SIGNAL = 1,	   /* the caller was interrupted: its pc is exact */
	CFI_RULE_AFTER_CALL = 2,   /* a call instruction ends behind this address */
	CFI_RULE_NO_CODE = 4,	   /* the code's bytes are not at hand: anything may be */
	CFI_RULE_HAS_LOOKED = 8,   /* the two above are known; see cfi_cache_look */
	CFI_RULE_NEW_THREAD = 16,  /* a thread begins here, unless it is its parent */
	CFI_RULE_HAS_READ = 32,	   /* the code was read for a rule; see unwind/code_row.h */
	CFI_RULE_BY_CODE = 64,	   /* … and gave this one: its return address has to be proven */
	CFI_RULE_IS_ENDLESS = 128, /* … and never returns; see unwind/cfi_search.h */
};

/* Offsets are in 8-byte words; slots count from the CFA, 0 means "not saved". */
struct cfi_rule {
	int16_t cfa_words;
	int16_t fp_words;
	int16_t link_words; /* the return address's slot; 0: it is in lr (aarch64) */
	uint8_t kind;	    /* enum cfi_rule_kind */
	uint8_t flags;	    /* enum cfi_rule_flags */
};

static_assert(sizeof(struct cfi_rule) == 8, "one load");

/* Of CFI_RULE_SP_FAR, whose link_words are the upper half; the return address is at CFA - 8. */
static inline uint64_t cfi_rule_far_bytes(struct cfi_rule rule)
{
	return ((uint64_t)(uint16_t)rule.link_words << 16 | (uint16_t)rule.cfa_words) * 8;
}

struct cfi_rule cfi_rule_pack(const struct cfi_row *row, enum arch arch);

/* The columns of a row without expressions that a rule is made of; sp is the CFA. */
struct cfi_plain_row {
	uint32_t cfa_register;
	int64_t cfa_offset;
	struct cfi_column fp;
	struct cfi_column link;
};

/* The kind and, but for its flags, the rest of the rule. */
enum cfi_rule_kind cfi_rule_pack_plain(const struct cfi_plain_row *row, enum arch arch,
				       struct cfi_rule *rule);

#endif
