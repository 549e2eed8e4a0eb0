#ifndef TSPROF_BASE_HISTOGRAM_H
#define TSPROF_BASE_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * How often each size of a number occurred, for percentiles of durations.
 *
 * Log-linear buckets: numbers below 64 have one each, above that every power of
 * two is divided into 64 equal ones, as in Tene's HdrHistogram.  A bucket's middle
 * is within 0.8 % of every number in it.  Only the range that occurred is kept: a few KiB for
 * most uses, never more than HISTOGRAM_MAX_BUCKETS counts.
 */
enum {
	HISTOGRAM_BUCKET_BITS = 6,
	HISTOGRAM_MAX_BUCKETS = (64 - HISTOGRAM_BUCKET_BITS + 1) << HISTOGRAM_BUCKET_BITS,
};

struct histogram {
	uint64_t *counts; /* of the buckets from `first` on */
	size_t first;
	size_t n_buckets;
	uint64_t n_values;
	uint64_t min; /* meaningless while n_values is 0 */
	uint64_t max;
};

void histogram_release(struct histogram *histogram);

/* These return 0 or -ENOMEM, and then nothing has changed. */
int histogram_add(struct histogram *histogram, uint64_t value, uint64_t n_times);
int histogram_merge(struct histogram *into, const struct histogram *from);

/* Every number counts `n_times`; counts beyond 64 bits stay at the largest. */
int histogram_merge_times(struct histogram *into, const struct histogram *from, uint64_t n_times);

/*
 * The number below or at which `share` (0 to 1) of all lie, within 1 %; exact at
 * both ends.  0 when there are none.
 */
uint64_t histogram_percentile(const struct histogram *histogram, double share);

/* The bucket of a number, and the smallest number of a bucket. */
static inline size_t histogram_bucket(uint64_t value)
{
	unsigned int shift;

	if (value >> HISTOGRAM_BUCKET_BITS == 0)
		return (size_t)value;
	shift = 63 - (unsigned int)__builtin_clzll(value) - HISTOGRAM_BUCKET_BITS;
	return ((size_t)shift << HISTOGRAM_BUCKET_BITS) + (size_t)(value >> shift);
}

/*
 * One more of a number whose size occurred before; false when it did not, and then nothing has
 * changed: that is for histogram_add.
 */
static inline bool histogram_count(struct histogram *histogram, uint64_t value)
{
	const size_t bucket = histogram_bucket(value) - histogram->first;

	if (bucket >= histogram->n_buckets)
		return false;
	histogram->counts[bucket]++;
	histogram->n_values++;
	if (value < histogram->min)
		histogram->min = value;
	if (value > histogram->max)
		histogram->max = value;
	return true;
}

static inline uint64_t histogram_bucket_start(size_t bucket)
{
	const size_t n_linear = (size_t)1 << HISTOGRAM_BUCKET_BITS;
	const size_t shift = bucket < 2 * n_linear ? 0 : bucket / n_linear - 1;

	return (uint64_t)(bucket - (shift << HISTOGRAM_BUCKET_BITS)) << shift;
}

#endif
