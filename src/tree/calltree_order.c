/* Sibling order: frames are ranked by name once, then siblings are relinked by rank.  Phases are
 * ranked by time. */
#include "tree/calltree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

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

struct ranked_node {
	uint32_t rank;
	uint32_t node;
};

static int compare_ranked_nodes(const void *a, const void *b)
{
	const struct ranked_node *x = a;
	const struct ranked_node *y = b;

	return compare_numbers(x->rank, y->rank);
}

/* Children by rank, in `*nodes`, which grows as it has to. */
static int relink_children(struct calltree *tree, uint32_t parent, const uint32_t *ranks,
			   struct ranked_node **nodes, size_t *capacity)
{
	size_t n = 0;

	for (uint32_t at = tree->nodes[parent].first_child; at; at = tree->nodes[at].next_sibling) {
		struct ranked_node *grown = array_grown(*nodes, capacity, n + 1, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		*nodes = grown;
		grown[n++] = (struct ranked_node){ ranks[tree->nodes[at].frame], at };
	}
	qsort(*nodes, n, sizeof(**nodes), compare_ranked_nodes);
	tree->nodes[parent].first_child = (*nodes)[0].node;
	for (size_t i = 0; i < n; i++)
		tree->nodes[(*nodes)[i].node].next_sibling = i + 1 < n ? (*nodes)[i + 1].node : 0;
	return 0;
}

/* Most nodes have one child, beside them in memory, and are done with a look at it. */
int calltree_sort_by_name(struct calltree *tree)
{
	uint32_t *ranks = calloc(tree->n_frames + 1, sizeof(*ranks));
	struct ranked_node *nodes = NULL;
	size_t capacity = 0;
	int r = ranks ? calltree_rank_frames(tree, ranks) : -ENOMEM;

	for (size_t i = 0; r == 0 && i < tree->n_nodes; i++) {
		const uint32_t child = tree->nodes[i].first_child;

		if (child && tree->nodes[child].next_sibling)
			r = relink_children(tree, (uint32_t)i, ranks, &nodes, &capacity);
	}
	free(ranks);
	free(nodes);
	return r;
}
