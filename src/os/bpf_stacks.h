#ifndef TSPROF_OS_BPF_STACKS_H
#define TSPROF_OS_BPF_STACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "model/raw_sample.h"
#include "os/bpf_rings.h"
#include "os/sampler_record.h"

#define BPF_STACKS_NEVER_TOLD UINT64_MAX

enum { BPF_STACKS_WAKE_UPS_PER_RING = 4 };

/* How far a thread's stack is in use, as its walks have shown. */
struct bpf_stack_end {
	uint64_t address; /* 0: not known */
	uint64_t told;	  /* to the program; 0: that it is not known */
	uint32_t tid;	  /* of the first pid namespace */
	uint8_t n_moves;  /* too many: it is somewhere else each time, and not told any more */
	uint8_t n_doubts;
	uint8_t n_unused;  /* copies that did not use what was told */
	uint8_t n_gapless; /* copies page by page that had not been necessary */
	bool has_looked;   /* /proc was asked */
};

/*
 * Samples that a program writes at each tick, where it is permitted.  Those that are whole
 * need no record of perf's; of the others it has copied the user stack, and the rest is in
 * perf's sample.  To the target it costs about half of what perf's own dumps do.
 *
 * perf's samples of a CPU and what is in its ring are in the same order; they belong
 * together when they are of the same moment, thread, stack pointer and instruction.
 * Either can be lost without the other.
 */
struct bpf_stacks {
	struct bpf_rings rings;
	int table_fd, cpus_fd, program_fd;
	uint64_t asked_bytes, most_bytes; /* of each stack; of one whose end is known */
	bool has_tids;			  /* perf counts threads as programs do */
	struct bpf_stack_end *ends;
	size_t n_ends, ends_capacity;
	struct hash_index end_index; /* by tid */
	/* The last that was found. */
	struct bpf_ring *current;
	uint64_t sp, copied_bytes;
	uint64_t end; /* of what was to be copied */
	uint32_t tid;
	bool is_limited; /* to the end that was known, and not by what was asked for */
	bool is_known;	 /* that end was used */
	bool is_gapless; /* page by page, and all of them were there */
	bool has_top;	 /* the outermost end came with it */
};

#define BPF_STACKS_INIT                                                                            \
	((struct bpf_stacks){                                                                      \
		.rings = BPF_RINGS_INIT, .table_fd = -1, .cpus_fd = -1, .program_fd = -1 })

struct bpf_stacks_options {
	uint64_t ring_bytes;	 /* of each CPU, a power of two */
	uint64_t ring_min_bytes; /* … and as few of them, where there is no memory for more */
	uint64_t asked_bytes;	 /* of each stack, at most */
	uint64_t period_ns;	 /* of the ticks; 0: they are not regular, and none is whole */
};

/*
 * A negative errno with the reason when this kernel or its rules do not allow it; perf's own
 * dumps can do the same then.
 */
int bpf_stacks_open(struct bpf_stacks *stacks, const struct bpf_stacks_options *options,
		    struct error *err);
void bpf_stacks_close(struct bpf_stacks *stacks);

static inline bool bpf_stacks_is_open(const struct bpf_stacks *stacks)
{
	return stacks->rings.rings;
}

/* Nothing is full: woken for a new thread, whose stack's end the recorder has to find soon. */
static inline bool bpf_stacks_is_hurried(const struct bpf_stacks *stacks)
{
	return bpf_stacks_is_open(stacks) &&
	       bpf_rings_waiting_bytes(&stacks->rings) <
		       stacks->rings.data_bytes / BPF_STACKS_WAKE_UPS_PER_RING;
}

/* The descriptor gets readable when a quarter of a ring is full, or by such a thread. */
int bpf_stacks_poll(const struct bpf_stacks *stacks, int epoll_fd, struct error *err);

/*
 * See what there is: after the rings of the samples that it belongs to.  `is_final`: nobody
 * writes any more.
 */
void bpf_stacks_begin(struct bpf_stacks *stacks, bool is_final);

/*
 * The time of that CPU's next sample that the program has written as a whole, when it comes
 * before the next record of perf's, which is at `perf_time_ns`; else UINT64_MAX.
 */
uint64_t bpf_stacks_next_time_ns(struct bpf_stacks *stacks, size_t cpu, uint64_t perf_time_ns);

/* It: a SAMPLE without a weight, borrowed until bpf_stacks_finish. */
void bpf_stacks_take(struct bpf_stacks *stacks, size_t cpu, struct sampler_record *record);

/*
 * Give a sample of perf's its stack, which is borrowed until bpf_stacks_finish.  False when
 * there was no room for it.
 */
bool bpf_stacks_match(struct bpf_stacks *stacks, size_t cpu, struct raw_sample *sample);

/* A program was just executed: where its first stack ends can be told before its first tick. */
void bpf_stacks_expect(struct bpf_stacks *stacks, uint32_t pid);

/*
 * The sample that was taken or matched last was walked, by a walk that needed so much of the
 * stack.  It was complete, or it was not.  What is learnt shortens the next copies.
 */
void bpf_stacks_learn(struct bpf_stacks *stacks, bool is_complete, uint64_t needed_bytes);

/* The sample that was taken or matched is done with; room is given back in large pieces. */
void bpf_stacks_finish(struct bpf_stacks *stacks);

/* Give all room back to the kernel. */
void bpf_stacks_publish(struct bpf_stacks *stacks);

#endif
