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

#endif
