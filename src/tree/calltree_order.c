/* Sibling order: frames are ranked by name once, then nodes are relinked by rank.  Phases are
 * ranked by time. */
#include "tree/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ranked_frame {
	const struct calltree_frame *frame;
	const char *name;
	const char *module;
	uint32_t id;
};

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_ranked_frames(const void *a, const void *b)
{
	const struct ranked_frame *x = a;
	const struct ranked_frame *y = b;
	int r = compare_numbers(x->frame->label_kind != LABEL_PHASE,
				y->frame->label_kind != LABEL_PHASE);

	if (r == 0 && x->frame->label_kind == LABEL_PHASE)
		r = compare_numbers(x->frame->function, y->frame->function);
	if (r == 0)
		r = strcmp(x->name, y->name);
	if (r == 0)
		r = strcmp(x->module, y->module);
	if (r == 0)
		r = compare_numbers(x->frame->line, y->frame->line);
	if (r == 0)
		r = compare_numbers(x->frame->vaddr, y->frame->vaddr);
	return r ? r : compare_numbers(x->id, y->id);
}

/* ranks[frame] is the frame's place in the order of names. */
static int calltree_rank_frames(const struct calltree *tree, uint32_t *ranks)
{
	struct ranked_frame *ranked = calloc(tree->n_frames + 1, sizeof(*ranked));

	if (!ranked)
		return -ENOMEM;
	for (size_t i = 0; i < tree->n_frames; i++)
		ranked[i] = (struct ranked_frame){
			.frame = &tree->frames[i],
			.name = calltree_frame_name(tree, &tree->frames[i]),
			.module = profile_module_name(tree->profile, tree->frames[i].module),
			.id = (uint32_t)i,
		};
	qsort(ranked, tree->n_frames, sizeof(*ranked), compare_ranked_frames);
	for (size_t i = 0; i < tree->n_frames; i++)
		ranks[ranked[i].id] = (uint32_t)i;
	free(ranked);
	return 0;
}

/* Nodes in the order of their frames' ranks: a counting sort. */
static void sort_nodes(const struct calltree *tree, const uint32_t *ranks, uint32_t *starts,
		       uint32_t *order)
{
	for (size_t i = 1; i < tree->n_nodes; i++)
		starts[ranks[tree->nodes[i].frame] + 1]++;
	for (size_t i = 1; i <= tree->n_frames; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 1; i < tree->n_nodes; i++)
		order[starts[ranks[tree->nodes[i].frame]]++] = (uint32_t)i;
}

/* Prepending from the last to the first leaves every list in order. */
static void relink(struct calltree *tree, const uint32_t *order)
{
	for (size_t i = 0; i < tree->n_nodes; i++)
		tree->nodes[i].first_child = 0;
	for (size_t i = tree->n_nodes - 1; i-- > 0;) {
		struct calltree_node *node = &tree->nodes[order[i]];
		struct calltree_node *parent = &tree->nodes[node->parent];

		node->next_sibling = parent->first_child;
		parent->first_child = order[i];
	}
}

int calltree_sort_by_name(struct calltree *tree)
{
	uint32_t *ranks = calloc(tree->n_frames + 1, sizeof(*ranks));
	uint32_t *starts = calloc(tree->n_frames + 2, sizeof(*starts));
	uint32_t *order = calloc(tree->n_nodes + 1, sizeof(*order));
	int r = ranks && starts && order ? calltree_rank_frames(tree, ranks) : -ENOMEM;

	if (r == 0) {
		sort_nodes(tree, ranks, starts, order);
		relink(tree, order);
	}
	free(ranks);
	free(starts);
	free(order);
	return r;
}
