/*
 * Begins and ends are one step on the stack of open scopes each; all that is
 * special, arguments and errors, is in an array beside it that most threads never need.
 */
#include "record/mark_thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/scope_step.h"
#include "os/marks_memory.h"

enum { HAS_ARGUMENTS = 128 /* flag, beside those of scope calls */ };

/* What was told of an open scope. */
struct open_call {
	char *arguments; /* with room for TSPROF_TEXT_MAX_BYTES; kept for the next of this depth */
	char *error;
	uint16_t arguments_bytes;
	uint16_t error_bytes;
	uint8_t flags; /* SCOPE_CALL_ERROR, SCOPE_CALL_COSTS, HAS_ARGUMENTS */
	uint64_t cpu_ns;
	uint64_t allocated_bytes;
	uint64_t n_faults;
};

static const struct mark_text no_text;

struct mark_thread *mark_thread_get(struct live_thread *live, const void *owner)
{
	struct mark_thread *thread = live->marks;

	while (thread &&
	       (thread->owner != owner || thread->has_ended || thread->start_ns != live->start_ns))
		thread = thread->next;
	if (thread)
		return thread;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->live = live;
	thread->start_ns = live->start_ns;
	thread->owner = owner;
	thread->next = live->marks;
	live->marks = thread;
	return thread;
}

void mark_thread_free(struct mark_thread *thread)
{
	struct mark_thread **at = &thread->live->marks;

	while (*at && *at != thread)
		at = &(*at)->next;
	if (*at)
		*at = thread->next;
	for (size_t i = 0; thread->calls && i < SCOPE_STACK_MAX_DEPTH; i++) {
		free(thread->calls[i].arguments);
		free(thread->calls[i].error);
	}
	free(thread->calls);
	scope_stack_release(&thread->stack);
	scope_history_release(&thread->history);
	free(thread);
}

int mark_thread_inherit(struct mark_thread *thread, const struct scope_tree *tree, uint32_t node)
{
	struct scope_stack *stack = &thread->stack;
	size_t depth = 0;

	for (uint32_t at = node; at; at = tree->nodes[at].parent)
		depth++;
	if (!depth || depth > SCOPE_STACK_MAX_DEPTH || thread->stack.n_open)
		return 0;
	if (!stack->open)
		stack->open = malloc(SCOPE_STACK_MAX_DEPTH * sizeof(*stack->open));
	if (!stack->open)
		return -ENOMEM;
	stack->n_open = depth;
	/* Begun at 0, before anything counts. */
	for (uint32_t at = node; at; at = tree->nodes[at].parent)
		stack->open[--depth] = (struct open_scope){ .node = at,
							    .site = tree->nodes[at].site };
	thread->history.node = node;
	return 0;
}

/* The profile's entry for it; the last one known when its number is another's by now. */
static int entry_of(struct mark_thread *thread, struct marks_store *store, uint32_t *ret_entry)
{
	int r = 0;

	if (thread->live->start_ns == thread->start_ns) {
		r = process_table_entry(store->processes, thread->live, &thread->entry);
		thread->has_entry = true;
	}
	*ret_entry = thread->has_entry ? thread->entry : MARK_NO_THREAD;
	return r;
}

static uint64_t in_order(struct mark_thread *thread, uint64_t time_ns)
{
	if (time_ns > thread->last_ns)
		thread->last_ns = time_ns;
	return thread->last_ns;
}

static int note_scope(struct mark_thread *thread, struct marks_store *store, uint64_t time_ns)
{
	return scope_history_add(&thread->history, time_ns, scope_stack_node(&thread->stack),
				 store->horizon_ns);
}

int mark_thread_begin(struct mark_thread *thread, struct marks_store *store, uint32_t site,
		      uint64_t time_ns)
{
	struct scope_stack *stack = &thread->stack;
	int r = thread->has_milestone ? mark_thread_settle(thread, store) : 0;

	time_ns = in_order(thread, time_ns);
	stack->counted_from_ns = store->counted_from_ns;
	if (r == 0)
		r = scope_stack_begin(stack, &store->profile->marks.scopes, site, time_ns);
	if (r < 0)
		return r;
	if (thread->calls && !stack->n_skipped)
		thread->calls[stack->n_open - 1].flags = 0;
	return note_scope(thread, store, time_ns);
}

/* The open scope at that depth is one of those that are kept, perhaps. */
static int offer_call(struct mark_thread *thread, struct marks_store *store, size_t depth,
		      uint64_t time_ns, uint8_t flags)
{
	const struct open_scope *scope = &thread->stack.open[depth];
	const struct open_call *known = thread->calls ? &thread->calls[depth] : NULL;
	struct scope_call call = {
		.start_ns = scope->start_ns,
		.duration_ns = time_ns > scope->start_ns ? time_ns - scope->start_ns : 0,
		.node = scope->node,
		.flags = known && known->flags ? flags | known->flags : flags,
	};
	struct mark_text arguments = no_text;
	struct mark_text error = no_text;
	int r;

	if (!(call.flags & (SCOPE_CALL_ERROR | SCOPE_CALL_OPEN)) &&
	    !mark_calls_wants(&store->calls, scope->site, call.duration_ns))
		return 0;
	if (!scope_stack_counts(&thread->stack, scope))
		return 0;
	if (call.flags & SCOPE_CALL_COSTS) {
		call.cpu_ns = known->cpu_ns;
		call.allocated_bytes = known->allocated_bytes;
		call.n_faults = known->n_faults;
	}
	if (call.flags & HAS_ARGUMENTS)
		arguments = (struct mark_text){ known->arguments, known->arguments_bytes };
	if (call.flags & SCOPE_CALL_ERROR)
		error = (struct mark_text){ known->error, known->error_bytes };
	call.flags &= (uint8_t)~HAS_ARGUMENTS;
	r = entry_of(thread, store, &call.thread);
	return r < 0 ? r : mark_calls_add(&store->calls, scope->site, &call, arguments, error);
}

/* Depth + 1 of what an end closes; 0: nothing. */
static size_t find_open(const struct scope_stack *stack, uint32_t site)
{
	size_t at = stack->n_skipped ? 0 : stack->n_open;

	while (at && stack->open[at - 1].site != site)
		at--;
	return at;
}

static bool has_failed(const struct mark_thread *thread, size_t depth)
{
	return thread->calls && thread->calls[depth].flags & SCOPE_CALL_ERROR;
}

static void add_costs(const struct mark_thread *thread, struct marks_store *store, size_t depth)
{
	const struct open_call *call = &thread->calls[depth];
	const struct open_scope *scope = &thread->stack.open[depth];
	struct scope_node *node = &store->profile->marks.scopes.nodes[scope->node];

	if (!(call->flags & SCOPE_CALL_COSTS) || !scope_stack_counts(&thread->stack, scope))
		return;
	node->n_costs++;
	node->cpu_ns += call->cpu_ns;
	node->allocated_bytes = scope_cost_sum(node->allocated_bytes, call->allocated_bytes);
	node->n_faults += call->n_faults;
}

/* Those inside it end with it, and what is known of their failing goes along. */
static int offer_calls(struct mark_thread *thread, struct marks_store *store, size_t at,
		       uint64_t time_ns)
{
	const struct scope_stack *stack = &thread->stack;
	int r = 0;

	for (size_t depth = stack->n_open - 1; r == 0 && depth + 1 >= at; depth--) {
		const bool is_cut = depth + 1 > at;

		r = offer_call(thread, store, depth, time_ns, is_cut ? SCOPE_CALL_CUT : 0);
		if (thread->calls)
			add_costs(thread, store, depth);
		if (is_cut && has_failed(thread, depth) &&
		    scope_stack_counts(stack, &stack->open[depth]))
			store->profile->marks.scopes.nodes[stack->open[depth].node].n_errors++;
		if (depth == 0)
			break;
	}
	return r;
}

int mark_thread_end(struct mark_thread *thread, struct marks_store *store, uint32_t site,
		    uint64_t time_ns)
{
	struct scope_stack *stack = &thread->stack;
	const size_t at = find_open(stack, site);
	int r = thread->has_milestone ? mark_thread_settle(thread, store) : 0;

	time_ns = in_order(thread, time_ns);
	stack->counted_from_ns = store->counted_from_ns;
	if (r == 0 && at)
		r = offer_calls(thread, store, at, time_ns);
	if (r == 0)
		r = scope_stack_end(stack, &store->profile->marks.scopes, site, time_ns,
				    at && has_failed(thread, at - 1));
	return r < 0 ? r : note_scope(thread, store, time_ns);
}

static bool step_in(const struct mark_thread *thread, struct scope_stack *stack,
		    struct scope_tree *tree, const struct mark_step *step)
{
	if (!scope_step_in(stack, tree, step->site, step->time_ns))
		return false;
	if (thread->calls)
		thread->calls[stack->n_open - 1].flags = 0;
	return true;
}

/* Only of a call of which nothing is kept. */
static bool step_out(const struct mark_thread *thread, struct scope_stack *stack,
		     struct scope_tree *tree, const struct mark_calls *calls,
		     const struct mark_step *step)
{
	const struct open_scope *scope = stack->n_open ? &stack->open[stack->n_open - 1] : NULL;

	if (!scope || (thread->calls && thread->calls[stack->n_open - 1].flags) ||
	    mark_calls_wants(calls, step->site, step->time_ns - scope->start_ns))
		return false;
	return scope_step_out(stack, tree, step->site, step->time_ns);
}

/* Those that are nothing special, up to the first that is.  Returns how many there were. */
static size_t usual_steps(struct mark_thread *thread, struct marks_store *store,
			  const struct mark_step *steps, size_t n_steps)
{
	const uint64_t horizon_ns = store->horizon_ns;
	struct scope_tree *tree = &store->profile->marks.scopes;
	struct scope_stack stack = thread->stack; /* in registers for the while */
	size_t n = 0;

	stack.counted_from_ns = store->counted_from_ns;
	for (; n < n_steps; n++) {
		const struct mark_step *step = &steps[n];

		if (!(step->is_end ? step_out(thread, &stack, tree, &store->calls, step)
				   : step_in(thread, &stack, tree, step)))
			break;
		scope_history_append(&thread->history, step->time_ns, scope_stack_node(&stack),
				     horizon_ns);
	}
	thread->stack = stack;
	if (n)
		thread->last_ns = steps[n - 1].time_ns;
	return n;
}

static int one_step(struct mark_thread *thread, struct marks_store *store,
		    const struct mark_step *step)
{
	return step->is_end ? mark_thread_end(thread, store, step->site, step->time_ns)
			    : mark_thread_begin(thread, store, step->site, step->time_ns);
}

int mark_thread_steps(struct mark_thread *thread, struct marks_store *store,
		      const struct mark_step *steps, size_t n_steps)
{
	size_t n = 0;
	int r = n_steps && thread->has_milestone ? mark_thread_settle(thread, store) : 0;

	while (r == 0 && n < n_steps) {
		r = scope_history_reserve(&thread->history, n_steps - n, store->horizon_ns);
		if (r == 0)
			n += usual_steps(thread, store, steps + n, n_steps - n);
		if (r == 0 && n < n_steps)
			r = one_step(thread, store, &steps[n++]);
	}
	return r;
}

static int calls_need(struct mark_thread *thread)
{
	if (!thread->calls)
		thread->calls = calloc(SCOPE_STACK_MAX_DEPTH, sizeof(*thread->calls));
	return thread->calls ? 0 : -ENOMEM;
}

/* What is known of the innermost open scope; NULL when there is none or no memory. */
static struct open_call *innermost(struct mark_thread *thread, int *ret_r)
{
	*ret_r = 0;
	if (!thread->stack.n_open || thread->stack.n_skipped)
		return NULL;
	*ret_r = calls_need(thread);
	return thread->calls ? &thread->calls[thread->stack.n_open - 1] : NULL;
}

static int keep_text(char **to, uint16_t *ret_size, struct mark_text text)
{
	const size_t size = text.size_bytes < TSPROF_TEXT_MAX_BYTES ? text.size_bytes
								    : TSPROF_TEXT_MAX_BYTES;

	if (!*to)
		*to = malloc(TSPROF_TEXT_MAX_BYTES);
	if (!*to)
		return -ENOMEM;
	if (size)
		memcpy(*to, text.bytes, size);
	*ret_size = (uint16_t)size;
	return 0;
}

int mark_thread_arguments(struct mark_thread *thread, struct mark_text text)
{
	int r;
	struct open_call *call = innermost(thread, &r);

	if (!call)
		return r;
	r = keep_text(&call->arguments, &call->arguments_bytes, text);
	call->flags |= r == 0 ? HAS_ARGUMENTS : 0;
	return r;
}

int mark_thread_error(struct mark_thread *thread, struct mark_text text)
{
	int r;
	struct open_call *call = innermost(thread, &r);

	if (!call)
		return r;
	r = keep_text(&call->error, &call->error_bytes, text);
	call->flags |= r == 0 ? SCOPE_CALL_ERROR : 0;
	return r;
}

int mark_thread_costs(struct mark_thread *thread, uint32_t site, uint64_t cpu_ns,
		      uint64_t allocated_bytes, uint64_t n_faults)
{
	const size_t at = find_open(&thread->stack, site);
	struct open_call *call;

	if (!at)
		return 0;
	if (calls_need(thread) < 0)
		return -ENOMEM;
	call = &thread->calls[at - 1];
	call->cpu_ns = cpu_ns;
	call->allocated_bytes = allocated_bytes;
	call->n_faults = n_faults;
	call->flags |= SCOPE_CALL_COSTS;
	return 0;
}

/* In which scope it is, by whoever tells of one. */
static uint32_t scope_now(const struct mark_thread *thread, uint64_t time_ns)
{
	uint32_t scope = scope_stack_node(&thread->stack);

	for (const struct mark_thread *other = thread->live->marks; other && !scope;
	     other = other->next)
		if (other != thread && other->start_ns == thread->start_ns)
			(void)mark_thread_scope(other, time_ns, &scope);
	return scope;
}

int mark_thread_milestone(struct mark_thread *thread, struct marks_store *store, uint32_t site,
			  uint64_t time_ns)
{
	int r = mark_thread_settle(thread, store);

	thread->milestone = (struct milestone){ .time_ns = in_order(thread, time_ns),
						.site = site };
	thread->milestone.scope = scope_now(thread, thread->milestone.time_ns);
	thread->has_milestone = true;
	return r;
}

int mark_thread_data(struct mark_thread *thread, struct marks_store *store, struct mark_text text)
{
	int r;

	if (!thread->has_milestone)
		return 0;
	thread->has_milestone = false;
	r = entry_of(thread, store, &thread->milestone.thread);
	return r < 0 ? r : marks_store_milestone(store, &thread->milestone, text);
}

int mark_thread_settle(struct mark_thread *thread, struct marks_store *store)
{
	return mark_thread_data(thread, store, no_text);
}

int mark_thread_counter(struct mark_thread *thread, struct marks_store *store, uint32_t site,
			uint64_t time_ns, double value)
{
	struct counter_value counter = { .time_ns = in_order(thread, time_ns),
					 .value = value,
					 .site = site };
	int r;

	if (store->is_paused)
		return 0;
	counter.scope = scope_now(thread, counter.time_ns);
	r = entry_of(thread, store, &counter.thread);
	return r < 0 ? r : mark_counters_add(&store->counters, &counter);
}

int mark_thread_snapshot(struct mark_thread *thread, struct marks_store *store,
			 const struct snapshot *snapshot, const void *bytes)
{
	struct snapshot kept = *snapshot;
	int r;

	if (store->is_paused)
		return 0;
	kept.time_ns = in_order(thread, snapshot->time_ns);
	kept.scope = scope_now(thread, kept.time_ns);
	r = entry_of(thread, store, &kept.thread);
	return r < 0 ? r : mark_snapshots_add(&store->snapshots, &kept, bytes);
}

int mark_thread_finish(struct mark_thread *thread, struct marks_store *store, uint64_t time_ns)
{
	const uint64_t end_ns = in_order(thread, time_ns);
	int r;

	if (thread->has_ended)
		return 0;
	thread->has_ended = true;
	thread->stack.counted_from_ns = store->counted_from_ns;
	r = mark_thread_settle(thread, store);
	for (size_t depth = 0; r == 0 && depth < thread->stack.n_open; depth++)
		r = offer_call(thread, store, depth, end_ns, SCOPE_CALL_OPEN);
	if (r < 0)
		return r;
	scope_stack_finish(&thread->stack, &store->profile->marks.scopes);
	return note_scope(thread, store, end_ns);
}

bool mark_thread_scope(const struct mark_thread *thread, uint64_t time_ns, uint32_t *ret_node)
{
	return scope_history_find(&thread->history, time_ns, ret_node);
}
