#ifndef TSPROF_OS_SIGPROF_DECODE_H
#define TSPROF_OS_SIGPROF_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "os/sampler_record.h"

/*
 * Records of the shared memory, already copied out of it, become records of a
 * sampler.  Their sizes and texts are a stranger's: what does not fit
 * is SAMPLER_RECORD_BAD.  Pointers are borrowed from `bytes`; pid, tid and weight are
 * left to the caller, who knows the thread.
 */

/* SAMPLE; `ret_cpu_ns` is what the thread had used by then. */
void sigprof_decode_sample(struct sampler_record *record, uint64_t *ret_cpu_ns,
			   const uint8_t *bytes, size_t size_bytes);

/* MAP */
void sigprof_decode_map(struct sampler_record *record, const uint8_t *bytes, size_t size_bytes);

#endif
