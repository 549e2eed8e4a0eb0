#ifndef TSPROF_OS_PERF_EVENT_H
#define TSPROF_OS_PERF_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/perf_record.h"

/*
 * perf_event_open with the attributes that tsprof needs, and what to tell the
 * user when the kernel says no.
 */

/* An event that can be sampled. */
struct perf_event_kind {
	const char *name; /* as in --event */
	uint32_t type;
	uint64_t config;
	bool is_time; /* counts nanoseconds, and is sampled by period */
	bool is_wall; /* time of threads that run, and besides of those that wait */
};

/* All of them, ended by a NULL name; the first is the default. */
extern const struct perf_event_kind perf_event_kinds[];

/* NULL when there is none of that name. */
const struct perf_event_kind *perf_event_kind_find(const char *name);

/* Whether an error of opening says that the machine does not count such a thing. */
bool perf_event_is_missing(int code);

/*
 * What can be asked of this kernel by this user.  Opening switches off what is
 * refused, from the dearest to the most dispensable, and tries again.
 */
struct perf_abilities {
	bool kernel;   /* samples in the kernel, with their kernel stacks */
	bool build_id; /* MMAP2 carries build-ids (5.12) */
	bool lost;     /* reading an event tells its lost samples (6.0) */
	bool counts;   /* samples of inherited events carry their own count (6.12) */
};

/* What the events of a recording are there for. */
enum perf_event_role {
	PERF_ROLE_SIDEBAND,	 /* mappings, names, forks */
	PERF_ROLE_SAMPLES,	 /* ticks */
	PERF_ROLE_SWITCH_STACKS, /* where threads were when they left; needs kernel rights */
	PERF_ROLE_SWITCHES,	 /* when threads left their CPUs and came back */
	PERF_ROLE_PROBES,	 /* when threads came by a probe; needs root */
};

/* When an event begins to count. */
enum perf_event_start {
	PERF_EVENT_ON_EXEC,
	PERF_EVENT_AT_ONCE,
	PERF_EVENT_BY_HAND, /* with perf_event_enable */
};

struct perf_event_options {
	const struct perf_event_kind *kind;
	uint64_t rate_hz;
	uint64_t stack_bytes; /* at most PERF_EVENT_STACK_MAX_BYTES, multiple of 8 */
	uint64_t wakeup_bytes;
	pid_t pid; /* 0: the calling thread; -1: all that runs on the CPU, except idling */
	enum perf_event_start start;
	bool is_of_another; /* a process that may be somebody else's; EPERM is about it alone */
	bool without_kernel_stacks;
	bool without_user_stacks; /* of PERF_ROLE_SAMPLES: a program copies them */
	uint32_t trace_event;	  /* of PERF_ROLE_PROBES: the event's number */
	bool is_bare;	/* ticks only, without registers and stacks, or probes that only count: what
			  it costs itself */
	bool is_single; /* not inherited */
};

enum { PERF_EVENT_STACK_MAX_BYTES = 65528 };

/* The time between ticks; odd enough not to beat with anything that runs every millisecond. */
uint64_t perf_event_period_ns(uint64_t rate_hz);

/* -EINVAL when the kernel's limit is lower; the message names the sysctl. */
int perf_event_check_rate(uint64_t rate_hz, struct error *err);

/*
 * Open the event for one role of one thread on one CPU, inherited
 * by the threads and children that it starts.  Returns a descriptor or a
 * negative errno: -ENODEV when the CPU is offline, other values with a message.  `abilities` loses
 * what the kernel refused.
 */
int perf_event_open_role(enum perf_event_role role, const struct perf_event_options *options,
			 int cpu, struct perf_abilities *abilities, struct perf_layout *ret_layout,
			 struct error *err);
int perf_event_open_sampler(const struct perf_event_options *options, int cpu,
			    struct perf_abilities *abilities, struct perf_layout *ret_layout,
			    struct error *err);
int perf_event_open_sideband(const struct perf_event_options *options, int cpu,
			     struct perf_abilities *abilities, struct perf_layout *ret_layout,
			     struct error *err);

/* Switch an event by hand, and those that inherited it. */
int perf_event_enable(int fd);
int perf_event_disable(int fd);

/* What its samples carry as stream_id; those of events that inherited it differ. */
uint64_t perf_event_stream_id(int fd);

/* Write the records of `fd` to the ring of another event of the same CPU. */
int perf_event_share_ring(int fd, int other_fd);

/*
 * A program that is run wherever the event of `fd` happens: before its record is made, of a
 * trace event instead of it.
 */
int perf_event_set_program(int fd, int program_fd);

/*
 * What the event counted in its process and all that inherited it: ns for time
 * events, else the ns that it was running.  0 when it cannot be read.
 */
uint64_t perf_event_read_time_ns(int fd, const struct perf_layout *layout, bool is_time);

/* Samples that found the ring full, as the event itself counts them; 0 when not able to. */
uint64_t perf_event_read_lost(int fd, const struct perf_layout *layout);

#endif
