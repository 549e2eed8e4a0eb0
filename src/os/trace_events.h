#ifndef TSPROF_OS_TRACE_EVENTS_H
#define TSPROF_OS_TRACE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/*
 * Events of the kernel's own making where a function begins or returns: uprobes,
 * defined through tracefs under names that are this process's alone and taken back in
 * the end.  By themselves they do nothing; perf events on them put the break
 * points into the processes that are watched, and into no other.
 *
 * perf's own PMU for uprobes would need no definition, but it reads the path of the file from the
 * memory of whoever opens the event, and that is the target itself when a
 * thread inherits it: its clone and fork fail with EFAULT (seen on Linux 6.18).
 *
 * tracefs is used where it is mounted; where it is not, a mount of our own is
 * made that is never attached to any directory.
 */
struct probe_point {
	const char *path; /* of the ELF file, as tsprof sees it */
	uint64_t file_offset;
	bool is_return;
	const char *fields; /* what to fetch, in the kernel's words: "sp=%sp:u64 a=%di:s32" */
};

struct trace_events {
	int dir_fd;	/* of tracefs; -1: not open */
	char group[48]; /* the events' common name */
	uint32_t *ids;	/* by index of the points */
	size_t n_ids;
};

#define TRACE_EVENTS_INIT ((struct trace_events){ .dir_fd = -1 })

enum {
	TRACE_EVENTS_MAX = 512,	       /* so many fit into one recording */
	TRACE_EVENTS_TEXT_BYTES = 136, /* of a text, at least so much is fetched */
};

/* Define one event for each point. */
int trace_events_open(struct trace_events *events, const struct probe_point *points,
		      size_t n_points, struct error *err);

/* Take them back; the perf events on them must be closed. */
void trace_events_close(struct trace_events *events);

/* Which point an event's number belongs to; SIZE_MAX when to none. */
size_t trace_events_find(const struct trace_events *events, uint32_t id);

/* Could they be had?  0, or -EACCES, -EPERM, -ENOSYS with what would help. */
int trace_events_check(struct error *err);

#endif
