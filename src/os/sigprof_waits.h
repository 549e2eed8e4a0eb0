#ifndef TSPROF_OS_SIGPROF_WAITS_H
#define TSPROF_OS_SIGPROF_WAITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/sigprof_wire.h"
#include "model/sample_state.h"
#include "os/sampler_record.h"

/*
 * What threads of a sampled process wait for.  One that waits long is looked at
 * from outside while it does: its slot says where it is, and its stack stays as it is.
 */

/* As the library names it; SAMPLE_WAITING for what it does not know. */
enum sample_state sigprof_wait_state(uint32_t reason);

/* What the descriptor of a process is, by /proc. */
enum sample_state sigprof_descriptor_state(uint32_t pid, int fd);

/* True when the slot says that its thread waits, in one wait since before `before_ns`. */
bool sigprof_wait_is_long(const struct sigprof_slot *slot, uint64_t before_ns,
			  uint32_t *ret_sequence);

/*
 * Copy where the thread waits into `sample`, its stack into `stack`, which has
 * `stack_bytes`.  False when the wait is over meanwhile.  A stack that may not be read
 * is empty.
 */
bool sigprof_wait_look(const struct sigprof_slot *slot, uint32_t sequence, uint32_t pid,
		       struct raw_sample *sample, uint8_t *stack, size_t stack_bytes,
		       uint64_t *ret_start_ns);

#endif
