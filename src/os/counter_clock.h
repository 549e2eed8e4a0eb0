#ifndef TSPROF_OS_COUNTER_CLOCK_H
#define TSPROF_OS_COUNTER_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * From the CPU's time-stamp counter (x86: TSC, aarch64: cntvct_el0) to
 * CLOCK_MONOTONIC, which the kernel itself steers a little all the time.
 *
 * Both are read together now and then; what lies between two such anchors is
 * interpolated, so that errors do not add up: within the time that one reading takes, some 50 ns,
 * as long as the anchors are some 100 ms apart.  What is younger than the last
 * anchor is extrapolated.
 */
struct counter_anchor {
	uint64_t counter;
	uint64_t ns;
};

enum { COUNTER_CLOCK_MAX_ANCHORS = 64 }; /* older ones are dropped: marks are read soon */

struct counter_clock {
	struct counter_anchor anchors[COUNTER_CLOCK_MAX_ANCHORS]; /* ascending */
	size_t n_anchors;
};

/* One reading of both, the best of some. */
struct counter_anchor counter_clock_read(void);

/*
 * Add an anchor.  One that is not after the last in both, or implies a frequency
 * that no counter has (1 MHz to 20 GHz), is ignored: then 0 is returned, else 1.
 */
int counter_clock_add(struct counter_clock *clock, struct counter_anchor anchor);

/* 0 while there are fewer than two anchors. */
uint64_t counter_clock_ns(const struct counter_clock *clock, uint64_t counter);

/* What is younger than the last anchor but one, without a division; to be made anew for each. */
struct counter_line {
	uint64_t counter; /* from here on; UINT64_MAX: no line */
	uint64_t ns;
	uint64_t slope; /* ns per count, in units of 2^-COUNTER_LINE_BITS */
};

enum { COUNTER_LINE_BITS = 40 };

struct counter_line counter_clock_line(const struct counter_clock *clock);

static inline uint64_t counter_line_ns(const struct counter_line *line,
				       const struct counter_clock *clock, uint64_t counter)
{
	__extension__ typedef unsigned __int128 product;

	if (counter < line->counter)
		return counter_clock_ns(clock, counter);
	return line->ns +
	       (uint64_t)(((product)(counter - line->counter) * line->slope) >> COUNTER_LINE_BITS);
}

#endif
