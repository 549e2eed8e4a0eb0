#ifndef TSPROF_OS_BPF_PROGRAM_H
#define TSPROF_OS_BPF_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "os/bpf_code.h"
#include "os/trace_events.h"

/*
 * The program that the kernel runs where a thread comes by a probe: it writes one
 * record into the ring of its CPU, and tells the kernel to do nothing else.
 *
 * Its words are those of the kernel's own event (struct probe_point), and so is the layout of
 * what it fetches.
 */
struct bpf_program_record {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint32_t tid;	  /* of the first pid namespace */
	uint32_t pid;
	uint64_t n_lost; /* hits of this CPU that had found the ring full before */
	/* From here on as perf's: common fields, __probe_ip (of a return __probe_func and
	 * __probe_ret_ip), and what was asked for. */
	uint32_t point;
	uint32_t unused;
	uint64_t ip; /* of a return: 0, it is not needed */
};

enum { BPF_PROGRAM_FETCHED_AT = 24 /* where perf's record begins */ };

/* What programs and recorder share: this once, and then one line for each CPU. */
struct bpf_program_state {
	uint64_t is_on; /* 0: hits are passed by */
	uint64_t unused[7];
};

struct bpf_program_cpu {
	uint64_t n_lost; /* hits that found the ring full */
	uint64_t n_written;
	uint64_t unused[6];
};

struct bpf_program_options {
	int state_fd;
	int list_fd;		  /* of rings, by CPU */
	uint32_t n_cpus;	  /* lines of the state; a power of two */
	uint32_t n_until_wake_up; /* wake the recorder after so many; a power of two */
	uint32_t point;		  /* its index */
};

struct bpf_program {
	struct bpf_code code;
	size_t record_bytes;
};

/* -EINVAL: words that it does not know; -E2BIG: too much is asked for. */
int bpf_program_make(struct bpf_program *program, const struct probe_point *point,
		     const struct bpf_program_options *options);

#endif
