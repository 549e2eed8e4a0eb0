#ifndef TSPROF_MODEL_SCOPE_TREE_H
#define TSPROF_MODEL_SCOPE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/histogram.h"

/*
 * The scopes of a run as one tree: a node is a site (the place in the program
 * that opens the scope) inside another node's, and what all its calls have in
 * common.  Bounded by the nestings that occur, whatever the number of calls.
 * Node 0 is the outside of all scopes; a parent's id is smaller than its children's.
 */
struct scope_node {
	uint32_t parent;
	uint32_t site;
	uint32_t last_child; /* the one asked for last; 0: none */
	uint32_t next;	     /* the sibling that was asked for after it; 0: none yet */
	uint64_t n_errors;   /* calls that the program said failed */
	uint64_t n_cut;	     /* calls that ended because one around them did */
	uint64_t n_open;     /* begun and never ended; not among the durations */
	uint64_t total_ns;
	uint64_t self_ns; /* without the scopes inside; never below 0 */
	double mean_ns;	  /* with the next: Welford's running variance */
	double squares_ns2;
	uint64_t n_costs; /* calls that know what they cost; sums of those: */
	uint64_t cpu_ns;
	uint64_t allocated_bytes; /* or SCOPE_COST_UNKNOWN */
	uint64_t n_faults;
	struct histogram durations_ns; /* of the calls, which it also counts */
};

/* In place of allocated bytes: nobody counted them; in a sum: of one call or more. */
#define SCOPE_COST_UNKNOWN UINT64_MAX

static inline uint64_t scope_cost_sum(uint64_t a, uint64_t b)
{
	return a > SCOPE_COST_UNKNOWN - b ? SCOPE_COST_UNKNOWN : a + b;
}

/* What of it is known. */
static inline uint64_t scope_cost_known(uint64_t cost)
{
	return cost == SCOPE_COST_UNKNOWN ? 0 : cost;
}

struct scope_tree {
	struct scope_node *nodes;
	size_t n_nodes;
	size_t capacity;
	struct hash_index index;   /* by (parent, site) */
	uint64_t n_unmatched_ends; /* without a begin on their thread */
	/* Begins beyond SCOPE_STACK_MAX_DEPTH or SCOPE_TREE_MAX_NODES, not counted otherwise. */
	uint64_t n_too_deep;
};

/* Of what scope_stack_begin adds: each can take some KiB. */
enum { SCOPE_TREE_MAX_NODES = 1 << 16 };

/* Returns 0 or -ENOMEM. */
int scope_tree_init(struct scope_tree *tree);
void scope_tree_release(struct scope_tree *tree);

/* The node of `site` inside `parent`, added if new.  Returns 0 or -ENOMEM. */
int scope_tree_get(struct scope_tree *tree, uint32_t *ret_node, uint32_t parent, uint32_t site);

/* One call.  Returns 0 or -ENOMEM. */
int scope_tree_add_call(struct scope_tree *tree, uint32_t node, uint64_t duration_ns,
			uint64_t inside_ns);

/*
 * The calls of another node of the same scope, of another run: Chan's formula
 * for the variance of both.  Returns 0 or -ENOMEM, and then nothing has changed.
 */
int scope_node_merge(struct scope_node *into, const struct scope_node *from);

/* Of a sample: n - 1 in the divisor; 0 for fewer than two calls. */
double scope_node_deviation_ns(const struct scope_node *node);

enum { SCOPE_STACK_MAX_DEPTH = 256 };

/* The open scopes of one thread, outermost first. */
struct scope_stack {
	struct open_scope {
		uint32_t node;
		uint32_t site;
		uint64_t start_ns;
		uint64_t inside_ns; /* of the scopes inside that have ended */
	} * open;
	size_t n_open;
	size_t n_skipped; /* begins beyond the maximal depth that wait for their ends */
	/* What began earlier is followed, but is no call of the tree's. */
	uint64_t counted_from_ns;
};

/*
 * Opens and closes scopes in order of time; a time before the last one counts as
 * no time at all.  An end closes the innermost open scope of its site, and cuts those
 * inside it, which a jump out of them (longjmp, a lost record) left open.  Both return 0 or
 * -ENOMEM.
 */
int scope_stack_begin(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
		      uint64_t time_ns);
int scope_stack_end(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
		    uint64_t time_ns, bool is_error);

/* The thread ended: what is open never will. */
void scope_stack_finish(struct scope_stack *stack, struct scope_tree *tree);
void scope_stack_release(struct scope_stack *stack);

static inline bool scope_stack_counts(const struct scope_stack *stack,
				      const struct open_scope *scope)
{
	return scope->start_ns >= stack->counted_from_ns;
}

/* The node that the thread is in, 0 outside all. */
static inline uint32_t scope_stack_node(const struct scope_stack *stack)
{
	return stack->n_open ? stack->open[stack->n_open - 1].node : 0;
}

#endif
