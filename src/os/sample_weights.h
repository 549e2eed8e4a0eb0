#ifndef TSPROF_OS_SAMPLE_WEIGHTS_H
#define TSPROF_OS_SAMPLE_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "os/sampler_record.h"

/*
 * How much time each sample stands for: what its event counted since the
 * sample before.  An event of one thread on one CPU is a stream of its own.
 */
struct sample_weights {
	uint64_t period_ns;
	bool has_counts; /* records carry read_value; else every weight is one period */
	bool is_time;	 /* read_value is in ns; else read_time_ns is taken */
	bool is_capped;	 /* kernel time is counted but not sampled: never more than a period */
	struct weight_stream {
		uint64_t id;
		uint64_t last;
	} * streams;
	size_t n_streams;
	size_t capacity;
	struct hash_index index;
};

void sample_weights_release(struct sample_weights *weights);

/* The weight of the next sample, in ns; when memory is short, one period. */
uint64_t sample_weights_next(struct sample_weights *weights, const struct sampler_record *record);

#endif
