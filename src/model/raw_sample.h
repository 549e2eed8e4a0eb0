#ifndef TSPROF_MODEL_RAW_SAMPLE_H
#define TSPROF_MODEL_RAW_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/registers.h"
#include "model/sample_state.h"

/* What is told of pages is told of so many bytes, whatever the machine's pages are. */
enum {
	RAW_SAMPLE_PAGE_BYTES = 4096,
	RAW_SAMPLE_PAGE_BITS = 64, /* in a word */
	RAW_SAMPLE_PAGE_WORDS = 3,
	RAW_SAMPLE_PAGES_MAX = RAW_SAMPLE_PAGE_BITS * RAW_SAMPLE_PAGE_WORDS,
};

/*
 * One tick as a sampler hands it over: nothing is interpreted yet.  The
 * pointers are borrowed from the sampler's ring and valid until it is asked
 * for the next event.
 */
struct raw_sample {
	uint64_t time_ns;   /* CLOCK_MONOTONIC */
	uint64_t weight_ns; /* time that this sample stands for */
	uint32_t pid;
	uint32_t tid;
	uint32_t cpu;
	enum sample_state state;
	bool has_registers; /* false for kernel threads and while a process execs */
	bool is_in_kernel;  /* the tick hit kernel code; registers are still the user's */
	struct registers registers;
	const uint8_t *stack_bytes; /* the user stack from the stack pointer upwards */
	size_t stack_size_bytes;    /* what was really copied, not what was asked for */
	size_t stack_asked_bytes;   /* the dump's size; fewer copied means the stack ended */
	/* Pages in between that were not there, a bit for each from that address on. */
	uint64_t absent_pages[RAW_SAMPLE_PAGE_WORDS];
	uint64_t absent_from;
	/* The outermost end of the thread's stack, where that is deeper or another; or NULL. */
	const uint8_t *top_bytes;
	uint64_t top_address;
	size_t top_size_bytes;
	/*
	 * Holds what is likely to be the next sample's instruction pointer, but may be anything:
	 * a hint for looking ahead.  NULL: not known.
	 */
	const uint64_t *next_ip;
	const uint64_t *kernel_ips; /* innermost first; empty when not permitted */
	size_t n_kernel_ips;
};

/* Whether one of absent_pages, by its number, was not there. */
static inline bool raw_sample_is_absent(const uint64_t absent_pages[RAW_SAMPLE_PAGE_WORDS],
					uint64_t page)
{
	return page < RAW_SAMPLE_PAGES_MAX &&
	       absent_pages[page / RAW_SAMPLE_PAGE_BITS] >> page % RAW_SAMPLE_PAGE_BITS & 1;
}

static inline bool raw_sample_has_absent(const uint64_t absent_pages[RAW_SAMPLE_PAGE_WORDS])
{
	uint64_t any = 0;

	for (size_t i = 0; i < RAW_SAMPLE_PAGE_WORDS; i++)
		any |= absent_pages[i];
	return any;
}

#endif
