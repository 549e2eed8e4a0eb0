/* Frames are found by what they are, nodes by parent and frame; both are indexed by hash. */
#include "tree/calltree_grow.h"

#include <errno.h>

#include "base/array.h"

static bool is_same_frame(const struct calltree_frame *a, const struct calltree_frame *b,
			  enum granularity granularity)
{
	return a->function == b->function && a->module == b->module && a->vaddr == b->vaddr &&
	       a->line == b->line && a->is_label == b->is_label && a->is_wait == b->is_wait &&
	       a->label_kind == b->label_kind &&
	       (a->file == b->file || granularity == GRANULARITY_FUNCTION ||
		granularity == GRANULARITY_MODULE);
}

int calltree_add_frame(struct calltree *tree, uint32_t *ret_frame,
		       const struct calltree_frame *frame, enum granularity granularity)
{
	const uint64_t hash = hash_pair(hash_pair(frame->function,
						  (uint64_t)frame->module << 1 | frame->is_label),
					hash_pair(frame->vaddr, frame->line));
	struct hash_cursor cursor = hash_index_cursor(&tree->frame_index, hash);
	struct calltree_frame *grown;
	uint32_t at;

	while ((at = hash_index_next(&tree->frame_index, &cursor)) != HASH_INDEX_NONE) {
		struct calltree_frame *known = &tree->frames[at];

		if (!is_same_frame(known, frame, granularity))
			continue;
		if (!(frame->flags & FRAME_INLINED))
			known->flags &= (uint8_t)~FRAME_INLINED;
		*ret_frame = at;
		return 0;
	}
	if (tree->n_frames >= HASH_INDEX_NONE - 1)
		return -ENOMEM;
	grown = array_grown(tree->frames, &tree->frames_capacity, tree->n_frames + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	tree->frames = grown;
	at = (uint32_t)tree->n_frames;
	if (hash_index_add(&tree->frame_index, hash, at) < 0)
		return -ENOMEM;
	grown[at] = *frame;
	tree->n_frames++;
	*ret_frame = at;
	return 0;
}

int calltree_append_node(struct calltree *tree, uint32_t frame, uint32_t parent)
{
	struct calltree_node *grown = array_grown(tree->nodes, &tree->nodes_capacity,
						  tree->n_nodes + 1, sizeof(*grown));

	if (!grown || tree->n_nodes >= HASH_INDEX_NONE - 1)
		return -ENOMEM;
	tree->nodes = grown;
	grown[tree->n_nodes++] = (struct calltree_node){ .frame = frame, .parent = parent };
	return 0;
}

static uint64_t hash_child(uint32_t parent, uint32_t frame)
{
	return hash_u64((uint64_t)parent << 32 | frame);
}

int calltree_add_node(struct calltree *tree, uint32_t *ret_node, uint32_t parent, uint32_t frame)
{
	const uint32_t newest = tree->nodes[parent].first_child;
	const bool is_indexed = newest && tree->nodes[newest].next_sibling;
	const uint64_t hash = hash_child(parent, frame);
	struct hash_cursor cursor = hash_index_cursor(&tree->node_index, hash);
	uint32_t at = newest;

	if (newest && tree->nodes[newest].frame == frame)
		goto found;
	while (is_indexed && (at = hash_index_next(&tree->node_index, &cursor)) != HASH_INDEX_NONE)
		if (tree->nodes[at].parent == parent && tree->nodes[at].frame == frame)
			goto found;
	at = (uint32_t)tree->n_nodes;
	if (calltree_append_node(tree, frame, parent) < 0)
		return -ENOMEM;
	if (newest && !is_indexed &&
	    hash_index_add(&tree->node_index, hash_child(parent, tree->nodes[newest].frame),
			   newest) < 0)
		return -ENOMEM;
	if (newest && hash_index_add(&tree->node_index, hash, at) < 0)
		return -ENOMEM;
	tree->nodes[at].next_sibling = newest;
	tree->nodes[parent].first_child = at;
found:
	*ret_node = at;
	return 0;
}

int calltree_add_label(struct calltree *tree, uint32_t *node, struct calltree_frame *frame,
		       const char *name)
{
	uint32_t id;

	if (interner_add(&tree->labels, &frame->function, name) < 0 ||
	    calltree_add_frame(tree, &id, frame, GRANULARITY_FUNCTION) < 0)
		return -ENOMEM;
	return calltree_add_node(tree, node, *node, id);
}
