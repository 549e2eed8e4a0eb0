#ifndef TSPROF_TREE_MEMORY_SERIES_H
#define TSPROF_TREE_MEMORY_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"
#include "tree/memory_rows.h"

/* Memory in order of time, of a process or of all together. */
struct memory_series {
	double *seconds; /* since the start of the run */
	double *rss_bytes;
	double *anonymous_bytes;
	size_t n;
};

/* The time that courses are drawn over. */
struct memory_frame {
	uint64_t from_ns;
	uint64_t to_ns;
};

/* Room for `n`.  Both return 0 or -ENOMEM, and are to be released in any case. */
int memory_series_init(struct memory_series *series, size_t n);

/*
 * The sum over processes, whose readings stand until their next one and are gone
 * after their last.  `readings`, one at least, are by process and in order of time.
 */
int memory_series_init_sum(struct memory_series *series, const struct resource_sample *readings,
			   size_t n, const struct profile *profile);
void memory_series_release(struct memory_series *series);

void memory_series_add(struct memory_series *series, uint64_t since_ns, uint64_t rss_bytes,
		       uint64_t anonymous_bytes);

/* What of a row follows from the series, which is not empty. */
void memory_series_describe(const struct memory_series *series, struct memory_row *row,
			    const struct memory_frame *frame);

#endif
