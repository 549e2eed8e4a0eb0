#ifndef TSPROF_UNWIND_STACK_DUMP_H
#define TSPROF_UNWIND_STACK_DUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/raw_sample.h"
#include "model/stack.h"

/*
 * The copied stack of one sample, read by the addresses that it had in the
 * process.  Borrows the sample's bytes.
 */
struct stack_dump {
	const uint8_t *bytes;
	uint64_t start;	       /* the stack pointer at the sample */
	uint64_t size_bytes;   /* copied */
	uint64_t n_word_bytes; /* offsets below this have a whole word */
	uint64_t asked_bytes;  /* at most so many would have been copied */
};

static inline struct stack_dump stack_dump_of(const struct raw_sample *sample)
{
	const size_t size = sample->stack_bytes ? sample->stack_size_bytes : 0;

	return (struct stack_dump){
		.bytes = sample->stack_bytes,
		.start = registers_sp(&sample->registers),
		.size_bytes = size,
		.n_word_bytes = size >= sizeof(uint64_t) ? size - sizeof(uint64_t) + 1 : 0,
		.asked_bytes = sample->stack_asked_bytes,
	};
}

static inline bool stack_dump_read(const struct stack_dump *dump, uint64_t address,
				   uint64_t *ret_word)
{
	const uint64_t offset = address - dump->start;

	if (offset >= dump->n_word_bytes)
		return false;
	memcpy(ret_word, dump->bytes + offset, sizeof(*ret_word));
	return true;
}

/*
 * What it means that an address could not be read.  Above a dump that is as
 * long as it was asked to be there may well be stack.  When fewer bytes were
 * copied, the kernel met a page that is not there: mostly the end of the stack,
 * but in the middle of a large buffer also one that was never touched (find's
 * PATH_MAX buffers: 1 % of its samples).  So what is within the asked range is cut too.
 */
static inline enum stack_end stack_dump_end(const struct stack_dump *dump, uint64_t address)
{
	const uint64_t offset = address - dump->start;
	const bool is_short = dump->size_bytes < dump->asked_bytes;

	if (address < dump->start || (is_short && offset >= dump->asked_bytes))
		return STACK_BAD_MEMORY;
	return STACK_TRUNCATED_DUMP;
}

#endif
