#ifndef TSPROF_OS_SIGPROF_DECODE_H
#define TSPROF_OS_SIGPROF_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/sigprof_records_wire.h"
#include "os/sampler_record.h"

/*
 * Records of the shared memory, already copied out of it, become records of a
 * sampler.  Their sizes and texts are a stranger's: what does not fit
 * is SAMPLER_RECORD_BAD.  Pointers are borrowed from `bytes`; pid, tid and weight are
 * left to the caller, who knows the thread.
 */

/* SAMPLE; with what the thread had used, and measured of waiting, by then. */
void sigprof_decode_sample(struct sampler_record *record, uint64_t *ret_cpu_ns,
			   uint64_t *ret_waited_ns, const uint8_t *bytes, size_t size_bytes);

/* SWITCH_STACK, of a wait that is over. */
void sigprof_decode_wait(struct sampler_record *record, struct sigprof_wait *ret_wait,
			 const uint8_t *bytes, size_t size_bytes);

/* MAP */
void sigprof_decode_map(struct sampler_record *record, const uint8_t *bytes, size_t size_bytes);

#endif
