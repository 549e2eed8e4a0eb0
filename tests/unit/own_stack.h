#ifndef TSPROF_TESTS_UNIT_OWN_STACK_H
#define TSPROF_TESTS_UNIT_OWN_STACK_H

#include <stdint.h>

#include "model/raw_sample.h"

/* The largest dump that the kernel makes. */
enum { OWN_STACK_MAX_BYTES = 65528 };

/* A sample of the calling thread itself: its registers, and a copy of its stack. */
struct own_stack {
	_Alignas(8) uint8_t bytes[OWN_STACK_MAX_BYTES];
	struct raw_sample sample; /* points to `bytes` */
};

/*
 * Taken in a signal handler, as a sampler's would be, on SIGUSR1.  Main thread
 * only: the stack is taken to end where the environment begins.
 */
void own_stack_capture(struct own_stack *stack);

#endif
