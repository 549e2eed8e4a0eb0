#ifndef TSPROF_TREE_SCOPE_ROWS_H
#define TSPROF_TREE_SCOPE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * What is known of all calls of a scope: of each name and category, or of each
 * place of it in the nesting.  Where one call in so many was recorded, counts,
 * sums and the weights of all else are scaled back: an estimate.  So is the self
 * time of the scope around, without the calls that were left out; it is 0 at least.
 *
 * A call of a name within one of the same name is a call with a duration, and
 * adds nothing to the total of the name.  Self time has no such overlap.
 */
struct scope_row {
	uint32_t name;	   /* ids in profile.strings */
	uint32_t category; /* 0: none */
	uint32_t site;	   /* one of them */
	uint32_t parent;   /* of a tree: index of the row around it; else and at the top NONE */
	unsigned int depth;
	bool is_estimate;
	bool is_self_estimate; /* … or only this, as calls of scopes inside were left out */
	uint64_t n_recorded;   /* calls that ended; the next is how many there were */
	uint64_t n_calls;
	uint64_t total_ns;
	uint64_t self_ns;
	uint64_t min_ns; /* this and the next ones are 0 when no call ended */
	uint64_t median_ns;
	uint64_t p95_ns;
	uint64_t p99_ns;
	uint64_t max_ns;
	double mean_ns;
	double deviation_ns; /* of a sample; 0 for fewer than two calls */
	uint64_t n_errors;
	uint64_t n_cut;	  /* recorded calls that ended because one around them did */
	uint64_t n_open;  /* recorded calls that never ended: in nothing else here */
	uint64_t n_costs; /* recorded calls that know what they cost; sums of those: */
	uint64_t cpu_ns;
	uint64_t allocated_bytes; /* or SCOPE_COST_UNKNOWN */
	uint64_t n_faults;
};

#define SCOPE_ROW_NONE UINT32_MAX

struct scope_rows {
	struct scope_row *rows;
	size_t n_rows, rows_capacity;
	uint64_t duration_ns; /* of the view in all runs together: what shares are of */
};

/*
 * -EINVAL where the view is of a part of the run, or of some threads, and the
 * profile has not all single calls to make its statistics from.
 */
int scope_rows_build(struct scope_rows *rows, const struct profile *profile,
		     const struct view *view, bool is_tree, struct error *err);
void scope_rows_release(struct scope_rows *rows);

/*
 * The largest first, by total or self time; in a tree among siblings, each
 * before those inside it.  At most `top` are kept, and in a tree those that they
 * are in; `ret_n_hidden` is how many were not.  Returns 0 or -ENOMEM.
 */
int scope_rows_order(struct scope_rows *rows, bool is_by_self, size_t top, size_t *ret_n_hidden);

#endif
