#ifndef TSPROF_UNWIND_CODE_STATE_H
#define TSPROF_UNWIND_CODE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/elf_image.h"
#include "unwind/cfi_rows.h"

/*
 * What is in the registers of code that is followed on paper, in terms of what was in them
 * where that began.  Registers are numbered as DWARF does.
 */
enum code_kind {
	CODE_UNKNOWN = 0,
	CODE_SUM,  /* what `number` held, and `offset` */
	CODE_WORD, /* the word in memory at that address, and `addend` */
};

struct code_value {
	uint8_t kind; /* enum code_kind */
	uint8_t number;
	int32_t offset;
	int32_t addend;
};

static inline bool code_value_is_same(struct code_value a, struct code_value b)
{
	return a.kind == b.kind && a.number == b.number && a.offset == b.offset &&
	       a.addend == b.addend;
}

enum { CODE_STORES_MAX = 64, CODE_REGISTERS = 33 };

struct code_state {
	struct code_value registers[CODE_REGISTERS];
	/* What was written on the way, each address once. */
	struct code_store {
		struct code_value address;
		struct code_value value;
	} stores[CODE_STORES_MAX];
	size_t n_stores;
	uint64_t last_call; /* where it would return to; 0: none on the way */
	uint8_t sp;	    /* the number of the stack pointer */
};

enum code_step {
	CODE_GOES_ON,
	CODE_JUMPS,   /* to the target */
	CODE_FORKS,   /* to the target, or goes on */
	CODE_RETURNS, /* the state is that before the return */
	CODE_ENDS,    /* behind it comes nothing: a call that does not return, a trap */
	CODE_IS_LOST,
};

/* All registers as they are. */
void code_state_init(struct code_state *state, uint8_t sp);

/* A register's value and a number. */
struct code_value code_state_sum(const struct code_state *state, uint8_t number, int64_t offset);

struct code_value code_state_load(const struct code_state *state, struct code_value address);

/* Whether it was written on the way. */
bool code_state_is_written(const struct code_state *state, struct code_value address);

/* False when there is no room for it. */
bool code_state_store(struct code_state *state, struct code_value address, struct code_value value);

/*
 * Whether a function ends before `vaddr`, which is behind a call: by that, which does not
 * return then.  A function that begins without padding, and without room on the stack, looks
 * like more of the same.
 */
bool code_ends_x86(const struct elf_image *image, uint64_t vaddr);
bool code_ends_aarch64(const struct elf_image *image, uint64_t vaddr);

/* The instruction at *vaddr, which is moved behind it. */
enum code_step code_step_x86(const struct elf_image *image, struct code_state *state,
			     uint64_t *vaddr, uint64_t *ret_target);
enum code_step code_step_aarch64(const struct elf_image *image, struct code_state *state,
				 uint64_t *vaddr, uint64_t *ret_target);

#endif
