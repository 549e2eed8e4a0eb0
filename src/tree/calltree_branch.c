/* A branch copies its nodes, parents before children; everything else is the tree's. */
#include "tree/calltree.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

static int branch_append(struct calltree *branch, const struct calltree_node *node, uint32_t parent)
{
	struct calltree_node *grown = array_grown(branch->nodes, &branch->nodes_capacity,
						  branch->n_nodes + 1, sizeof(*grown));
	const uint32_t at = (uint32_t)branch->n_nodes;

	if (!grown)
		return -ENOMEM;
	branch->nodes = grown;
	grown[at] = (struct calltree_node){
		.frame = node->frame, .parent = parent, .self = node->self, .total = node->total
	};
	if (at > 0) {
		grown[at].next_sibling = grown[parent].first_child;
		grown[parent].first_child = at;
	}
	branch->n_nodes++;
	return 0;
}

/* In depth-first order; `copy` is always the copy of `at`'s parent. */
static int branch_copy_below(struct calltree *branch, const struct calltree *tree, uint32_t node)
{
	const struct calltree_node *nodes = tree->nodes;
	uint32_t at = nodes[node].first_child;
	uint32_t copy = 0;

	while (at) {
		if (branch_append(branch, &nodes[at], copy) < 0)
			return -ENOMEM;
		if (nodes[at].first_child) {
			copy = (uint32_t)branch->n_nodes - 1;
			at = nodes[at].first_child;
			continue;
		}
		while (!nodes[at].next_sibling && nodes[at].parent != node) {
			at = nodes[at].parent;
			copy = branch->nodes[copy].parent;
		}
		at = nodes[at].next_sibling;
	}
	return 0;
}

int calltree_branch_init(struct calltree *branch, const struct calltree *tree, uint32_t node)
{
	int r;

	*branch = *tree;
	branch->nodes = NULL;
	branch->n_nodes = branch->nodes_capacity = 0;
	branch->frame_index = branch->node_index = (struct hash_index){ 0 };
	r = branch_append(branch, &tree->nodes[node], 0);
	if (r == 0)
		r = branch_copy_below(branch, tree, node);
	if (r < 0)
		calltree_branch_release(branch);
	return r;
}

void calltree_branch_release(struct calltree *branch)
{
	free(branch->nodes);
	*branch = (struct calltree){ 0 };
}
