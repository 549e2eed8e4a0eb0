/*
 * A tree for each kind of table; where the view is split, each group is a
 * branch of that tree, and has a table of its own.
 */
#include "cmd/report_parts.h"

#include <stdlib.h>
#include <string.h>

#include "cmd/report_memory.h"
#include "cmd/view_text.h"
#include "tree/function_find.h"
#include "tree/measure.h"

enum {
	REPORT_TOP = 20,       /* rows of a table, unless --top says another number */
	REPORT_TOP_INSIDE = 4, /* functions of a module in the breakdown, likewise */
};

/* One of the tables that can be asked for. */
struct report_request {
	enum report_kind kind;
	bool is_breakdown;
	const char *function;
};

/* All that making the parts of one request needs. */
struct part_maker {
	struct report_output *output;
	const struct report_options *options;
	const struct profile *profile;
	struct report_request request;
	const struct calltree *tree;
	bool has_sums;	       /* the groups were summed up */
	const bool *is_wanted; /* the frames of request.function; NULL: none is asked for */
};

static uint64_t report_top(const struct report_options *options, uint64_t usual)
{
	if (options->top == UINT64_MAX)
		return usual;
	return options->top ? options->top : UINT64_MAX;
}

static bool is_of_labels(enum report_kind kind)
{
	return kind == REPORT_THREADS || kind == REPORT_PROCESSES;
}

static struct view request_view(const struct part_maker *maker)
{
	struct view view = maker->output->view;

	view.with_process = false;
	if (maker->request.is_breakdown && maker->options->per)
		view.states = SAMPLE_STATES_RUNNING;
	view.with_scopes_inside = maker->request.is_breakdown && maker->options->components &&
				  maker->output->components.has_scopes;
	switch (maker->request.kind) {
	case REPORT_THREADS:
		view.by = VIEW_BY_THREAD;
		break;
	case REPORT_PROCESSES:
		view.by = VIEW_BY_PROCESS;
		break;
	case REPORT_MODULES:
		view.granularity = GRANULARITY_MODULE;
		break;
	case REPORT_LINES:
		view.granularity = GRANULARITY_LINE;
		break;
	case REPORT_FUNCTIONS:
	case REPORT_CALLERS:
	case REPORT_CALLEES:
	case REPORT_GROUPS:
		break;
	}
	/* Where nothing tells them apart there are no rows, rather than one of all. */
	if (is_of_labels(maker->request.kind) && view_check(&view, maker->profile, NULL) < 0)
		view.by = VIEW_BY_NONE;
	return view;
}

/* The rows of one table, not sorted yet. */
static int find_rows(struct frame_table *frames, const struct part_maker *maker,
		     const struct calltree *tree, enum report_kind kind, struct error *err)
{
	const enum frame_rows rows = is_of_labels(kind) || kind == REPORT_GROUPS ? FRAME_ROWS_LABELS
										 : FRAME_ROWS_CODE;

	if (kind == REPORT_CALLERS)
		return frame_table_build_callers(frames, tree, maker->is_wanted, err);
	if (kind == REPORT_CALLEES)
		return frame_table_build_callees(frames, tree, maker->is_wanted, err);
	return frame_table_build(frames, tree, rows, err);
}

static int fill_table(struct report_part *part, const struct part_maker *maker,
		      struct frame_table *frames, const struct report_group *group,
		      struct error *err)
{
	const uint64_t top = report_top(maker->options, REPORT_TOP);
	struct lifetimes lifetimes = { 0 };
	struct report_rows rows = { .frames = frames, .group = group };
	int r = 0;

	rows.n_rows = top < frames->n_rows ? (size_t)top : frames->n_rows;
	part->n_hidden = frames->n_rows - rows.n_rows;
	if (part->kind == REPORT_GROUPS && maker->output->view.by == VIEW_BY_PHASE)
		frame_table_sort_labels(frames, rows.n_rows);
	if (is_of_labels(part->kind)) {
		r = lifetimes_find(&lifetimes, frames, request_view(maker).by, err);
		rows.lifetimes = &lifetimes;
	}
	if (r == 0 && report_table_build(&part->table, part->kind, &rows) < 0)
		r = error_set_no_memory(err);
	lifetimes_release(&lifetimes);
	return r;
}

static int add_frames(const struct part_maker *maker, const struct calltree *tree,
		      enum report_kind kind, const struct report_group *group, struct error *err)
{
	const bool is_by_total = maker->options->by_total || maker->request.function ||
				 is_of_labels(kind) || kind == REPORT_GROUPS;
	struct report_part *part = report_output_add_part(maker->output);
	struct frame_table frames = { 0 };
	int r;

	if (!part)
		return error_set_no_memory(err);
	part->kind = kind;
	part->function = kind == maker->request.kind ? maker->request.function : NULL;
	part->has_group = group != NULL;
	if (group)
		part->group = *group;
	r = find_rows(&frames, maker, tree, kind, err);
	if (r < 0)
		return r;
	/* A group that never called the function, or was not called by it. */
	if (group && frames.n_rows == 0) {
		frame_table_release(&frames);
		report_output_drop_part(maker->output);
		return 0;
	}
	if (frame_table_sort(&frames, is_by_total) < 0)
		r = error_set_no_memory(err);
	if (r == 0)
		r = fill_table(part, maker, &frames, group, err);
	frame_table_release(&frames);
	return r;
}

static int add_breakdown(const struct part_maker *maker, const struct calltree *tree,
			 const struct report_group *group, struct error *err)
{
	const struct report_options *options = maker->options;
	struct report_part *part = report_output_add_part(maker->output);
	int r;

	if (!part)
		return error_set_no_memory(err);
	part->is_breakdown = true;
	part->has_group = group != NULL;
	if (group)
		part->group = *group;
	r = breakdown_build(&part->breakdown, tree,
			    options->components ? &maker->output->components : NULL,
			    report_top(options, REPORT_TOP_INSIDE), err);
	if (r == 0 &&
	    report_table_build_breakdown(&part->table, &part->breakdown,
					 view_duration_ns(&maker->output->view, maker->profile),
					 group) < 0)
		r = error_set_no_memory(err);
	/* It may have been that of a branch. */
	part->breakdown.tree = maker->tree;
	return r;
}

/* The breakdown of a call: of what ran inside the scope, over the number of its calls. */
static int add_per_call(const struct part_maker *maker, const struct view *view, struct error *err)
{
	const struct report_options *options = maker->options;
	struct report_part *part = report_output_add_part(maker->output);
	struct per_call_waits waits;
	struct scope_calls calls;
	int r;

	if (!part)
		return error_set_no_memory(err);
	part->is_breakdown = part->is_per_call = true;
	r = scope_calls_find(&calls, maker->profile, view, err);
	if (r < 0)
		return r;
	per_call_find_waits(&waits, maker->profile, view);
	r = breakdown_build(&part->breakdown, maker->tree,
			    options->components ? &maker->output->components : NULL,
			    report_top(options, REPORT_TOP_INSIDE), err);
	if (r == 0)
		r = per_call_build(&part->per_call, &part->breakdown, &calls, &waits, options->per,
				   err);
	if (r == 0 && report_table_build_per_call(&part->table, &part->per_call) < 0)
		r = error_set_no_memory(err);
	return r;
}

static int add_group(const struct part_maker *maker, uint32_t node, struct error *err)
{
	const struct calltree *tree = maker->tree;
	const struct report_group group = {
		.name = calltree_frame_name(tree, &tree->frames[tree->nodes[node].frame]),
		.measure = measure_of(tree, &tree->nodes[node].total),
	};
	struct calltree branch;
	int r;

	if (calltree_branch_init(&branch, tree, node) < 0)
		return error_set_no_memory(err);
	r = maker->request.is_breakdown
		    ? add_breakdown(maker, &branch, &group, err)
		    : add_frames(maker, &branch, maker->request.kind, &group, err);
	calltree_branch_release(&branch);
	return r;
}

struct group_order {
	const char *name;
	uint64_t weight;
	uint32_t node;
	uint32_t label; /* ascends with time where groups are phases */
};

static int compare_groups(const void *a, const void *b)
{
	const struct group_order *x = a;
	const struct group_order *y = b;

	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int compare_labels(const void *a, const void *b)
{
	const struct group_order *x = a;
	const struct group_order *y = b;

	return x->label < y->label ? -1 : x->label > y->label;
}

/* The heaviest first: all, or so many as tables have rows; those of phases in order of time. */
static int add_groups(const struct part_maker *maker, struct error *err)
{
	const struct calltree *tree = maker->tree;
	const uint64_t top = report_top(maker->options, REPORT_TOP);
	struct group_order *order = calloc(tree->n_nodes, sizeof(*order));
	size_t n_groups = 0;
	int r = 0;

	if (!order)
		return error_set_no_memory(err);
	for (uint32_t at = tree->nodes[0].first_child; at; at = tree->nodes[at].next_sibling)
		order[n_groups++] = (struct group_order){
			.name = calltree_frame_name(tree, &tree->frames[tree->nodes[at].frame]),
			.weight = calltree_weight(tree, &tree->nodes[at].total),
			.node = at,
			.label = tree->frames[tree->nodes[at].frame].function,
		};
	qsort(order, n_groups, sizeof(*order), compare_groups);
	n_groups = top < n_groups ? (size_t)top : n_groups;
	if (maker->output->view.by == VIEW_BY_PHASE)
		qsort(order, n_groups, sizeof(*order), compare_labels);
	for (size_t i = 0; r == 0 && i < n_groups; i++)
		r = add_group(maker, order[i].node, err);
	free(order);
	return r;
}

/* The sums come once: they are the same for every kind of table. */
static int add_split(struct part_maker *maker, struct error *err)
{
	int r = 0;

	if (!maker->has_sums && maker->output->format != REPORT_CSV)
		r = add_frames(maker, maker->tree, REPORT_GROUPS, NULL, err);
	maker->has_sums = true;
	return r == 0 ? add_groups(maker, err) : r;
}

static int add_request(struct part_maker *maker, struct error *err)
{
	const struct view view = request_view(maker);
	struct calltree *tree = &maker->output->trees[maker->output->n_trees];
	bool *is_wanted = NULL;
	int r = calltree_build(tree, maker->profile, &view, err);

	if (r < 0)
		return r;
	maker->output->n_trees++;
	maker->tree = tree;
	r = view_text_check(&view, tree, err);
	if (r < 0)
		return r;
	if (maker->request.function) {
		is_wanted = calloc(tree->n_frames + 1, sizeof(*is_wanted));
		r = is_wanted ? function_find(tree, maker->request.function, is_wanted, err)
			      : error_set_no_memory(err);
	}
	maker->is_wanted = is_wanted;
	if (r == 0 && view.by && !is_of_labels(maker->request.kind))
		r = add_split(maker, err);
	else if (r == 0 && maker->request.is_breakdown && maker->options->per)
		r = add_per_call(maker, &view, err);
	else if (r == 0 && maker->request.is_breakdown)
		r = add_breakdown(maker, tree, NULL, err);
	else if (r == 0)
		r = add_frames(maker, tree, maker->request.kind, NULL, err);
	free(is_wanted);
	return r;
}

int report_parts_add(struct report_output *output, const struct report_options *options,
		     const struct profile *profile, struct error *err)
{
	const struct {
		struct report_request request;
		bool is_asked;
	} tables[] = {
		{ { REPORT_FUNCTIONS, true, NULL }, options->is_breakdown },
		{ { REPORT_PROCESSES, false, NULL }, options->with_processes },
		{ { REPORT_THREADS, false, NULL }, options->with_threads },
		{ { REPORT_MODULES, false, NULL }, options->with_modules },
		{ { REPORT_LINES, false, NULL }, options->with_lines },
		{ { REPORT_CALLERS, false, options->callers_of }, options->callers_of != NULL },
		{ { REPORT_CALLEES, false, options->callees_of }, options->callees_of != NULL },
	};
	struct part_maker maker = { .output = output, .options = options, .profile = profile };
	int r = 0;

	if (options->components)
		r = components_read(&output->components, options->components, err);
	for (size_t i = 0; r == 0 && i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!tables[i].is_asked)
			continue;
		maker.request = tables[i].request;
		r = add_request(&maker, err);
	}
	if (r == 0 && report_marks_n_tables(&options->marks))
		r = report_marks_add(output, &options->marks, options->top, err);
	if (r == 0 && options->with_memory)
		r = report_memory_add(output, options->top, err);
	if (r == 0 && output->n_parts == 0) {
		maker.request = (struct report_request){ .kind = REPORT_FUNCTIONS };
		r = add_request(&maker, err);
	}
	return r;
}
