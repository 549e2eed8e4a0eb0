/*
 * A walk through the tree remembers the innermost open node of each group; so
 * every node learns the nearest one around it that is of its group.
 */
#include "tree/scope_groups.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

static int group_get(struct scope_groups *groups, struct hash_index *index, uint32_t *ret_group,
		     struct scope_group wanted)
{
	const uint64_t hash = hash_pair(wanted.name, wanted.category);
	struct hash_cursor cursor = hash_index_cursor(index, hash);
	struct scope_group *grown;
	uint32_t at;

	while ((at = hash_index_next(index, &cursor)) != HASH_INDEX_NONE) {
		*ret_group = at;
		if (groups->groups[at].name == wanted.name &&
		    groups->groups[at].category == wanted.category)
			return 0;
	}
	grown = array_grown(groups->groups, &groups->groups_capacity, groups->n_groups + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	groups->groups = grown;
	if (hash_index_add(index, hash, (uint32_t)groups->n_groups) < 0)
		return -ENOMEM;
	*ret_group = (uint32_t)groups->n_groups;
	groups->groups[groups->n_groups++] = wanted;
	return 0;
}

int scope_groups_init(struct scope_groups *groups, const struct profile *profile, struct error *err)
{
	const struct marks *marks = &profile->marks;
	struct hash_index index = { 0 };
	int r = 0;

	*groups = (struct scope_groups){ 0 };
	groups->group_of = calloc(marks->scopes.n_nodes + 1, sizeof(*groups->group_of));
	if (!groups->group_of)
		return error_set_no_memory(err);
	for (size_t i = 1; r == 0 && i < marks->scopes.n_nodes; i++) {
		const uint32_t site = marks->scopes.nodes[i].site;
		struct scope_group wanted = { 0 };

		if (site < marks->n_sites)
			wanted = (struct scope_group){ marks->sites[site].name,
						       marks->sites[site].category };
		r = group_get(groups, &index, &groups->group_of[i], wanted);
	}
	hash_index_release(&index);
	if (r == 0)
		return 0;
	scope_groups_release(groups);
	return error_set_no_memory(err);
}

void scope_groups_release(struct scope_groups *groups)
{
	free(groups->groups);
	free(groups->group_of);
	*groups = (struct scope_groups){ 0 };
}

/* By node; 0 ends every list, and stands for the outside. */
struct links {
	uint32_t *first_child;
	uint32_t *next_sibling;
	uint32_t *around;   /* the nearest node of the same group that it is in */
	uint32_t *open;	    /* by group: the innermost one that the walk is in */
	uint64_t *inner_ns; /* of those of the same group that are directly inside */
};

static void links_release(struct links *links)
{
	free(links->first_child);
	free(links->next_sibling);
	free(links->around);
	free(links->open);
	free(links->inner_ns);
}

static int links_init(struct links *links, const struct scope_groups *groups,
		      const struct scope_tree *tree)
{
	const size_t n = tree->n_nodes + 1;

	*links = (struct links){
		.first_child = calloc(n, sizeof(uint32_t)),
		.next_sibling = calloc(n, sizeof(uint32_t)),
		.around = calloc(n, sizeof(uint32_t)),
		.open = calloc(groups->n_groups + 1, sizeof(uint32_t)),
		.inner_ns = calloc(n, sizeof(uint64_t)),
	};
	if (!links->first_child || !links->next_sibling || !links->around || !links->open ||
	    !links->inner_ns)
		return -ENOMEM;
	for (uint32_t i = 1; i < tree->n_nodes; i++) {
		const uint32_t parent = scope_parent(tree, i);

		links->next_sibling[i] = links->first_child[parent];
		links->first_child[parent] = i;
	}
	return 0;
}

/* Children before siblings, without a stack: the way back is by the parents. */
static void find_around(struct links *links, const struct scope_groups *groups,
			const struct mark_filter *filter)
{
	const struct scope_tree *tree = &filter->profile->marks.scopes;
	uint32_t at = links->first_child[0];

	while (at) {
		uint32_t *open = &links->open[groups->group_of[at]];

		links->around[at] = *open;
		if (mark_filter_has_scope(filter, at))
			*open = at;
		if (links->first_child[at]) {
			at = links->first_child[at];
			continue;
		}
		for (; at; at = scope_parent(tree, at)) {
			links->open[groups->group_of[at]] = links->around[at];
			if (links->next_sibling[at])
				break;
		}
		at = links->next_sibling[at];
	}
}

int scope_groups_outer(const struct scope_groups *groups, const struct mark_filter *filter,
		       uint64_t *outer_ns)
{
	const struct scope_tree *tree = &filter->profile->marks.scopes;
	struct links links;
	int r = links_init(&links, groups, tree);

	if (r == 0)
		find_around(&links, groups, filter);
	/* Children have larger ids, so that each is complete before the one around it. */
	for (size_t i = tree->n_nodes; r == 0 && i-- > 1;) {
		const uint64_t total_ns = tree->nodes[i].total_ns;
		const uint64_t all_ns = total_ns > links.inner_ns[i] ? total_ns : links.inner_ns[i];

		if (!mark_filter_has_scope(filter, (uint32_t)i))
			continue;
		outer_ns[i] = links.around[i] ? 0 : all_ns;
		links.inner_ns[links.around[i]] += all_ns;
	}
	links_release(&links);
	return r;
}
