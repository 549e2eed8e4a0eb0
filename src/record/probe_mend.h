#ifndef TSPROF_RECORD_PROBE_MEND_H
#define TSPROF_RECORD_PROBE_MEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/raw_sample.h"
#include "record/probe_calls.h"

/*
 * The two repairs of a sample of a thread that is inside traced functions; see
 * probe_calls.h.  `sample` is a copy whose bytes are the caller's.
 */

/*
 * The thread was interrupted in the kernel's own code for probes: in the
 * trampoline it has already returned, in the place where the instruction
 * under a probe is carried out it is still at that.  `is_behind_probe`: its pc is
 * one byte behind a probe.  True when something changed.
 */
bool probe_mend_registers(struct raw_sample *sample, const struct probe_thread *thread,
			  uint64_t trampoline, bool is_behind_probe);

/* Does the dump hold return addresses that the kernel replaced? */
bool probe_mend_is_needed(const struct raw_sample *sample, const struct probe_thread *thread,
			  uint64_t trampoline);

/* Put them back.  All that `sample` has of its stack is in `bytes`, which may be written to. */
void probe_mend_stack(struct raw_sample *sample, uint8_t *bytes, const struct probe_thread *thread,
		      uint64_t trampoline);

#endif
