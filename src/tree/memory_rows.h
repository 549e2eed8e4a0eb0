#ifndef TSPROF_TREE_MEMORY_ROWS_H
#define TSPROF_TREE_MEMORY_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/linear_fit.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * The memory of each process over time, and how it grows.
 *
 * A leak is suspected where anonymous memory grows steadily in the second half
 * of the time, when what a program needs should be there: at least 10 readings in 1 s
 * of it, r² of their line at least 0.8, in all at least 256 KiB and 1 % more, and in the
 * last quarter of the time at 0.75 to 1.5 of that rate.  So what grows and then stays
 * is none, and what frees what it took is none.
 */
enum { MEMORY_COURSE_STEPS = 10 };

struct memory_row {
	uint32_t pid; /* 0: all processes together */
	uint32_t run;
	uint32_t thread; /* the process's first in profile.threads, or MARK_NO_THREAD */
	size_t n_readings;
	/* Times since the start of the run; bytes are RSS unless they say what. */
	uint64_t first_ns, last_ns, peak_ns;
	uint64_t first_bytes, last_bytes, peak_bytes;
	uint32_t peak_after, peak_before; /* names of the milestones around the peak; 0: none */
	uint64_t anonymous_bytes;	  /* the last */
	uint64_t pss_bytes, heap_bytes;	  /* the last that were read; 0: none were */
	uint64_t n_minor_faults, n_major_faults; /* from the first to the last, like: */
	uint64_t n_voluntary_switches, n_involuntary_switches;
	bool has_growth, has_half;
	struct linear_fit growth; /* bytes a second */
	struct linear_fit half;	  /* of anonymous memory, in the second half */
	bool is_leak_suspected;
	uint8_t course[MEMORY_COURSE_STEPS]; /* the largest in each part of the time, 1 to 8 of the
						peak's eighths; 0: no readings */
};

struct memory_rows {
	struct memory_row *rows; /* the largest peak first; all together last, if several */
	size_t n_rows;
	bool has_whole;
};

/*
 * Of what the view has of processes and times.  All together are what is resident of
 * each, pages that they share counted in each; not for profiles of several runs.
 */
int memory_rows_build(struct memory_rows *rows, const struct profile *profile,
		      const struct view *view, struct error *err);
void memory_rows_release(struct memory_rows *rows);

#endif
