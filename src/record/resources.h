#ifndef TSPROF_RECORD_RESOURCES_H
#define TSPROF_RECORD_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "os/process_memory.h"
#include "record/process_table.h"

/*
 * The memory of the target's processes over time, for report --memory.
 *
 * Never more than 0.13 % of one core: a round of readings that took a time t is
 * not followed by another within 1000 t.  What takes the kernel long (PSS, [heap] and switches)
 * is read of one process at a time, of each at most once a second, and only when 4000 times
 * what it will probably take has passed since the start without being spent so.  Readings that fill
 * RESOURCES_MAX_READINGS are thinned out to half, of two the larger one staying, and come half as
 * often then.
 */
enum {
	RESOURCES_DEFAULT_HZ = 10,
	RESOURCES_MAX_HZ = 1000,
	RESOURCES_MAX_PROCESSES = 64, /* at a time; others wait for one to end */
	RESOURCES_MAX_READINGS = 1 << 16,
};

struct resources {
	struct profile *profile;	       /* borrowed */
	const struct process_table *processes; /* borrowed */
	struct watched_process {
		struct process_memory_files files;
		uint64_t details_ns; /* when they were last read; 0: never */
		uint64_t n_voluntary_switches;
		uint64_t n_involuntary_switches;
	} watched[RESOURCES_MAX_PROCESSES];
	size_t n_watched;
	size_t n_seen; /* processes of the table that were new once */
	size_t cursor; /* where to look for numbers that are used again */
	uint64_t interval_ns;
	uint64_t next_ns;
	uint64_t start_ns;	   /* of the first round */
	uint64_t details_spent_ns; /* CPU time */
	int fd; /* readable when it is time; -1: the caller comes by often enough */
};

#define RESOURCES_INIT ((struct resources){ .fd = -1 })

/* `rate_hz` is more than 0. */
int resources_open(struct resources *resources, struct profile *profile,
		   const struct process_table *processes, uint64_t rate_hz, struct error *err);
void resources_close(struct resources *resources);

/* One of the target's, before anything tells of it. */
void resources_watch(struct resources *resources, uint32_t pid);

/* Read what is due at `now_ns`, or all when `is_final`.  Returns 0 or -ENOMEM. */
int resources_take(struct resources *resources, uint64_t now_ns, bool is_final);

#endif
