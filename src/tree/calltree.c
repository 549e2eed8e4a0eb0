/*
 * From samples to tree in three steps: samples are added up by (label, stack
 * node), each distinct stack is merged into the tree once, and totals are made
 * by one pass from the last node to the first, since children come after
 * their parents.
 */
#include "tree/calltree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buffer.h"
#include "tree/calltree_grow.h"
#include "tree/calltree_labels.h"
#include "tree/module_alias.h"
#include "tree/view_parts.h"

/* All samples of one stack below one label. */
struct group {
	uint32_t label; /* tree node of the process or thread; 0: none */
	uint32_t stack; /* node in profile.stacks */
	uint8_t state;	/* enum sample_state when it is to be told, else SAMPLE_RUNNING */
	struct calltree_value value;
};

struct groups {
	struct group *items;
	size_t n_items, capacity;
	struct hash_index index;
};

/* Where a stack is in the tree, below one label. */
struct place {
	uint32_t node;
	uint32_t label; /* plus 1; 0: nowhere so far */
};

/* What is needed only while building. */
struct builder {
	struct calltree *tree;
	const struct profile *profile;
	const struct view *view;
	bool is_mixed; /* running and waiting are in the view */
	struct groups groups;
	struct calltree_labels labels;
	struct place *places; /* by stack node */
	uint32_t *pending;    /* stack nodes on the way up to a known place */
	uint32_t *modules;    /* what module_aliases_find says */
	uint32_t *frame_ids;  /* by frame of the profile: its tree frame, plus 1; 0: not known */
};

static int groups_add(struct groups *groups, uint32_t label, const struct sample *sample,
		      uint8_t state)
{
	const uint64_t hash =
		hash_u64(((uint64_t)label << 32 | sample->node) + ((uint64_t)state << 56));
	struct hash_cursor cursor = hash_index_cursor(&groups->index, hash);
	struct group *grown;
	struct calltree_value value;
	uint32_t at;

	while ((at = hash_index_next(&groups->index, &cursor)) != HASH_INDEX_NONE)
		if (groups->items[at].label == label && groups->items[at].stack == sample->node &&
		    groups->items[at].state == state)
			break;
	if (at == HASH_INDEX_NONE) {
		grown = array_grown(groups->items, &groups->capacity, groups->n_items + 1,
				    sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		groups->items = grown;
		at = (uint32_t)groups->n_items;
		if (hash_index_add(&groups->index, hash, at) < 0)
			return -ENOMEM;
		grown[at] = (struct group){ .label = label, .stack = sample->node, .state = state };
		groups->n_items++;
	}
	value = calltree_value_of(sample);
	calltree_value_add(&groups->items[at].value, &value);
	return 0;
}

static int builder_group_sample(struct builder *builder, const struct sample *sample)
{
	struct view_parts parts;
	struct view_part part;
	uint32_t label;
	int r = 0;

	if (!calltree_labels_have(&builder->labels, sample->thread))
		return 0;
	view_parts_init(&parts, builder->view, builder->profile, sample);
	while (r == 0 && view_parts_next(&parts, &part)) {
		r = calltree_labels_find(&builder->labels, &part, &label);
		if (r == 0)
			r = groups_add(&builder->groups, label, &part.sample,
				       builder->is_mixed ? sample->state : SAMPLE_RUNNING);
	}
	return r;
}

static int builder_group_samples(struct builder *builder)
{
	const struct profile *profile = builder->profile;
	int r = 0;

	for (size_t i = 0; r == 0 && i < profile->n_samples; i++) {
		const struct sample *const sample = &profile->samples[i];

		if (sample->thread < profile->n_threads && sample->node < profile->stacks.n_nodes &&
		    sample->state < SAMPLE_N_STATES)
			r = builder_group_sample(builder, sample);
	}
	return r;
}

static struct calltree_frame builder_frame(const struct builder *builder,
					   const struct location *location,
					   const struct frame *frame)
{
	const struct profile *profile = builder->profile;
	const enum granularity granularity = builder->view->granularity;
	struct calltree_frame made = {
		.module = builder->modules ? builder->modules[location->module] : location->module,
	};

	if (location->module < profile->n_modules &&
	    profile->modules[location->module].kind == MODULE_KIND_KERNEL)
		made.flags |= FRAME_KERNEL;
	if (granularity == GRANULARITY_ADDRESS)
		made.vaddr = location->vaddr;
	if (!frame)
		return made;
	if (granularity == GRANULARITY_MODULE) {
		made.flags |= frame->flags & (FRAME_KERNEL | FRAME_PSEUDO);
		if (location->module == MODULE_PSEUDO)
			made.function = frame->function;
		return made;
	}
	made.function = frame->function;
	made.file = frame->file;
	made.flags |= frame->flags;
	if (granularity != GRANULARITY_FUNCTION)
		made.line = frame->line;
	return made;
}

/*
 * The tree's frame for the i-th frame of a location.  Remembered by the
 * profile's frame, which belongs to that location alone.
 */
static int builder_frame_id(struct builder *builder, uint32_t *ret_id,
			    const struct location *location, uint32_t i)
{
	const enum granularity granularity = builder->view->granularity;
	const size_t at = (size_t)location->first_frame + i;
	struct calltree_frame made;

	if (!location->n_frames) {
		made = builder_frame(builder, location, NULL);
		return calltree_add_frame(builder->tree, ret_id, &made, granularity);
	}
	if (!builder->frame_ids[at]) {
		made = builder_frame(builder, location, &builder->profile->frames[at]);
		if (calltree_add_frame(builder->tree, ret_id, &made, granularity) < 0)
			return -ENOMEM;
		builder->frame_ids[at] = *ret_id + 1;
	}
	*ret_id = builder->frame_ids[at] - 1;
	return 0;
}

/* Below `*node`, the frames of one location, outermost first. */
static int builder_add_location(struct builder *builder, uint32_t *node, uint32_t location_id)
{
	const struct location *location = &builder->profile->locations.locations[location_id];
	const uint32_t n_frames = location->n_frames ? location->n_frames : 1;
	struct calltree *tree = builder->tree;

	for (uint32_t i = n_frames; i-- > 0;) {
		uint32_t id;

		if (builder_frame_id(builder, &id, location, i) < 0)
			return -ENOMEM;
		if (builder->view->granularity == GRANULARITY_MODULE && *node &&
		    tree->nodes[*node].frame == id)
			continue;
		if (calltree_add_node(tree, node, *node, id) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The tree node of a stack: up to what is known already, then down again. */
static int builder_place(struct builder *builder, uint32_t *ret_node, uint32_t label,
			 uint32_t stack)
{
	const struct stack_trie *stacks = &builder->profile->stacks;
	uint32_t node = label;
	size_t n_pending = 0;

	for (; stack && builder->places[stack].label != label + 1;
	     stack = stacks->nodes[stack].parent)
		builder->pending[n_pending++] = stack;
	if (stack)
		node = builder->places[stack].node;
	while (n_pending-- > 0) {
		stack = builder->pending[n_pending];
		if (builder_add_location(builder, &node, stacks->nodes[stack].location) < 0)
			return -ENOMEM;
		builder->places[stack] = (struct place){ node, label + 1 };
	}
	*ret_node = node;
	return 0;
}

/* One label after the other, because places are remembered for one at a time. */
static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a;
	const struct group *y = b;

	if (x->label != y->label)
		return x->label < y->label ? -1 : 1;
	if (x->stack != y->stack)
		return x->stack < y->stack ? -1 : 1;
	return x->state < y->state ? -1 : x->state > y->state;
}

/* Below a stack, the frame that says that it waited. */
static int builder_add_wait(struct builder *builder, uint32_t *node, enum sample_state state)
{
	struct calltree_frame frame = { .is_wait = 1 };
	struct buffer name = BUFFER_INIT;
	int r;

	buffer_printf(&name, "[%s]", sample_state_label(state));
	r = name.is_failed ? -ENOMEM
			   : calltree_add_label(builder->tree, node, &frame, buffer_string(&name));
	buffer_release(&name);
	return r;
}

static int builder_merge_groups(struct builder *builder)
{
	struct groups *groups = &builder->groups;

	if (groups->n_items)
		qsort(groups->items, groups->n_items, sizeof(*groups->items), compare_groups);
	for (size_t i = 0; i < groups->n_items; i++) {
		const struct group *group = &groups->items[i];
		uint32_t node;

		if (builder_place(builder, &node, group->label, group->stack) < 0)
			return -ENOMEM;
		if (group->state != SAMPLE_RUNNING &&
		    builder_add_wait(builder, &node, group->state) < 0)
			return -ENOMEM;
		calltree_value_add(&builder->tree->nodes[node].self, &group->value);
	}
	return 0;
}

static void calltree_add_totals(struct calltree *tree)
{
	for (size_t i = tree->n_nodes; i-- > 0;) {
		struct calltree_node *node = &tree->nodes[i];

		calltree_value_add(&node->total, &node->self);
		if (i > 0)
			calltree_value_add(&tree->nodes[node->parent].total, &node->total);
	}
	tree->whole = tree->nodes[0].total;
}

static int builder_init(struct builder *builder)
{
	const size_t n_stacks = builder->profile->stacks.n_nodes;

	builder->is_mixed = view_is_mixed(builder->view, builder->profile);
	builder->places = calloc(n_stacks + 1, sizeof(*builder->places));
	builder->pending = calloc(n_stacks + 1, sizeof(*builder->pending));
	builder->frame_ids = calloc(builder->profile->n_frames + 1, sizeof(*builder->frame_ids));
	if (!builder->places || !builder->pending || !builder->frame_ids)
		return -ENOMEM;
	if (module_aliases_find(&builder->modules, builder->profile) < 0 ||
	    interner_init(&builder->tree->labels) < 0 ||
	    calltree_append_node(builder->tree, 0, 0) < 0)
		return -ENOMEM;
	return calltree_labels_init(&builder->labels, builder->tree, builder->profile,
				    builder->view);
}

static void builder_release(struct builder *builder)
{
	calltree_labels_release(&builder->labels);
	free(builder->places);
	free(builder->pending);
	free(builder->modules);
	free(builder->frame_ids);
	free(builder->groups.items);
	hash_index_release(&builder->groups.index);
}

int calltree_build(struct calltree *tree, const struct profile *profile, const struct view *view,
		   struct error *err)
{
	struct builder builder = { .tree = tree, .profile = profile, .view = view };
	int r;

	*tree = (struct calltree){ .profile = profile };
	r = builder_init(&builder);
	if (r == 0)
		r = builder_group_samples(&builder);
	if (r == 0)
		r = builder_merge_groups(&builder);
	if (r == 0)
		calltree_add_totals(tree);
	builder_release(&builder);
	if (r < 0) {
		calltree_release(tree);
		return error_set_no_memory(err);
	}
	return 0;
}

void calltree_release(struct calltree *tree)
{
	free(tree->frames);
	free(tree->nodes);
	interner_release(&tree->labels);
	hash_index_release(&tree->frame_index);
	hash_index_release(&tree->node_index);
	*tree = (struct calltree){ 0 };
}

const char *calltree_frame_name(const struct calltree *tree, const struct calltree_frame *frame)
{
	const char *name;

	if (frame->is_label || frame->is_wait)
		return interner_get(&tree->labels, frame->function);
	if (frame->function)
		return interner_get(&tree->profile->strings, frame->function);
	name = profile_module_name(tree->profile, frame->module);
	return name[0] ? name : "[unknown]";
}
