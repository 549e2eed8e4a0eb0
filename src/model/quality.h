#ifndef TSPROF_MODEL_QUALITY_H
#define TSPROF_MODEL_QUALITY_H

#include <stdint.h>

#include "model/stack.h"

/* How far the rest can be trusted; filled by the recorder, zero when imported. */
struct quality {
	uint64_t n_samples;		  /* while running; waits are counted apart */
	uint64_t n_lost;		  /* samples that the kernel had no room for */
	uint64_t n_lost_events;		  /* mmap, comm and fork records lost */
	uint64_t n_throttled;		  /* times that the kernel paused sampling */
	uint64_t n_by_end[STACK_N_ENDS];  /* samples by enum stack_end; none is STACK_NOT_SAMPLED */
	uint64_t n_unresolved;		  /* samples whose innermost frame has no name */
	uint64_t sampled_ns;		  /* sum of the weights of samples */
	uint64_t not_sampled_ns;	  /* … and of time that no tick fell into, no samples */
	uint64_t stolen_ns;		  /* left out of both: the hypervisor had the CPU */
	uint64_t target_cpu_ns;		  /* user + system, see recording_finish.c; 0: not known */
	uint64_t recorder_cpu_ns;	  /* tsprof's own */
	uint64_t needed_stack_bytes_p999; /* of the dump, by 99.9 % of the stacks */
	uint64_t n_waits;		  /* times that a thread did not run */
	uint64_t waited_ns;		  /* sum of the weights of waits */
	uint64_t n_waits_bare;		  /* waits without a stack, or with a cut one … */
	uint64_t waited_bare_ns;	  /* … and their weights */
	uint64_t n_lost_switches;	  /* records of switches that were lost */
	uint64_t n_dropped; /* the oldest samples and waits, left out to keep the file small */
};

#endif
