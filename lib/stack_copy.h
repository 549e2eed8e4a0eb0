#ifndef TSPROF_LIB_STACK_COPY_H
#define TSPROF_LIB_STACK_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/sigprof_client.h"

/* Whether it is on the stack that the thread began on. */
bool client_stack_is_own(const struct client_thread *thread, uint64_t sp);

/*
 * In the handler: what of the stack from `sp` on is to be taken, as long as there is room for much
 * in the ring; the room that it takes; and the copy.  What is not there is left out of it, and of
 * `stack`.  `is_alternate`: another stack, and the thread's own is in use beside it.
 */
struct sigprof_stack client_stack_plan(const struct client_thread *thread, uint64_t sp,
				       bool is_alternate);
uint32_t client_stack_room(const struct sigprof_stack *stack);
void client_stack_copy(const struct client_thread *thread, uint8_t *to, uint64_t sp,
		       struct sigprof_stack *stack);

#endif
