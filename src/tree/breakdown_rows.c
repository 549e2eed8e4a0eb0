/* Rows are sorted by (parent, place), which makes each parent's rows one run. */
#include "tree/breakdown_rows.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/units.h"

int breakdown_rows_add(struct breakdown_rows *rows, uint32_t *ret_row, uint32_t parent,
		       enum breakdown_kind kind, const char *name)
{
	const uint64_t hash = hash_pair(hash_bytes(name, strlen(name)), parent);
	struct breakdown_item *grown = array_grown(rows->items, &rows->capacity, rows->n_items + 1,
						   sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	rows->items = grown;
	if (hash_index_add(&rows->index, hash, (uint32_t)rows->n_items) < 0)
		return -ENOMEM;
	grown[rows->n_items] =
		(struct breakdown_item){ .name = name, .kind = kind, .parent = parent };
	if (parent != BREAKDOWN_TOP)
		grown[parent].n_parts++;
	*ret_row = (uint32_t)rows->n_items++;
	return 0;
}

int breakdown_rows_find_or_add(struct breakdown_rows *rows, uint32_t *ret_row, uint32_t parent,
			       enum breakdown_kind kind, const char *name)
{
	const uint64_t hash = hash_pair(hash_bytes(name, strlen(name)), parent);
	struct hash_cursor cursor = hash_index_cursor(&rows->index, hash);
	uint32_t at;

	while ((at = hash_index_next(&rows->index, &cursor)) != HASH_INDEX_NONE) {
		const struct breakdown_item *item = &rows->items[at];

		if (item->parent != parent || item->kind != kind || strcmp(item->name, name) != 0)
			continue;
		*ret_row = at;
		return 0;
	}
	return breakdown_rows_add(rows, ret_row, parent, kind, name);
}

void breakdown_rows_release(struct breakdown_rows *rows)
{
	free(rows->items);
	hash_index_release(&rows->index);
	*rows = (struct breakdown_rows){ 0 };
}

/* What a component with parts got itself becomes a row beside its parts. */
static int add_own_rows(struct breakdown_rows *rows)
{
	const size_t n_items = rows->n_items;

	for (size_t i = 0; i < n_items; i++) {
		const struct calltree_value own = rows->items[i].own;
		uint32_t row;

		if (rows->items[i].n_parts == 0 || calltree_value_is_empty(&own))
			continue;
		if (breakdown_rows_add(rows, &row, (uint32_t)i, BREAKDOWN_REST, "(not in a part)") <
		    0)
			return -ENOMEM;
		rows->items[row].own = own;
		rows->items[i].own = (struct calltree_value){ 0 };
	}
	return 0;
}

static void add_totals(struct breakdown_rows *rows)
{
	for (size_t i = rows->n_items; i-- > 0;) {
		struct breakdown_item *item = &rows->items[i];

		calltree_value_add(&item->total, &item->own);
		if (item->parent != BREAKDOWN_TOP)
			calltree_value_add(&rows->items[item->parent].total, &item->total);
	}
}

/* What the order of rows depends on. */
struct place {
	uint32_t item;
	uint32_t parent;
	unsigned int class; /* rests behind others, UNEXPLAINED behind all */
	uint64_t weight;
	const char *name; /* "" when the order of items decides instead */
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;
	int r;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	if (x->class != y->class)
		return x->class < y->class ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	r = strcmp(x->name, y->name);
	return r ? r : x->item < y->item ? -1 : x->item > y->item;
}

static unsigned int class_of(const struct breakdown_item *item)
{
	if (item->kind == BREAKDOWN_UNEXPLAINED && item->parent == BREAKDOWN_TOP)
		return 2;
	return item->kind == BREAKDOWN_REST;
}

static struct place *sorted_places(const struct breakdown_rows *rows, const struct calltree *tree)
{
	struct place *places = calloc(rows->n_items + 1, sizeof(*places));

	if (!places)
		return NULL;
	for (size_t i = 0; i < rows->n_items; i++) {
		const struct breakdown_item *item = &rows->items[i];
		const bool is_in_order = rows->is_in_order && item->kind == BREAKDOWN_COMPONENT;

		places[i] = (struct place){ .item = (uint32_t)i,
					    .parent = item->parent,
					    .class = class_of(item),
					    .weight = calltree_weight(tree, &item->total),
					    .name = is_in_order ? "" : item->name };
	}
	qsort(places, rows->n_items, sizeof(*places), compare_places);
	return places;
}

static int append_row(struct breakdown *breakdown, const struct breakdown_row *row)
{
	struct breakdown_row *grown = array_grown(breakdown->rows, &breakdown->rows_capacity,
						  breakdown->n_rows + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	breakdown->rows = grown;
	grown[breakdown->n_rows++] = *row;
	return 0;
}

struct writer {
	const struct breakdown_rows *rows;
	struct breakdown *breakdown;
	const struct place *places;
	size_t *first_places; /* by item: where its parts start in places */
	size_t n_inside;
};

/* "other 12 functions" for a run of places; "other 12" where they may be modules as well. */
static int write_rest(struct writer *writer, const struct place *places, size_t n_places,
		      uint32_t parent, unsigned int depth)
{
	const bool is_reason = writer->breakdown->rows[parent].kind == BREAKDOWN_UNEXPLAINED;
	const char *const what = is_reason ? "" : n_places == 1 ? " function" : " functions";
	struct breakdown_row row = { .kind = BREAKDOWN_REST, .parent = parent, .depth = depth };
	struct buffer name = BUFFER_INIT;
	char count[UNITS_TEXT_BYTES];
	uint32_t id = 0;
	int r;

	buffer_printf(&name, "other %s%s", units_count(count, n_places), what);
	r = name.is_failed ? -ENOMEM : interner_add(&writer->breakdown->names, &id, name.data);
	buffer_release(&name);
	row.name = interner_get(&writer->breakdown->names, id);
	for (size_t i = 0; i < n_places; i++)
		calltree_value_add(&row.value, &writer->rows->items[places[i].item].total);
	return r < 0 ? r : append_row(writer->breakdown, &row);
}

/* Where the functions end that stand together from `first` on. */
static size_t end_of_functions(const struct writer *writer, size_t first)
{
	const struct breakdown_rows *rows = writer->rows;
	size_t end = first;

	while (end < rows->n_items && writer->places[end].parent == writer->places[first].parent &&
	       rows->items[writer->places[end].item].kind == BREAKDOWN_FUNCTION)
		end++;
	return end;
}

/*
 * The run of places from `first` and all below it.  Recursion ends at
 * COMPONENTS_MAX_DEPTH, since nothing else nests.
 */
static int write_run(struct writer *writer, size_t first, uint32_t parent, unsigned int depth)
{
	const struct breakdown_rows *rows = writer->rows;
	const struct place *places = writer->places;
	size_t n_functions = 0;
	size_t n_places;
	int r = 0;

	for (size_t i = first; r == 0 && i < rows->n_items; i += n_places) {
		const struct breakdown_item *item = &rows->items[places[i].item];
		const struct breakdown_row row = { .name = item->name,
						   .kind = item->kind,
						   .parent = parent,
						   .depth = depth,
						   .value = item->total };

		if (places[i].parent != places[first].parent)
			break;
		n_places = 1;
		if (item->kind == BREAKDOWN_FUNCTION && n_functions++ == writer->n_inside)
			n_places = end_of_functions(writer, i) - i;
		if (n_places > 1) {
			r = write_rest(writer, &places[i], n_places, parent, depth);
			continue;
		}
		r = append_row(writer->breakdown, &row);
		if (r == 0 && item->n_parts > 0)
			r = write_run(writer, writer->first_places[places[i].item],
				      (uint32_t)(writer->breakdown->n_rows - 1), depth + 1);
	}
	return r;
}

static int write_rows(struct writer *writer)
{
	const struct breakdown_rows *rows = writer->rows;
	const struct calltree *tree = writer->breakdown->tree;
	const struct breakdown_row total = { .name = "TOTAL",
					     .kind = BREAKDOWN_TOTAL,
					     .parent = BREAKDOWN_TOP,
					     .value = tree->nodes[0].total };
	size_t first_top = 0;
	int r;

	for (size_t i = rows->n_items; i-- > 0;) {
		const uint32_t parent = writer->places[i].parent;

		if (parent == BREAKDOWN_TOP)
			first_top = i;
		else
			writer->first_places[parent] = i;
	}
	r = write_run(writer, first_top, BREAKDOWN_TOP, 0);
	return r < 0 ? r : append_row(writer->breakdown, &total);
}

int breakdown_rows_finish(struct breakdown_rows *rows, struct breakdown *breakdown, size_t n_inside)
{
	struct writer writer = { .rows = rows, .breakdown = breakdown, .n_inside = n_inside };
	struct place *places;
	int r;

	r = add_own_rows(rows);
	if (r < 0)
		return r;
	add_totals(rows);
	places = sorted_places(rows, breakdown->tree);
	writer.places = places;
	writer.first_places = calloc(rows->n_items + 1, sizeof(*writer.first_places));
	r = places && writer.first_places ? write_rows(&writer) : -ENOMEM;
	free(places);
	free(writer.first_places);
	return r;
}
