/*
 * Nodes in an array with an index beside it; a child asked for twice running, or
 * in the same order as before, needs neither.
 */
#include "model/scope_tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "model/scope_step.h"

int scope_tree_init(struct scope_tree *tree)
{
	*tree = (struct scope_tree){ 0 };
	tree->nodes = array_grown(NULL, &tree->capacity, 1, sizeof(*tree->nodes));
	if (!tree->nodes)
		return -ENOMEM;
	tree->nodes[0] = (struct scope_node){ 0 };
	tree->n_nodes = 1;
	return 0;
}

void scope_tree_release(struct scope_tree *tree)
{
	for (size_t i = 0; i < tree->n_nodes; i++)
		histogram_release(&tree->nodes[i].durations_ns);
	free(tree->nodes);
	hash_index_release(&tree->index);
	*tree = (struct scope_tree){ 0 };
}

static int scope_tree_add(struct scope_tree *tree, uint32_t *ret_node, uint32_t parent,
			  uint32_t site, uint64_t hash)
{
	const uint32_t id = (uint32_t)tree->n_nodes;
	struct scope_node *grown = array_grown(tree->nodes, &tree->capacity, tree->n_nodes + 1,
					       sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	tree->nodes = grown;
	if (hash_index_add(&tree->index, hash, id) < 0)
		return -ENOMEM;
	grown[id] = (struct scope_node){ .parent = parent, .site = site };
	tree->n_nodes++;
	*ret_node = id;
	return 0;
}

/* HASH_INDEX_NONE when there is none. */
static uint32_t scope_tree_find(const struct scope_tree *tree, uint32_t parent, uint32_t site)
{
	struct hash_cursor cursor;
	uint32_t id = scope_tree_expected(tree, parent, site);

	if (id)
		return id;
	cursor = hash_index_cursor(&tree->index, hash_pair(parent, site));
	while ((id = hash_index_next(&tree->index, &cursor)) != HASH_INDEX_NONE)
		if (tree->nodes[id].parent == parent && tree->nodes[id].site == site)
			break;
	return id;
}

int scope_tree_get(struct scope_tree *tree, uint32_t *ret_node, uint32_t parent, uint32_t site)
{
	uint32_t id = scope_tree_find(tree, parent, site);
	int r = 0;

	if (id == HASH_INDEX_NONE)
		r = scope_tree_add(tree, &id, parent, site, hash_pair(parent, site));
	if (r < 0)
		return r;
	scope_tree_expect(tree, parent, id);
	*ret_node = id;
	return 0;
}

int scope_tree_add_call(struct scope_tree *tree, uint32_t id, uint64_t duration_ns,
			uint64_t inside_ns)
{
	struct scope_node *node = &tree->nodes[id];

	if (histogram_add(&node->durations_ns, duration_ns, 1) < 0)
		return -ENOMEM;
	scope_node_add_times(node, duration_ns, inside_ns);
	return 0;
}

int scope_node_merge(struct scope_node *into, const struct scope_node *from)
{
	const double n_into = (double)into->durations_ns.n_values;
	const double n_from = (double)from->durations_ns.n_values;
	const double difference = from->mean_ns - into->mean_ns;

	if (histogram_merge(&into->durations_ns, &from->durations_ns) < 0)
		return -ENOMEM;
	if (n_from > 0) {
		into->mean_ns += difference * (n_from / (n_into + n_from));
		into->squares_ns2 += from->squares_ns2 + difference * difference * n_into *
								 (n_from / (n_into + n_from));
	}
	into->n_errors += from->n_errors;
	into->n_cut += from->n_cut;
	into->n_open += from->n_open;
	into->total_ns += from->total_ns;
	into->self_ns += from->self_ns;
	into->n_costs += from->n_costs;
	into->cpu_ns += from->cpu_ns;
	into->allocated_bytes = scope_cost_sum(into->allocated_bytes, from->allocated_bytes);
	into->n_faults += from->n_faults;
	return 0;
}

double scope_node_deviation_ns(const struct scope_node *node)
{
	const uint64_t n_calls = node->durations_ns.n_values;

	return n_calls > 1 ? sqrt(node->squares_ns2 / (double)(n_calls - 1)) : 0;
}

void scope_stack_release(struct scope_stack *stack)
{
	free(stack->open);
	*stack = (struct scope_stack){ 0 };
}

static int scope_stack_skip(struct scope_stack *stack, struct scope_tree *tree)
{
	stack->n_skipped++;
	tree->n_too_deep++;
	return 0;
}

int scope_stack_begin(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
		      uint64_t time_ns)
{
	const uint32_t parent = scope_stack_node(stack);
	uint32_t node;
	int r;

	if (stack->n_open == SCOPE_STACK_MAX_DEPTH || stack->n_skipped)
		return scope_stack_skip(stack, tree);
	if (tree->n_nodes >= SCOPE_TREE_MAX_NODES &&
	    scope_tree_find(tree, parent, site) == HASH_INDEX_NONE)
		return scope_stack_skip(stack, tree);
	if (!stack->open)
		stack->open = malloc(SCOPE_STACK_MAX_DEPTH * sizeof(*stack->open));
	if (!stack->open)
		return -ENOMEM;
	r = scope_tree_get(tree, &node, parent, site);
	if (r < 0)
		return r;
	stack->open[stack->n_open++] =
		(struct open_scope){ .node = node, .site = site, .start_ns = time_ns };
	return 0;
}

/* End the innermost open scope. */
static int scope_stack_pop(struct scope_stack *stack, struct scope_tree *tree, uint64_t time_ns)
{
	const struct open_scope *scope = &stack->open[--stack->n_open];
	const uint64_t duration_ns = time_ns > scope->start_ns ? time_ns - scope->start_ns : 0;

	if (stack->n_open)
		stack->open[stack->n_open - 1].inside_ns += duration_ns;
	if (!scope_stack_counts(stack, scope))
		return 0;
	return scope_tree_add_call(tree, scope->node, duration_ns, scope->inside_ns);
}

int scope_stack_end(struct scope_stack *stack, struct scope_tree *tree, uint32_t site,
		    uint64_t time_ns, bool is_error)
{
	size_t at = stack->n_open;
	int r = 0;

	if (stack->n_skipped) {
		stack->n_skipped--;
		return 0;
	}
	while (at && stack->open[at - 1].site != site)
		at--;
	if (!at) {
		tree->n_unmatched_ends++;
		return 0;
	}
	while (r == 0 && stack->n_open > at) {
		const struct open_scope *inner = &stack->open[stack->n_open - 1];

		tree->nodes[inner->node].n_cut += scope_stack_counts(stack, inner);
		r = scope_stack_pop(stack, tree, time_ns);
	}
	if (is_error && scope_stack_counts(stack, &stack->open[at - 1]))
		tree->nodes[stack->open[at - 1].node].n_errors++;
	return r < 0 ? r : scope_stack_pop(stack, tree, time_ns);
}

void scope_stack_finish(struct scope_stack *stack, struct scope_tree *tree)
{
	while (stack->n_open) {
		const struct open_scope *scope = &stack->open[--stack->n_open];

		tree->nodes[scope->node].n_open += scope_stack_counts(stack, scope);
	}
	stack->n_skipped = 0;
}
