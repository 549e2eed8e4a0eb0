#ifndef TSPROF_RECORD_INTAKE_H
#define TSPROF_RECORD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "model/stack.h"
#include "os/sampler_record.h"
#include "record/jit_table.h"
#include "record/kernel_map.h"
#include "record/marks_intake.h"
#include "record/module_table.h"
#include "record/probe_calls.h"
#include "record/process_table.h"
#include "record/wait_reasons.h"
#include "record/waits.h"
#include "symbol/symbolizer.h"
#include "unwind/unwinder.h"

/*
 * From perf's records, in order of time, to the profile: mappings and names are
 * followed, samples are unwound and become (thread, stack, time, weight).
 * In steady state, when everything has been seen once, nothing is allocated.
 */
enum {
	INTAKE_MAX_LOCATIONS = STACK_MAX_FRAMES + 1024 + 1, /* user, kernel, truncation */
	INTAKE_NEED_STEP_BYTES = 256,
	INTAKE_NEED_STEPS = 65536 / INTAKE_NEED_STEP_BYTES + 1, /* the last: more */
};

struct intake {
	struct profile *profile; /* borrowed */
	const struct unwind_backend *backend;
	struct unwinder *unwinder;
	struct module_table modules;
	struct process_table processes;
	struct jit_table jit;
	struct kernel_map kernel;
	struct waits waits;
	struct marks_intake *marks; /* borrowed; who knows the scopes of samples; NULL: nobody */
	struct wait_reasons reasons;
	struct probe_calls probes;
	bool without_kernel; /* leave its frames out where waits begin */
	struct stack *stack;
	uint32_t *locations; /* the stack being put together, outermost first */
	size_t n_locations;
	uint64_t period_ns;
	uint64_t *n_by_leaf; /* samples by innermost location */
	size_t n_leaves, leaves_capacity;
	uint64_t n_by_need[INTAKE_NEED_STEPS]; /* samples by stack bytes that the walk needed */
	uint64_t n_cut_in_made_code;	       /* stacks, for want of unwind information */
	uint64_t n_bad_records;
	uint64_t forgotten_until_ns; /* the youngest that intake_forget_sample was told of */
};

int intake_init(struct intake *intake, struct profile *profile,
		const struct unwind_backend *backend, uint64_t period_ns, struct error *err);
void intake_release(struct intake *intake);

/* What the unwinder has to say about the run, to be freed; NULL when nothing. */
char *intake_statement(const struct intake *intake);

/* Only lack of memory is an error: a record that makes no sense is counted. */
int intake_record(struct intake *intake, const struct sampler_record *record, struct error *err);

/* Switches are going to be recorded; stacks of the kernel are kept or only serve for reasons. */
int intake_expect_switches(struct intake *intake, bool with_kernel, struct error *err);

/* Threads that come by these probes are going to be recorded; the plan is borrowed. */
int intake_expect_probes(struct intake *intake, const struct probe_plan *plan, struct error *err);

/* The recording ended: calls that have not returned never will. */
int intake_finish_probes(struct intake *intake, uint64_t time_ns, struct error *err);

/* Ask /proc what the threads that are known by now wait for. */
void intake_look_at_waits(struct intake *intake);

/* Waiting between a pause and a resume is left out. */
void intake_set_paused(struct intake *intake, bool is_paused, uint64_t time_ns);

/*
 * The recording ended at `time_ns`: whatever waits then has waited until then.
 */
int intake_finish_waits(struct intake *intake, uint64_t time_ns, struct error *err);

/* Take in the mappings that a process has now.  Only -ENOMEM is an error. */
int intake_read_maps(struct intake *intake, uint32_t pid);

/*
 * The CPU time of the whole run: what of it no sample stands for becomes one
 * entry without a tick.  It is the launched process's when that was the only
 * one; else nobody knows whose, and its pid is 0.
 */
int intake_add_not_sampled(struct intake *intake, uint32_t pid, uint64_t cpu_ns, struct error *err);

/* All records were taken: read what runtimes still have to tell about their code. */
int intake_end(struct intake *intake, struct error *err);

/* By module id, to be freed: what is known about code without a file; NULL without memory. */
struct symbolizer_jit *intake_jit(const struct intake *intake);

/* A sample that was counted is dropped from the file again. */
void intake_forget_sample(struct intake *intake, const struct sample *sample);

/* Complete what of profile->quality needs all samples; after symbols were resolved. */
void intake_finish_quality(struct intake *intake);

#endif
