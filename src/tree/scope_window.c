/*
 * Calls of a thread in order of their beginning are nested again: what is open
 * around a call is a path of the scope tree, so a call belongs to the innermost
 * open one whose node is its node's parent.
 */
#include "tree/scope_window.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "tree/call_rows.h"

struct call_order {
	const struct scope_call *call;
	const struct thread *thread; /* NULL: not known */
};

struct open_call {
	const struct scope_call *call;
	uint64_t inside_ns;
	bool is_counted;
	bool is_outer; /* none of its group that is counted is around it */
};

struct nesting {
	struct scope_window *window;
	const struct mark_filter *filter;
	const struct scope_groups *groups;
	struct open_call *open;
	size_t n_open, open_capacity;
	uint32_t *n_counted; /* by group: how many of it are open and count */
};

static int compare_threads(const struct thread *x, const struct thread *y)
{
	if (!x || !y)
		return (x != NULL) - (y != NULL);
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

/* What is around comes first. */
static int compare_calls(const void *a, const void *b)
{
	const struct call_order *x = a;
	const struct call_order *y = b;
	const int order = compare_threads(x->thread, y->thread);

	if (order)
		return order;
	if (x->call->start_ns != y->call->start_ns)
		return x->call->start_ns < y->call->start_ns ? -1 : 1;
	if (x->call->duration_ns != y->call->duration_ns)
		return x->call->duration_ns > y->call->duration_ns ? -1 : 1;
	return x->call->node < y->call->node ? -1 : x->call->node > y->call->node;
}

/* The statistics of a call that ended, or the mark of one that did not. */
static int count_call(struct nesting *nesting, const struct open_call *open)
{
	const struct scope_call *call = open->call;
	struct scope_node *node = &nesting->window->tree.nodes[call->node];

	if (call->flags & SCOPE_CALL_ERROR)
		node->n_errors++;
	if (call->flags & SCOPE_CALL_OPEN) {
		node->n_open++;
		return 0;
	}
	if (call->flags & SCOPE_CALL_CUT)
		node->n_cut++;
	if (call->flags & SCOPE_CALL_COSTS) {
		node->n_costs++;
		node->cpu_ns += call->cpu_ns;
		node->allocated_bytes = scope_cost_sum(node->allocated_bytes,
						       call->allocated_bytes);
		node->n_faults += call->n_faults;
	}
	if (open->is_outer)
		nesting->window->outer_ns[call->node] += call->duration_ns;
	return scope_tree_add_call(&nesting->window->tree, call->node, call->duration_ns,
				   open->inside_ns);
}

/* An open one has no total of its own, and so does not stand for those inside. */
static bool is_whole(const struct open_call *open)
{
	return open->is_counted && !(open->call->flags & SCOPE_CALL_OPEN);
}

static int nesting_pop(struct nesting *nesting)
{
	const struct open_call open = nesting->open[--nesting->n_open];

	if (nesting->n_open)
		nesting->open[nesting->n_open - 1].inside_ns += open.call->duration_ns;
	if (is_whole(&open))
		nesting->n_counted[nesting->groups->group_of[open.call->node]]--;
	return open.is_counted ? count_call(nesting, &open) : 0;
}

static bool is_around(const struct open_call *open, const struct scope_tree *tree,
		      const struct scope_call *call)
{
	return open->call->node == scope_parent(tree, call->node) &&
	       call->start_ns - open->call->start_ns <= open->call->duration_ns;
}

static int nesting_push(struct nesting *nesting, const struct scope_call *call)
{
	const struct mark_filter *filter = nesting->filter;
	uint32_t *n_counted = &nesting->n_counted[nesting->groups->group_of[call->node]];
	struct open_call *grown;
	int r = 0;

	while (r == 0 && nesting->n_open &&
	       !is_around(&nesting->open[nesting->n_open - 1], &nesting->window->tree, call))
		r = nesting_pop(nesting);
	if (r < 0)
		return r;
	grown = array_grown(nesting->open, &nesting->open_capacity, nesting->n_open + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	nesting->open = grown;
	grown += nesting->n_open++;
	*grown = (struct open_call){ .call = call, .is_outer = *n_counted == 0 };
	grown->is_counted = mark_filter_has_at(filter, call_place(filter->profile, call),
					       call->start_ns);
	*n_counted += is_whole(grown);
	return 0;
}

static int nest_calls(struct nesting *nesting, const struct call_order *order, size_t n_calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_calls; i++) {
		const bool is_new = i > 0 &&
				    compare_threads(order[i - 1].thread, order[i].thread) != 0;

		while (r == 0 && is_new && nesting->n_open)
			r = nesting_pop(nesting);
		if (r == 0)
			r = nesting_push(nesting, order[i].call);
	}
	while (r == 0 && nesting->n_open)
		r = nesting_pop(nesting);
	return r;
}

/* Those that make sense, by thread and time; NULL when memory is short. */
static struct call_order *order_calls(const struct profile *profile, size_t *ret_n)
{
	const struct marks *marks = &profile->marks;
	struct call_order *order = calloc(marks->n_calls + 1, sizeof(*order));
	size_t n = 0;

	if (!order)
		return NULL;
	for (size_t i = 0; i < marks->n_calls; i++) {
		const struct scope_call *call = &marks->calls[i];

		if (call->node && call->node < marks->scopes.n_nodes)
			order[n++] = (struct call_order){
				.call = call,
				.thread = call->thread < profile->n_threads
						  ? &profile->threads[call->thread]
						  : NULL,
			};
	}
	qsort(order, n, sizeof(*order), compare_calls);
	*ret_n = n;
	return order;
}

/* The same nodes without any calls. */
static int copy_nodes(struct scope_tree *tree, const struct scope_tree *from)
{
	tree->nodes = calloc(from->n_nodes + 1, sizeof(*tree->nodes));
	if (!tree->nodes)
		return -ENOMEM;
	tree->n_nodes = tree->capacity = from->n_nodes;
	for (size_t i = 0; i < from->n_nodes; i++)
		tree->nodes[i] = (struct scope_node){ .parent = from->nodes[i].parent,
						      .site = from->nodes[i].site };
	return 0;
}

int scope_window_init(struct scope_window *window, const struct mark_filter *filter,
		      const struct scope_groups *groups)
{
	const struct scope_tree *from = &filter->profile->marks.scopes;
	struct nesting nesting = { .window = window, .filter = filter, .groups = groups };
	struct call_order *order = NULL;
	size_t n_calls = 0;
	int r;

	*window = (struct scope_window){ 0 };
	r = copy_nodes(&window->tree, from);
	if (r == 0)
		order = order_calls(filter->profile, &n_calls);
	window->outer_ns = calloc(from->n_nodes + 1, sizeof(*window->outer_ns));
	nesting.n_counted = calloc(groups->n_groups + 1, sizeof(*nesting.n_counted));
	if (!order || !window->outer_ns || !nesting.n_counted)
		r = -ENOMEM;
	if (r == 0)
		r = nest_calls(&nesting, order, n_calls);
	free(nesting.open);
	free(nesting.n_counted);
	free(order);
	if (r < 0)
		scope_window_release(window);
	return r;
}

void scope_window_release(struct scope_window *window)
{
	scope_tree_release(&window->tree);
	free(window->outer_ns);
	*window = (struct scope_window){ 0 };
}
