#ifndef TSPROF_TREE_CALLTREE_H
#define TSPROF_TREE_CALLTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/interner.h"
#include "model/profile.h"
#include "tree/view.h"

/*
 * The one tree behind report, fold and flame: stacks merged from the outermost
 * frame inwards.  Node 0 is the root ("all"); a parent's index is smaller than
 * its children's.
 */
struct calltree_frame {
	uint32_t function;  /* string id in the profile; in tree.labels when is_label or is_wait; or
			       0 */
	uint32_t module;    /* module id; MODULE_PSEUDO for labels */
	uint32_t file;	    /* string id; set for GRANULARITY_LINE, else that of the first seen */
	uint32_t line;	    /* 0 unless GRANULARITY_LINE */
	uint64_t vaddr;	    /* 0 unless GRANULARITY_ADDRESS */
	uint8_t flags;	    /* enum frame_flags, and: */
	uint8_t is_label;   /* a process, thread or state, not code */
	uint8_t is_wait;    /* "[waiting: lock]", not code: the innermost frame of a wait */
	uint8_t label_kind; /* enum label_kind, of a label */
};

/* Labels of the view's groups that are more than a name. */
enum label_kind {
	LABEL_OTHER,
	LABEL_SCOPE,
	LABEL_CATEGORY,	    /* of scopes */
	LABEL_PHASE,	    /* ids in tree.labels ascend in the order in which phases begin */
	LABEL_SCOPE_INSIDE, /* of view.with_scopes_inside, which is no group */
};

struct calltree_value {
	uint64_t weight_ns;
	uint64_t n_ticks;   /* sum of sample.count: what "samples" means in every view */
	uint64_t n_rows;    /* samples as such: the trials behind a confidence interval; no waits */
	uint64_t waited_ns; /* of weight_ns: what was measured, not sampled */
	double squares_ns2; /* sum of the squares of the rows' weights */
};

struct calltree_node {
	uint32_t frame; /* into frames; meaningless in node 0 */
	uint32_t parent;
	uint32_t first_child;  /* 0: none */
	uint32_t next_sibling; /* 0: none */
	struct calltree_value self;
	struct calltree_value total;
};

struct calltree {
	const struct profile *profile; /* borrowed: names come from it */
	struct calltree_frame *frames;
	size_t n_frames, frames_capacity;
	struct calltree_node *nodes;
	size_t n_nodes, nodes_capacity;
	struct calltree_value whole; /* what shares are of: the root's total, but for a branch */
	struct interner labels;	     /* names of processes and threads */
	struct hash_index frame_index;
	struct hash_index node_index;
};

/*
 * In a view of running and waiting together each wait has an innermost frame
 * that says so: time below a function is its own only when it ran.
 *
 * Samples are grouped by stack node first, so time follows unique stacks, not
 * samples.  A frame is FRAME_INLINED when it is so wherever it occurs.  The
 * view is taken as it is: `view_resolve` is the caller's.
 * On failure nothing is left to release.
 */
int calltree_build(struct calltree *tree, const struct profile *profile, const struct view *view,
		   struct error *err);
void calltree_release(struct calltree *tree);

/* Borrowed until the tree is released.  The module's name where there is no function. */
const char *calltree_frame_name(const struct calltree *tree, const struct calltree_frame *frame);

/* Is time what its values mean?  Imports have counts only. */
static inline bool calltree_is_timed(const struct calltree *tree)
{
	return tree->profile->info.has_times && tree->whole.weight_ns > 0;
}

/* The value in the tree's unit: nanoseconds, or samples when it is not timed. */
static inline uint64_t calltree_weight(const struct calltree *tree,
				       const struct calltree_value *value)
{
	return calltree_is_timed(tree) ? value->weight_ns : value->n_ticks;
}

/* Time without a tick, which no sample stands for, is a value too. */
static inline bool calltree_value_is_empty(const struct calltree_value *value)
{
	return value->n_rows == 0 && value->weight_ns == 0;
}

/* Of one sample. */
struct calltree_value calltree_value_of(const struct sample *sample);

void calltree_value_add(struct calltree_value *value, const struct calltree_value *more);

/*
 * As many samples of equal weight would vary as much as the value's rows do:
 * the square of the sum of their weights over the sum of the squares (L. Kish,
 * "Survey Sampling", 1965).  n_rows where all weights are the same, else less.
 */
double calltree_value_effective_rows(const struct calltree_value *value);

/*
 * What lies below one node as a tree of its own, the node being its root; the
 * shares of it are still of the whole tree.  Frames are borrowed from `tree`,
 * with their numbers.  Returns 0 or -ENOMEM.
 */
int calltree_branch_init(struct calltree *branch, const struct calltree *tree, uint32_t node);
void calltree_branch_release(struct calltree *branch);

/* Children by name, phases by time, so that drawings do not depend on sampling order. */
int calltree_sort_by_name(struct calltree *tree);

#endif
