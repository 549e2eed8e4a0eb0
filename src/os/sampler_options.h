#ifndef TSPROF_OS_SAMPLER_OPTIONS_H
#define TSPROF_OS_SAMPLER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/perf_event.h"
#include "os/trace_events.h"

/* Samples in the kernel. */
enum sampler_kernel {
	SAMPLER_KERNEL_AUTO,	 /* with their kernel stacks, where that is permitted */
	SAMPLER_KERNEL_REQUIRED, /* … or not at all */
	SAMPLER_KERNEL_NONE,	 /* their user stacks alone */
};

/* What is asked of an engine. */
struct sampler_options {
	const struct perf_event_kind *event;
	bool is_event_required; /* no other will do */
	uint64_t rate_hz;
	uint64_t stack_bytes; /* of each dump, at most; 0: as much as fits */
	bool is_paused;	      /* no samples before sampler_resume */
	bool is_attaching;    /* to running processes, with sampler_attach; implies is_paused */
	bool is_system;	      /* all of them */
	enum sampler_kernel kernel;
	const char *command;		  /* to be launched; NULL: not known, or none */
	bool with_switches;		  /* tell when threads wait, and where */
	const struct probe_point *probes; /* tell when threads come by; borrowed */
	size_t n_probes;
	bool without_programs; /* no BPF programs for them, though they were allowed */
};

/* What the engine got; valid once the target is watched. */
struct sampler_facts {
	bool has_kernel;	/* samples in the kernel, with their kernel stacks if asked for */
	bool has_kernel_time;	/* time in the kernel is in the samples' weights */
	uint64_t period_ns;	/* 0 when the event does not count time */
	uint64_t stack_bytes;	/* of each dump */
	uint64_t ring_bytes;	/* for each CPU, or thread */
	uint32_t n_cpus;	/* online */
	bool has_programs;	/* hits of probes are written by BPF programs */
	bool has_stack_program; /* and user stacks copied by one */
};

#endif
