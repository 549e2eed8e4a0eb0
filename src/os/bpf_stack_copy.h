#ifndef TSPROF_OS_BPF_STACK_COPY_H
#define TSPROF_OS_BPF_STACK_COPY_H

#include <stddef.h>

#include "os/bpf_stack_program.h"

/*
 * The part of the program that copies a stack, and what it shares with the rest.
 *
 * Registers: r6 is where the interrupted registers are, r7 this CPU's line and later how many
 * bytes, r8 the user's stack pointer, r9 the ring and later the record.
 */
enum {
	/* On the program's stack. */
	BPF_STACK_CPU_SLOT = -8,
	BPF_STACK_TIME_SLOT = -16,
	BPF_STACK_TID_SLOT = -24,
	BPF_STACK_IP_SLOT = -32,
	BPF_STACK_WAITING_SLOT = -40, /* bytes in the ring */
	BPF_STACK_LINE_SLOT = -48,    /* where this CPU's last tick is */
	BPF_STACK_TOP_SLOT = -56,
	BPF_STACK_TOP_BYTES_SLOT = -64,
	BPF_STACK_OWN_SLOTS = -64, /* each part has others below */

	BPF_STACK_MAX_JUMPS = 64,
};

/* Jumps to the same place, filled in when that is known. */
struct bpf_stack_jumps {
	size_t from[BPF_STACK_MAX_JUMPS];
	size_t n;
};

/* r9: the ring of this CPU. */
void bpf_stack_add_ring(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving);

/*
 * r9: a record with the stack; r7: how many bytes of it; r1: whether they reach to an end that
 * the table tells.  TOP_SLOT and TOP_BYTES_SLOT, which are 0: its outermost end.  `leaving`:
 * there is no room for it.
 */
void bpf_stack_add_copy(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving);

#endif
