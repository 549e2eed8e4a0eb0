#ifndef TSPROF_OS_BPF_STACK_PROGRAM_H
#define TSPROF_OS_BPF_STACK_PROGRAM_H

#include <stdint.h>

#include "os/bpf_code.h"

/*
 * The program that the kernel runs at each tick, before perf makes its sample: it copies
 * the user stack into the ring of its CPU, as much of it as is in use.  perf's own
 * dump reserves the whole length that was asked for, and copies until it faults.
 */
struct bpf_stack_record {
	uint64_t time_ns; /* CLOCK_MONOTONIC, when the program began */
	uint32_t tid;	  /* of the first pid namespace */
	uint32_t pid;
	uint64_t sp; /* the user's */
	uint64_t ip;
	uint32_t size_bytes; /* copied; they follow */
	uint32_t is_limited; /* to the end that the table tells, else by what is mapped */
};

struct bpf_stack_options {
	int list_fd;  /* of rings, by CPU */
	int table_fd; /* where the stacks of threads end, by tid; 0: not known */
	uint32_t asked_bytes;
	uint32_t wake_up_bytes; /* wake the recorder when so many wait in a ring */
};

/* The longest record with its bytes. */
uint32_t bpf_stack_program_record_bytes(uint32_t asked_bytes);

void bpf_stack_program_make(struct bpf_code *code, const struct bpf_stack_options *options);

#endif
