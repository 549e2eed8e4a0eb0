/*
 * Above the process come what the sample was about (its state, phase, scope or
 * category), in place of it thread and process by number.  Neighbouring samples
 * mostly are of one thread and group: the last one found is tried first.
 */
#include "tree/calltree_labels.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/buffer.h"
#include "tree/calltree_grow.h"
#include "tree/view_marks.h"
#include "tree/view_parts.h"

/* So many names of phases are put in order beforehand. */
enum { LABELS_MAX_PHASES = 1 << 16 };

/* Ids of labels ascend in the order in which phases begin. */
static int intern_phases(struct calltree_labels *labels)
{
	const struct view_marks *marks = labels->view->marks;
	struct buffer name = BUFFER_INIT;
	size_t n = 0;
	int r = 0;

	if (labels->view->by == VIEW_BY_PHASE && marks)
		n = marks->phases.n_kinds;
	for (size_t i = 0; r == 0 && i < n && i < LABELS_MAX_PHASES; i++) {
		uint32_t id;

		buffer_clear(&name);
		view_part_add_name(labels->view, labels->profile, (uint32_t)i, &name);
		r = name.is_failed ? -ENOMEM
				   : interner_add(&labels->tree->labels, &id, buffer_string(&name));
	}
	buffer_release(&name);
	return r;
}

int calltree_labels_init(struct calltree_labels *labels, struct calltree *tree,
			 const struct profile *profile, const struct view *view)
{
	*labels = (struct calltree_labels){ .tree = tree, .profile = profile, .view = view };
	labels->has_thread = calloc(profile->n_threads + 1, sizeof(*labels->has_thread));
	if (!labels->has_thread)
		return -ENOMEM;
	for (size_t i = 0; i < profile->n_threads; i++)
		labels->has_thread[i] = view_has_thread(view, profile, (uint32_t)i);
	return intern_phases(labels);
}

void calltree_labels_release(struct calltree_labels *labels)
{
	free(labels->has_thread);
	free(labels->items);
	hash_index_release(&labels->index);
	*labels = (struct calltree_labels){ 0 };
}

/* One label below `*node`; no name, no label. */
static int add_label(struct calltree_labels *labels, uint32_t *node, enum label_kind kind,
		     const struct buffer *name)
{
	struct calltree_frame frame = { .is_label = 1, .label_kind = (uint8_t)kind };

	if (name->is_failed)
		return -ENOMEM;
	return name->size ? calltree_add_label(labels->tree, node, &frame, buffer_string(name)) : 0;
}

/* What `group` is called, below `*node`. */
static int add_part(struct calltree_labels *labels, uint32_t *node, uint32_t group,
		    enum label_kind kind)
{
	struct buffer name = BUFFER_INIT;
	int r;

	view_part_add_name(labels->view, labels->profile, group, &name);
	if (!name.size)
		buffer_add_string(&name, "[unknown]");
	r = add_label(labels, node, kind, &name);
	buffer_release(&name);
	return r;
}

static int add_scope(struct calltree_labels *labels, uint32_t *node, uint32_t scope,
		     enum label_kind kind)
{
	const struct profile *profile = labels->profile;
	const char *const name = interner_get(&profile->strings, scope_name(profile, scope));
	struct buffer text = BUFFER_INIT;
	int r;

	buffer_add_string(&text, name[0] ? name : "[unknown]");
	r = add_label(labels, node, kind, &text);
	buffer_release(&text);
	return r;
}

/* The scopes around a sample, the outermost first. */
static int add_scopes(struct calltree_labels *labels, uint32_t *node, uint32_t scope,
		      enum label_kind kind)
{
	const struct scope_node *nodes = labels->profile->marks.scopes.nodes;
	uint32_t path[SCOPE_STACK_MAX_DEPTH];
	size_t depth = 0;
	int r = 0;

	for (; scope && depth < SCOPE_STACK_MAX_DEPTH; scope = nodes[scope].parent) {
		path[depth++] = scope;
		if (nodes[scope].parent >= scope)
			break;
	}
	while (r == 0 && depth-- > 0)
		r = add_scope(labels, node, path[depth], kind);
	return r;
}

/* What is above the process name. */
static int add_group(struct calltree_labels *labels, uint32_t *node, uint32_t group)
{
	const bool is_scope = group != 0 && group != VIEW_GROUP_UNKNOWN;
	const enum label_kind kind = !is_scope				 ? LABEL_OTHER
				     : labels->view->by == VIEW_BY_SCOPE ? LABEL_SCOPE
									 : LABEL_CATEGORY;
	struct buffer name = BUFFER_INIT;
	int r = 0;

	switch (labels->view->by) {
	case VIEW_BY_NONE:
	case VIEW_BY_PROCESS:
	case VIEW_BY_THREAD:
	case VIEW_BY_COMM:
		break;
	case VIEW_BY_STATE:
		buffer_add_string(&name, sample_state_label((enum sample_state)group));
		r = add_label(labels, node, LABEL_OTHER, &name);
		break;
	case VIEW_BY_PHASE:
		r = add_part(labels, node, group,
			     group == VIEW_GROUP_UNKNOWN ? LABEL_OTHER : LABEL_PHASE);
		break;
	case VIEW_BY_SCOPE:
		r = labels->view->with_scopes && is_scope ? add_scopes(labels, node, group, kind)
							  : add_part(labels, node, group, kind);
		break;
	case VIEW_BY_CATEGORY:
		r = add_part(labels, node, group, kind);
		break;
	}
	buffer_release(&name);
	return r;
}

static bool is_in_place_of_process(enum view_by by)
{
	return by != VIEW_BY_NONE && by < VIEW_BY_STATE;
}

static int add_process(struct calltree_labels *labels, uint32_t *node, uint32_t thread)
{
	const struct profile *profile = labels->profile;
	const struct view *view = labels->view;
	struct buffer name = BUFFER_INIT;
	int r;

	if (is_in_place_of_process(view->by))
		view_add_group(&name, view->by, profile, thread);
	else if (view->with_process)
		buffer_add_string(&name, interner_get(&profile->strings,
						      profile->threads[thread].process_name));
	if (is_in_place_of_process(view->by) && !name.size)
		buffer_add_string(&name, "[unknown]");
	r = add_label(labels, node, LABEL_OTHER, &name);
	buffer_clear(&name);
	if (view->with_thread && view->by != VIEW_BY_THREAD)
		view_add_group(&name, VIEW_BY_THREAD, profile, thread);
	if (r == 0)
		r = add_label(labels, node, LABEL_OTHER, &name);
	buffer_release(&name);
	return r;
}

static int append_item(struct calltree_labels *labels, uint64_t hash,
		       const struct calltree_label *wanted)
{
	struct calltree_label *grown = array_grown(labels->items, &labels->capacity,
						   labels->n_items + 1, sizeof(*grown));
	struct calltree_label made = *wanted;

	if (!grown)
		return -ENOMEM;
	labels->items = grown;
	if (add_group(labels, &made.node, made.group) < 0 ||
	    add_process(labels, &made.node, made.thread) < 0 ||
	    add_scopes(labels, &made.node, made.scope, LABEL_SCOPE_INSIDE) < 0 ||
	    hash_index_add(&labels->index, hash, (uint32_t)labels->n_items) < 0)
		return -ENOMEM;
	grown[labels->n_items++] = made;
	return 0;
}

static bool is_item(const struct calltree_labels *labels, size_t at,
		    const struct calltree_label *wanted)
{
	const struct calltree_label *item = &labels->items[at];

	return item->thread == wanted->thread && item->group == wanted->group &&
	       item->scope == wanted->scope;
}

/* The scope that is to be told below the others; 0 outside all, and for what a file says wrong. */
static uint32_t scope_inside(const struct calltree_labels *labels, const struct sample *sample)
{
	const size_t n_scopes = labels->profile->marks.scopes.n_nodes;

	return labels->view->with_scopes_inside && sample->scope < n_scopes ? sample->scope : 0;
}

int calltree_labels_find(struct calltree_labels *labels, const struct view_part *part,
			 uint32_t *ret_node)
{
	const struct calltree_label wanted = { .thread = part->sample.thread,
					       .group = part->group,
					       .scope = scope_inside(labels, &part->sample) };
	const uint64_t hash = hash_pair(hash_u64((uint64_t)wanted.thread << 32 | wanted.group),
					wanted.scope);
	struct hash_cursor cursor = hash_index_cursor(&labels->index, hash);
	uint32_t at;

	if (labels->n_items && is_item(labels, labels->last, &wanted)) {
		*ret_node = labels->items[labels->last].node;
		return 0;
	}
	while ((at = hash_index_next(&labels->index, &cursor)) != HASH_INDEX_NONE)
		if (is_item(labels, at, &wanted))
			break;
	if (at == HASH_INDEX_NONE) {
		at = (uint32_t)labels->n_items;
		if (append_item(labels, hash, &wanted) < 0)
			return -ENOMEM;
	}
	labels->last = at;
	*ret_node = labels->items[at].node;
	return 0;
}
