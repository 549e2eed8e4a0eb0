#ifndef TSPROF_RECORD_WAIT_REASONS_H
#define TSPROF_RECORD_WAIT_REASONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sample_state.h"
#include "symbol/kernel_symbols.h"

/*
 * What a thread waits for, from the kernel functions on its stack when it left
 * the CPU.  Their names change from one kernel to the next, so that what is not
 * known stays SAMPLE_WAITING, and nothing else depends on it.
 */
struct wait_reasons {
	struct kernel_symbols symbols; /* empty where the kernel hides them */
	uint8_t *by_symbol;	       /* what each says, by its place in the table; 0: not asked */
};

/* -ENOMEM. */
int wait_reasons_init(struct wait_reasons *reasons);
void wait_reasons_release(struct wait_reasons *reasons);

/*
 * `ips` are innermost first.  `ret_n_scheduler` of them are the scheduler
 * itself, which every wait has.
 */
enum sample_state wait_reasons_find(struct wait_reasons *reasons, const uint64_t *ips, size_t n_ips,
				    size_t *ret_n_scheduler);

/* What a function says about a stack that it is on. */
struct wait_clue {
	enum sample_state state; /* SAMPLE_WAITING: nothing */
	bool is_scheduler;
	bool is_weak; /* unless a function farther out says more */
};

struct wait_clue wait_reasons_clue(const char *name, size_t name_bytes);

#endif
