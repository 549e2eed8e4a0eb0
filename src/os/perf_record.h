#ifndef TSPROF_OS_PERF_RECORD_H
#define TSPROF_OS_PERF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/sampler_record.h"

/*
 * Records of a perf ring, decoded.  Nothing is trusted: every size is checked
 * against the record's own, texts must end inside it, and what does not fit is
 * SAMPLER_RECORD_BAD.  Pointers are borrowed from the record's bytes; a sample's
 * weight_ns is left 0.
 */

/* What the attributes of an event say about its records. */
struct perf_layout {
	uint64_t sample_type; /* PERF_SAMPLE_… */
	uint64_t read_format; /* PERF_FORMAT_… */
	size_t ip_offset;     /* perf_record_ip_offset's */
};

/*
 * The user registers tsprof asks for, as the kernel's bit mask: all that DWARF
 * numbers, nothing else.
 */
uint64_t perf_record_register_mask(void);

/*
 * The time of the record of `size_bytes` at `bytes` without decoding it, so that
 * rings can be merged; 0 when there is none.
 */
uint64_t perf_record_time_ns(const struct perf_layout *layout, const uint8_t *bytes,
			     size_t size_bytes);

/*
 * Where in a sample's record the user's instruction pointer is, while its stack of the kernel
 * is empty; 0 when it has none, or not at a place that can be told.
 */
size_t perf_record_ip_offset(const struct perf_layout *layout);

/* `bytes` must be aligned to 8 and hold `size_bytes`, at least a header. */
void perf_record_parse(struct sampler_record *record, const struct perf_layout *layout,
		       const uint8_t *bytes, size_t size_bytes);

#endif
