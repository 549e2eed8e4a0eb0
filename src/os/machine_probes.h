#ifndef TSPROF_OS_MACHINE_PROBES_H
#define TSPROF_OS_MACHINE_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "os/perf_refusal.h"

/*
 * What this machine really lets this process do, found by doing it to itself
 * and taking it back at once.  Settings explain; only trying decides: security
 * modules, filters and hypervisors have no file that tells.
 */
struct machine_probes {
	uint32_t uid;		/* effective */
	uint32_t n_cpus;	/* online */
	uint64_t memlock_bytes; /* RLIMIT_MEMLOCK, soft; UINT64_MAX: none */
	uint64_t n_descriptors; /* RLIMIT_NOFILE, hard; UINT64_MAX: none */

	/* What `record` would take; its name, or NULL. */
	const char *engine;
	bool is_fallback;
	bool has_sigprof;     /* this tsprof has the engine */
	struct error sigprof; /* code 0: it works */
	uint64_t sigprof_stack_bytes;
	int task_clock;	     /* its trigger: 0, or a negative errno; timers have to do then */
	int task_clock_user; /* the same in user code only */

	/* The perf engine, opened as `record` opens it. */
	struct error perf;	     /* code 0: it works */
	struct perf_refusal refusal; /* of the most modest event, or NONE */
	bool has_kernel;	     /* these four only when it works */
	uint64_t ring_bytes;
	uint64_t stack_bytes;
	bool has_stack_program;

	/* 0 or a negative errno */
	int cycles; /* a hardware counter, in user code */
	int all_processes;
	int switches;	   /* records of context switches of one's own threads */
	int switch_stacks; /* their stacks, which are taken in the kernel */
	int bpf;	   /* a map of one entry */

	struct error functions; /* probes in functions; code 0: they can be had */

	uint64_t tick_ns; /* of the kernel's clock, which CPU timers wait for; 0: not known */
};

/* `rate_hz` is the one that `record` would ask for. */
void machine_probes_run(struct machine_probes *probes, uint64_t rate_hz);

#endif
