#ifndef TSPROF_MODEL_STACK_H
#define TSPROF_MODEL_STACK_H

#include <stdint.h>

/* No walk goes deeper; cc1plus was seen at 1433 frames. */
enum { STACK_MAX_FRAMES = 4096 };

/* Why a walk ended.  Numbers are stored in profile files: append only. */
enum stack_end {
	STACK_COMPLETE = 0,	  /* reached the thread's outermost frame */
	STACK_TRUNCATED_DUMP = 1, /* the next frame lies beyond the copied bytes */
	STACK_NO_CFI = 2,	  /* code without unwind information, nothing else fits */
	STACK_BAD_MEMORY = 3,	  /* an address that cannot be a frame: not readable, no progress */
	STACK_LIMIT = 4,	  /* STACK_MAX_FRAMES reached */
	STACK_NO_REGISTERS = 5,	  /* the kernel gave no user registers */
	STACK_KERNEL_ONLY = 6,	  /* a kernel thread: there is no user stack; counts as complete */
	STACK_NOT_SAMPLED = 7,	  /* no walk at all: CPU time that no tick fell into */
	STACK_NOT_TAKEN = 8,	  /* no walk at all: a wait whose beginning was not seen */
	STACK_N_ENDS
};

/* "complete", "stack dump", …: the words used in reports and in `[truncated: …]`. */
const char *stack_end_name(enum stack_end end);

/*
 * What a walk produced, innermost frame first.  `locations` are ids of a
 * location_table; a return address is already stepped back into its call.
 *
 * Frames further out that are still as the thread's last walk left them need not
 * be copied: they may be given apart, outermost first, borrowed from the unwinder
 * until its next walk.
 */
struct stack {
	uint32_t n_frames;
	uint32_t n_outer; /* together no more than STACK_MAX_FRAMES */
	const uint32_t *outer_locations;
	const uint64_t *outer_ips;
	enum stack_end end;
	uint32_t end_module;	     /* the module without CFI, for STACK_NO_CFI; else 0 */
	uint64_t needed_stack_bytes; /* deepest address read, less the stack pointer */
	uint32_t locations[STACK_MAX_FRAMES];
	uint64_t ips[STACK_MAX_FRAMES]; /* as found: return addresses are not stepped back */
};

/* No frames; `end` holds unless the walk finds another. */
void stack_clear(struct stack *stack, enum stack_end end);

/* Have all frames in `locations` and `ips`. */
void stack_join(struct stack *stack);

#endif
