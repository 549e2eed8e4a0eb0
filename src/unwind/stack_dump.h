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
 * process.  Borrows the sample.
 */
struct stack_dump {
	const uint8_t *bytes;
	uint64_t start;	       /* the stack pointer at the sample */
	uint64_t size_bytes;   /* copied */
	uint64_t n_word_bytes; /* offsets below this have a whole word */
	/* Further on pages are not there: bits, from that address on. */
	uint64_t n_paged_word_bytes;
	const uint64_t *absent_pages; /* NULL: all are */
	uint64_t absent_from;
	uint64_t asked_bytes; /* at most so many would have been copied */
	/* The outermost end besides, where it was copied. */
	const uint8_t *top;
	uint64_t top_start;
	uint64_t n_top_word_bytes;
};

static inline uint64_t stack_dump_n_word_bytes(size_t size_bytes)
{
	return size_bytes >= sizeof(uint64_t) ? size_bytes - sizeof(uint64_t) + 1 : 0;
}

/* Up to the first page that is not there; all where each is. */
static inline uint64_t stack_dump_n_first_bytes(const struct raw_sample *sample, uint64_t start,
						uint64_t size)
{
	uint64_t page = (start - sample->absent_from) / RAW_SAMPLE_PAGE_BYTES;
	uint64_t first;

	while (page < RAW_SAMPLE_PAGES_MAX && !raw_sample_is_absent(sample->absent_pages, page))
		page++;
	if (page >= RAW_SAMPLE_PAGES_MAX)
		return size;
	first = sample->absent_from + page * RAW_SAMPLE_PAGE_BYTES;
	if (first <= start)
		return 0;
	return first - start < size ? first - start : size;
}

static inline struct stack_dump stack_dump_of(const struct raw_sample *sample)
{
	const size_t size = sample->stack_bytes ? sample->stack_size_bytes : 0;
	const uint64_t start = registers_sp(&sample->registers);
	const bool has_absent = raw_sample_has_absent(sample->absent_pages);

	return (struct stack_dump){
		.bytes = sample->stack_bytes,
		.start = start,
		.size_bytes = size,
		.n_word_bytes = stack_dump_n_word_bytes(
			has_absent ? stack_dump_n_first_bytes(sample, start, size) : size),
		.n_paged_word_bytes = stack_dump_n_word_bytes(size),
		.absent_pages = has_absent ? sample->absent_pages : NULL,
		.absent_from = sample->absent_from,
		.asked_bytes = sample->stack_asked_bytes,
		.top = sample->top_bytes,
		.top_start = sample->top_address,
		.n_top_word_bytes =
			sample->top_bytes ? stack_dump_n_word_bytes(sample->top_size_bytes) : 0,
	};
}

static inline bool stack_dump_is_absent(const struct stack_dump *dump, uint64_t address)
{
	return dump->absent_pages &&
	       raw_sample_is_absent(dump->absent_pages,
				    (address - dump->absent_from) / RAW_SAMPLE_PAGE_BYTES);
}

/* The word at `address`; NULL when it was not copied. */
static inline const uint8_t *stack_dump_at(const struct stack_dump *dump, uint64_t address)
{
	const uint64_t offset = address - dump->start;

	if (offset < dump->n_word_bytes)
		return dump->bytes + offset;
	if (offset < dump->n_paged_word_bytes && !stack_dump_is_absent(dump, address) &&
	    !stack_dump_is_absent(dump, address + sizeof(uint64_t) - 1))
		return dump->bytes + offset;
	return address - dump->top_start < dump->n_top_word_bytes
		       ? dump->top + (address - dump->top_start)
		       : NULL;
}

static inline bool stack_dump_read(const struct stack_dump *dump, uint64_t address,
				   uint64_t *ret_word)
{
	const uint8_t *at = stack_dump_at(dump, address);

	if (at)
		memcpy(ret_word, at, sizeof(*ret_word));
	return at;
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

	/* Between two pieces, or in what was left out. */
	if (dump->absent_pages && offset < dump->size_bytes)
		return STACK_TRUNCATED_DUMP;
	if (dump->n_top_word_bytes && address >= dump->start && address < dump->top_start)
		return STACK_TRUNCATED_DUMP;
	if (address < dump->start || (is_short && offset >= dump->asked_bytes))
		return STACK_BAD_MEMORY;
	return STACK_TRUNCATED_DUMP;
}

#endif
