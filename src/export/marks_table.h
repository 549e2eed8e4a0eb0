#ifndef TSPROF_EXPORT_MARKS_TABLE_H
#define TSPROF_EXPORT_MARKS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/table.h"
#include "model/profile.h"
#include "tree/call_rows.h"
#include "tree/counter_rows.h"
#include "tree/milestone_rows.h"
#include "tree/scope_rows.h"
#include "tree/timeline.h"

/*
 * The tables of marks.  All return 0 or -ENOMEM, and then the table is
 * released; texts are borrowed from the profile, which outlives it.
 *
 * Lists in order of time that are too long have their first and their last
 * rows, with a rule between them: `n_first` and then, from the end, `n_last`.
 */
struct list_part {
	size_t n_first;
	size_t n_last;
};

/* At most `max` of `n`: the first and the last. */
struct list_part list_part_of(size_t n, uint64_t max);

int marks_table_milestones(struct table *table, const struct profile *profile,
			   const struct milestone_rows *rows, struct list_part part);

/* The `top` longest, in order. */
int marks_table_phases(struct table *table, const struct profile *profile,
		       const struct milestone_rows *rows, size_t top);

/* `is_hot`: self time comes first. */
int marks_table_scopes(struct table *table, const struct profile *profile,
		       const struct scope_rows *rows, bool is_tree, bool is_hot);

/* Under `name` in JSON. */
int marks_table_calls(struct table *table, const char *name, const struct profile *profile,
		      const struct call_rows *rows, struct list_part part);
int marks_table_failures(struct table *table, const struct profile *profile,
			 const struct failure_rows *rows, size_t top);

int marks_table_timeline(struct table *table, const struct profile *profile,
			 const struct timeline *timeline);
int marks_table_counters(struct table *table, const struct profile *profile,
			 const struct counter_rows *rows, size_t top);

/* `snapshots` are indices into profile.marks.snapshots; an id is one more. */
int marks_table_snapshots(struct table *table, const struct profile *profile,
			  const size_t *snapshots, size_t n_snapshots, struct list_part part);

#endif
