/* A window of counts that grows towards what occurs. */
#include "base/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many buckets at a time: half a power of two. */
enum { HISTOGRAM_GROWTH_BUCKETS = 32 };

void histogram_release(struct histogram *histogram)
{
	free(histogram->counts);
	*histogram = (struct histogram){ 0 };
}

/* Make the window hold the buckets from `first` up to `last`. */
static int histogram_reach(struct histogram *histogram, size_t first, size_t last)
{
	const size_t old_end = histogram->first + histogram->n_buckets;
	uint64_t *counts;
	size_t end;

	first -= first % HISTOGRAM_GROWTH_BUCKETS;
	end = last - last % HISTOGRAM_GROWTH_BUCKETS + HISTOGRAM_GROWTH_BUCKETS;
	if (histogram->n_buckets) {
		first = first < histogram->first ? first : histogram->first;
		end = end > old_end ? end : old_end;
	}
	counts = calloc(end - first, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	if (histogram->n_buckets)
		memcpy(counts + (histogram->first - first), histogram->counts,
		       histogram->n_buckets * sizeof(*counts));
	free(histogram->counts);
	histogram->counts = counts;
	histogram->first = first;
	histogram->n_buckets = end - first;
	return 0;
}

int histogram_add(struct histogram *histogram, uint64_t value, uint64_t n_times)
{
	const size_t bucket = histogram_bucket(value);

	if (!n_times)
		return 0;
	if (bucket - histogram->first >= histogram->n_buckets &&
	    histogram_reach(histogram, bucket, bucket) < 0)
		return -ENOMEM;
	histogram->counts[bucket - histogram->first] += n_times;
	if (!histogram->n_values || value < histogram->min)
		histogram->min = value;
	if (!histogram->n_values || value > histogram->max)
		histogram->max = value;
	histogram->n_values += n_times;
	return 0;
}

static uint64_t count_plus(uint64_t count, uint64_t more, uint64_t n_times)
{
	uint64_t sum;

	if (__builtin_mul_overflow(more, n_times, &sum) || __builtin_add_overflow(sum, count, &sum))
		return UINT64_MAX;
	return sum;
}

int histogram_merge(struct histogram *into, const struct histogram *from)
{
	return histogram_merge_times(into, from, 1);
}

int histogram_merge_times(struct histogram *into, const struct histogram *from, uint64_t n_times)
{
	if (!from->n_values || !n_times)
		return 0;
	if (histogram_reach(into, from->first, from->first + from->n_buckets - 1) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < from->n_buckets; i++) {
		uint64_t *count = &into->counts[from->first + i - into->first];

		*count = count_plus(*count, from->counts[i], n_times);
	}
	if (!into->n_values || from->min < into->min)
		into->min = from->min;
	if (!into->n_values || from->max > into->max)
		into->max = from->max;
	into->n_values = count_plus(into->n_values, from->n_values, n_times);
	return 0;
}

/* The middle of a bucket, of the numbers that can have been in it. */
static uint64_t histogram_middle(const struct histogram *histogram, size_t bucket)
{
	uint64_t low = histogram_bucket_start(bucket);
	uint64_t high = bucket + 1 < HISTOGRAM_MAX_BUCKETS ? histogram_bucket_start(bucket + 1) - 1
							   : UINT64_MAX;

	low = low < histogram->min ? histogram->min : low;
	high = high > histogram->max ? histogram->max : high;
	return low + (high - low) / 2;
}

uint64_t histogram_percentile(const struct histogram *histogram, double share)
{
	const double wanted = share * (double)histogram->n_values;
	uint64_t n_below = 0;

	if (!histogram->n_values)
		return 0;
	if (share <= 0)
		return histogram->min;
	if (share >= 1)
		return histogram->max;
	for (size_t i = 0; i < histogram->n_buckets; i++) {
		n_below += histogram->counts[i];
		if (n_below && (double)n_below >= wanted)
			return histogram_middle(histogram, histogram->first + i);
	}
	return histogram->max;
}
