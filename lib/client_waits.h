#ifndef TSPROF_LIB_CLIENT_WAITS_H
#define TSPROF_LIB_CLIENT_WAITS_H

#include <stdint.h>

#include "lib/sigprof_wire.h"

/* Whatever it takes and returns. */
typedef void (*wait_function)(void);

/* A function of the C library that may wait. */
struct wait_call {
	wait_function jump; /* what is called; NULL before the first call */
	void *real;	    /* what is shown: its first instruction is where the thread waits */
	const char *name;
	uint32_t reason; /* enum sigprof_wait_reason */
};

/* What the code around the call leaves on the stack; its layout is in wrap_waits.c. */
struct wait_frame {
	uint64_t stack_argument; /* a copy of the seventh, where the call finds it */
	uint64_t arguments[8];	 /* x86-64: rdi, rsi, rdx, rcx, r8, r9, rax and nothing */
	struct wait_call *call;
	uint64_t saved[12]; /* as they were: x86-64 rbx, rbp, r12 to r15; aarch64 x19 to x30 */
#if defined(__x86_64__)
	uint64_t padding;
#endif
};

/* The stack pointer, and all registers that an unwinder needs, as at the call. */
uint64_t wait_frame_sp(const struct wait_frame *frame);
void wait_frame_registers(const struct wait_frame *frame, uint64_t *registers);

/* Around the call; the first gives what is to be called.  Both keep errno. */
wait_function wait_enter(struct wait_frame *frame);
void wait_leave(struct wait_frame *frame);

/* Before there are other threads: waiting is to be told. */
void client_waits_enable(void);

extern int waits_are_on __attribute__((visibility("hidden")));

#endif
