#ifndef TSPROF_MODEL_SCOPE_STEP_H
#define TSPROF_MODEL_SCOPE_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/scope_tree.h"

/*
 * The steps of a thread that marks millions of scopes a second: into a scope that was begun here
 * before, and out of the innermost one, after a time like others before.  What they do
 * is what scope_stack_begin and scope_stack_end do.  All others return false, and then
 * nothing has changed.
 */

/* The child that was asked for last, or the one that came after it then; 0: another one. */
static inline uint32_t scope_tree_expected(const struct scope_tree *tree, uint32_t parent,
					   uint32_t site)
{
	uint32_t node = tree->nodes[parent].last_child;

	if (node && tree->nodes[node].site != site)
		node = tree->nodes[node].next;
	return node && tree->nodes[node].site == site ? node : 0;
}

static inline void scope_tree_expect(struct scope_tree *tree, uint32_t parent, uint32_t child)
{
	const uint32_t last = tree->nodes[parent].last_child;

	if (last == child)
		return;
	if (last)
		tree->nodes[last].next = child;
	tree->nodes[parent].last_child = child;
}

/* What a call adds to its node; among the durations it is counted already. */
static inline void scope_node_add_times(struct scope_node *node, uint64_t duration_ns,
					uint64_t inside_ns)
{
	const double difference = (double)duration_ns - node->mean_ns;
	/* Calls wait for each other's means, but not for the division. */
	const double share = 1 / (double)node->durations_ns.n_values;

	node->total_ns += duration_ns;
	node->self_ns += duration_ns > inside_ns ? duration_ns - inside_ns : 0;
	node->mean_ns += difference * share;
	node->squares_ns2 += difference * ((double)duration_ns - node->mean_ns);
}

static inline bool scope_step_in(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
				 uint64_t time_ns)
{
	const uint32_t parent = scope_stack_node(stack);
	const uint32_t node = scope_tree_expected(tree, parent, site);

	if (!node || !stack->open || stack->n_skipped || stack->n_open == SCOPE_STACK_MAX_DEPTH)
		return false;
	scope_tree_expect(tree, parent, node);
	stack->open[stack->n_open++] =
		(struct open_scope){ .node = node, .site = site, .start_ns = time_ns };
	return true;
}

static inline bool scope_step_out(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
				  uint64_t time_ns)
{
	const struct open_scope *scope = stack->n_open ? &stack->open[stack->n_open - 1] : NULL;
	struct scope_node *node;
	uint64_t duration_ns;

	if (!scope || stack->n_skipped || scope->site != site || !scope_stack_counts(stack, scope))
		return false;
	node = &tree->nodes[scope->node];
	duration_ns = time_ns > scope->start_ns ? time_ns - scope->start_ns : 0;
	if (!histogram_count(&node->durations_ns, duration_ns))
		return false;
	scope_node_add_times(node, duration_ns, scope->inside_ns);
	stack->n_open--;
	if (stack->n_open)
		stack->open[stack->n_open - 1].inside_ns += duration_ns;
	return true;
}

#endif
