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
 *
 * Where records were lost, the kernel tells so right before the next one, and
 * prepares both in the same place: this one's STREAM_ID is then that of the event
 * that its own was inherited from (__perf_output_begin, Linux 6.18).  So the stream of
 * a sample after a loss is found by its thread and CPU.
 */
struct sample_weights {
	uint64_t period_ns;
	bool has_counts;   /* records carry read_value; else every weight is one period */
	bool is_time;	   /* read_value is in ns; else read_time_ns is taken */
	bool is_capped;	   /* kernel time is counted but not sampled: never more than a period */
	bool is_inherited; /* each stream is of one thread, not of all on a CPU */
	struct weight_stream {
		uint64_t id; /* 0: no sample has told it yet */
		uint64_t last;
		uint32_t tid; /* is_inherited; 0: another stream's by now */
		uint32_t cpu;
	} * streams;
	size_t n_streams;
	size_t capacity;
	struct hash_index index;      /* by id */
	struct hash_index of_threads; /* by thread and CPU */
};

void sample_weights_release(struct sample_weights *weights);

/* The weight of the next sample, in ns; when memory is short, one period. */
uint64_t sample_weights_next(struct sample_weights *weights, const struct sampler_record *record);

/* That of a sample that carries no count, because it came a period after the one before. */
uint64_t sample_weights_period(struct sample_weights *weights, const struct sampler_record *record);

#endif
