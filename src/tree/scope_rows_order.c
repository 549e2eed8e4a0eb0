/*
 * Rows in the order in which they are shown.  In a tree each is sorted among
 * its siblings, and the list of those is walked from the top.
 */
#include "tree/scope_rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct ordered {
	const struct scope_row *row;
	uint32_t at; /* in the order before */
	bool is_by_self;
};

static uint64_t key_of(const struct ordered *ordered)
{
	return ordered->is_by_self ? ordered->row->self_ns : ordered->row->total_ns;
}

static int compare_keys(const void *a, const void *b)
{
	const struct ordered *x = a;
	const struct ordered *y = b;

	if (key_of(x) != key_of(y))
		return key_of(x) > key_of(y) ? -1 : 1;
	if (x->row->n_calls != y->row->n_calls)
		return x->row->n_calls > y->row->n_calls ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* Those of one parent together. */
static int compare_siblings(const void *a, const void *b)
{
	const struct ordered *x = a;
	const struct ordered *y = b;

	if (x->row->parent != y->row->parent)
		return x->row->parent < y->row->parent ? -1 : 1;
	return compare_keys(a, b);
}

/* By old index: is it among the `top` first, or around one that is? */
static bool *find_kept(const struct scope_rows *rows, struct ordered *order, size_t top)
{
	bool *is_kept = calloc(rows->n_rows + 1, sizeof(*is_kept));

	if (!is_kept)
		return NULL;
	qsort(order, rows->n_rows, sizeof(*order), compare_keys);
	for (size_t i = 0; i < rows->n_rows && i < top; i++)
		for (uint32_t at = order[i].at; at != SCOPE_ROW_NONE && !is_kept[at];
		     at = rows->rows[at].parent)
			is_kept[at] = true;
	return is_kept;
}

/* Where in `order`, sorted by siblings, those inside a row begin. */
struct walk {
	const struct ordered *order;
	size_t n_rows;
	size_t *first_inside; /* by old index, and behind those that of the top; n_rows: none */
	uint32_t *new_index;  /* by old index */
};

static size_t list_index(const struct walk *walk, uint32_t parent)
{
	return parent == SCOPE_ROW_NONE ? walk->n_rows : parent;
}

static void find_lists(struct walk *walk)
{
	for (size_t i = 0; i <= walk->n_rows; i++)
		walk->first_inside[i] = walk->n_rows;
	for (size_t i = walk->n_rows; i-- > 0;)
		walk->first_inside[list_index(walk, walk->order[i].row->parent)] = i;
}

/* The place in `order` behind `i` that has the same parent, or n_rows. */
static size_t next_sibling(const struct walk *walk, size_t i)
{
	if (i + 1 < walk->n_rows && walk->order[i + 1].row->parent == walk->order[i].row->parent)
		return i + 1;
	return walk->n_rows;
}

/* `place` is by old index where in `order` it is; writes the rows that are kept to `out`. */
static size_t walk_tree(struct walk *walk, const size_t *place, const bool *is_kept,
			struct scope_row *out)
{
	size_t i = walk->first_inside[walk->n_rows];
	size_t n_out = 0;

	while (i < walk->n_rows) {
		const struct ordered *ordered = &walk->order[i];
		size_t next = walk->n_rows;

		if (is_kept[ordered->at]) {
			out[n_out] = *ordered->row;
			if (ordered->row->parent != SCOPE_ROW_NONE)
				out[n_out].parent = walk->new_index[ordered->row->parent];
			walk->new_index[ordered->at] = (uint32_t)n_out++;
			next = walk->first_inside[ordered->at];
		}
		while (next == walk->n_rows) {
			const uint32_t parent = walk->order[i].row->parent;

			next = next_sibling(walk, i);
			if (next != walk->n_rows || parent == SCOPE_ROW_NONE)
				break;
			i = place[parent];
		}
		i = next;
	}
	return n_out;
}

int scope_rows_order(struct scope_rows *rows, bool is_by_self, size_t top, size_t *ret_n_hidden)
{
	const size_t n = rows->n_rows;
	struct ordered *order = calloc(n + 1, sizeof(*order));
	struct scope_row *out = calloc(n + 1, sizeof(*out));
	size_t *place = calloc(n + 1, sizeof(*place));
	struct walk walk = {
		.order = order,
		.n_rows = n,
		.first_inside = calloc(n + 1, sizeof(*walk.first_inside)),
		.new_index = calloc(n + 1, sizeof(*walk.new_index)),
	};
	bool *is_kept = NULL;
	int r = -ENOMEM;

	for (size_t i = 0; order && i < n; i++)
		order[i] = (struct ordered){ &rows->rows[i], (uint32_t)i, is_by_self };
	if (order)
		is_kept = find_kept(rows, order, top);
	if (is_kept && out && place && walk.first_inside && walk.new_index) {
		qsort(order, n, sizeof(*order), compare_siblings);
		for (size_t i = 0; i < n; i++)
			place[order[i].at] = i;
		find_lists(&walk);
		rows->n_rows = walk_tree(&walk, place, is_kept, out);
		if (rows->n_rows)
			memcpy(rows->rows, out, rows->n_rows * sizeof(*out));
		*ret_n_hidden = n - rows->n_rows;
		r = 0;
	}
	free(order);
	free(out);
	free(place);
	free(walk.first_inside);
	free(walk.new_index);
	free(is_kept);
	return r;
}
