/*
 * Two passes over the tree's nodes decide whose each one is, since a parent
 * comes before its children; a row is made for every owner that got anything,
 * and rows are then summed up, cut to the heaviest and put in order
 * (breakdown_rows.c).
 */
#include "tree/breakdown.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/frame_names.h"
#include "tree/breakdown_rows.h"

#define BREAKDOWN_UNEXPLAINED_NAME "UNEXPLAINED"
#define BREAKDOWN_WAITING_NAME "[waiting]"

struct builder {
	const struct calltree *tree;
	const struct components *components;
	struct breakdown *breakdown;
	struct breakdown_rows rows;
	uint32_t *claims; /* by frame: the row of its component, or BREAKDOWN_TOP */
	uint32_t *owners; /* by node: the row of the innermost claim, or BREAKDOWN_TOP */
	bool *is_cut;	  /* by node: below a "[truncated: …]" root */
};

static const struct module *module_of(const struct profile *profile, uint32_t module)
{
	return &profile->modules[module < profile->n_modules ? module : MODULE_PSEUDO];
}

static const char *module_title(const struct profile *profile, uint32_t module)
{
	const char *const name = profile_module_name(profile, module);

	if (name[0])
		return name;
	return module_of(profile, module)->kind == MODULE_KIND_NAMES ? "[functions]"
								     : "[no module]";
}

static const char *file_of(const struct profile *profile, const struct calltree_frame *frame)
{
	return interner_get(&profile->strings, frame->file);
}

/* With rules: a row a component, empty ones too, and what each frame belongs to. */
static int claim_by_rules(struct builder *builder)
{
	const struct components *components = builder->components;
	const struct profile *profile = builder->tree->profile;
	int r = 0;

	for (size_t i = 0; r == 0 && i < components->n_items; i++) {
		const struct component *item = &components->items[i];
		uint32_t row;

		/* Rows are numbered like components, since these are the first. */
		r = breakdown_rows_add(&builder->rows, &row, item->parent, BREAKDOWN_COMPONENT,
				       interner_get(&components->strings, item->name));
	}
	for (size_t i = 0; r == 0 && i < builder->tree->n_frames; i++) {
		const struct calltree_frame *frame = &builder->tree->frames[i];
		const struct component_subject subject = {
			.function = calltree_frame_name(builder->tree, frame),
			.module_path = interner_get(&profile->strings,
						    module_of(profile, frame->module)->path),
			.path = file_of(profile, frame),
		};

		if (frame->label_kind == LABEL_SCOPE_INSIDE)
			builder->claims[i] = components_find_scope(components, subject.function);
		else if (!frame->is_label && !frame->is_wait && !(frame->flags & FRAME_PSEUDO))
			builder->claims[i] = components_find(components, &subject);
	}
	return r;
}

/* Whose a node's own samples are, and whether its stack lacks its root. */
static void decide_owners(struct builder *builder)
{
	const struct calltree *tree = builder->tree;

	builder->owners[0] = BREAKDOWN_TOP;
	for (size_t i = 1; i < tree->n_nodes; i++) {
		const struct calltree_node *node = &tree->nodes[i];
		const uint32_t claim = builder->claims[node->frame];

		builder->owners[i] = claim != BREAKDOWN_TOP ? claim : builder->owners[node->parent];
		builder->is_cut[i] = builder->is_cut[node->parent] ||
				     (tree->frames[node->frame].flags & FRAME_PSEUDO);
	}
}

/* The reason for which nobody claims the node's own samples, as rows. */
static int find_reason(struct builder *builder, uint32_t node_index, uint32_t *ret_row)
{
	const struct calltree *tree = builder->tree;
	const struct calltree_node *node = &tree->nodes[node_index];
	const struct calltree_frame *frame = node_index ? &tree->frames[node->frame] : NULL;
	const char *reason = "no rule claims it";
	const char *detail = frame ? calltree_frame_name(tree, frame) : "[no stack]";
	uint32_t row;
	int r;

	if (frame && !frame->is_label && strcmp(detail, FRAME_NAME_NOT_SAMPLED) == 0) {
		reason = "not sampled";
	} else if (!frame || frame->is_label || (frame->flags & FRAME_PSEUDO)) {
		reason = "stack not unwound";
	} else if (frame->flags & FRAME_UNRESOLVED) {
		reason = "no symbols";
		detail = module_title(tree->profile, frame->module);
	} else if (builder->is_cut[node_index]) {
		reason = "stack not unwound";
	}
	r = breakdown_rows_find_or_add(&builder->rows, &row, BREAKDOWN_TOP, BREAKDOWN_UNEXPLAINED,
				       BREAKDOWN_UNEXPLAINED_NAME);
	if (r == 0)
		r = breakdown_rows_find_or_add(&builder->rows, &row, row, BREAKDOWN_UNEXPLAINED,
					       reason);
	if (r == 0)
		r = breakdown_rows_find_or_add(&builder->rows, ret_row, row, BREAKDOWN_FUNCTION,
					       detail);
	return r;
}

/* A module is like a rule for all its code, with names or without. */
static bool is_of_module(const struct profile *profile, const struct calltree_frame *frame)
{
	const enum module_kind kind = (enum module_kind)module_of(profile, frame->module)->kind;

	if (frame->is_label || (frame->flags & FRAME_PSEUDO))
		return false;
	return kind == MODULE_KIND_FILE || kind == MODULE_KIND_VDSO || kind == MODULE_KIND_KERNEL ||
	       !(frame->flags & FRAME_UNRESOLVED);
}

static int find_module_row(struct builder *builder, const struct calltree_frame *frame,
			   uint32_t *ret_row)
{
	const int r =
		breakdown_rows_find_or_add(&builder->rows, ret_row, BREAKDOWN_TOP,
					   BREAKDOWN_COMPONENT,
					   module_title(builder->tree->profile, frame->module));

	if (r < 0)
		return r;
	return breakdown_rows_find_or_add(&builder->rows, ret_row, *ret_row, BREAKDOWN_FUNCTION,
					  calltree_frame_name(builder->tree, frame));
}

/* What waited is a component of its own beside the modules that ran. */
static int find_wait_row(struct builder *builder, const struct calltree_frame *frame,
			 uint32_t *ret_row)
{
	const int r = breakdown_rows_find_or_add(&builder->rows, ret_row, BREAKDOWN_TOP,
						 BREAKDOWN_COMPONENT, BREAKDOWN_WAITING_NAME);

	if (r < 0)
		return r;
	return breakdown_rows_find_or_add(&builder->rows, ret_row, *ret_row, BREAKDOWN_FUNCTION,
					  calltree_frame_name(builder->tree, frame));
}

static int find_row(struct builder *builder, uint32_t node_index, uint32_t *ret_row)
{
	const struct calltree *tree = builder->tree;
	const struct calltree_frame *frame = node_index
						     ? &tree->frames[tree->nodes[node_index].frame]
						     : NULL;

	if (builder->owners[node_index] != BREAKDOWN_TOP) {
		*ret_row = builder->owners[node_index];
		return 0;
	}
	if (!builder->components && frame && frame->is_wait)
		return find_wait_row(builder, frame, ret_row);
	if (!builder->components && frame && is_of_module(tree->profile, frame))
		return find_module_row(builder, frame, ret_row);
	return find_reason(builder, node_index, ret_row);
}

static int add_values(struct builder *builder)
{
	const struct calltree *tree = builder->tree;

	for (size_t i = 0; i < tree->n_nodes; i++) {
		uint32_t row;

		if (calltree_value_is_empty(&tree->nodes[i].self))
			continue;
		if (find_row(builder, (uint32_t)i, &row) < 0)
			return -ENOMEM;
		calltree_value_add(&builder->rows.items[row].own, &tree->nodes[i].self);
	}
	return 0;
}

static int builder_init(struct builder *builder)
{
	const struct calltree *tree = builder->tree;

	builder->claims = malloc((tree->n_frames + 1) * sizeof(*builder->claims));
	builder->owners = calloc(tree->n_nodes, sizeof(*builder->owners));
	builder->is_cut = calloc(tree->n_nodes, sizeof(*builder->is_cut));
	if (!builder->claims || !builder->owners || !builder->is_cut)
		return -ENOMEM;
	memset(builder->claims, 0xff, (tree->n_frames + 1) * sizeof(*builder->claims));
	return interner_init(&builder->breakdown->names);
}

static int builder_run(struct builder *builder, size_t n_inside)
{
	uint32_t row;
	int r = builder_init(builder);

	if (r == 0 && builder->components)
		r = claim_by_rules(builder);
	if (r < 0)
		return r;
	decide_owners(builder);
	r = breakdown_rows_find_or_add(&builder->rows, &row, BREAKDOWN_TOP, BREAKDOWN_UNEXPLAINED,
				       BREAKDOWN_UNEXPLAINED_NAME);
	if (r == 0)
		r = add_values(builder);
	if (r == 0)
		r = breakdown_rows_finish(&builder->rows, builder->breakdown, n_inside);
	return r;
}

int breakdown_build(struct breakdown *breakdown, const struct calltree *tree,
		    const struct components *components, size_t n_inside, struct error *err)
{
	struct builder builder = { .tree = tree,
				   .components = components,
				   .breakdown = breakdown,
				   .rows.is_in_order = components != NULL };
	int r;

	*breakdown = (struct breakdown){ .tree = tree };
	r = builder_run(&builder, n_inside);
	free(builder.claims);
	free(builder.owners);
	free(builder.is_cut);
	breakdown_rows_release(&builder.rows);
	if (r < 0) {
		breakdown_release(breakdown);
		return error_set_no_memory(err);
	}
	return 0;
}

void breakdown_release(struct breakdown *breakdown)
{
	interner_release(&breakdown->names);
	free(breakdown->rows);
	*breakdown = (struct breakdown){ 0 };
}

const char *breakdown_kind_key(enum breakdown_kind kind)
{
	switch (kind) {
	case BREAKDOWN_COMPONENT:
		return "component";
	case BREAKDOWN_FUNCTION:
		return "function";
	case BREAKDOWN_REST:
		return "rest";
	case BREAKDOWN_UNEXPLAINED:
		return "unexplained";
	case BREAKDOWN_TOTAL:
		return "total";
	case BREAKDOWN_WAITING:
		return "waiting";
	case BREAKDOWN_DIFFERENCE:
		return "difference";
	}
	return "";
}
