/*
 * Every node of the scope tree is given a row, that of its name or that of its
 * place, and what is known of the nodes of a row is put together: sums are
 * added, histograms merged, means and variances combined by the formula of Chan,
 * Golub and LeVeque (1979) for variances of parts.
 */
#include "tree/scope_rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "tree/mark_filter.h"
#include "tree/scope_groups.h"
#include "tree/scope_window.h"

/* Of a row while it grows. */
struct moments {
	struct histogram durations_ns;
	double weight;	   /* calls, scaled back */
	uint64_t total_ns; /* of them all, also of those inside calls of the same scope */
	double mean_ns;	   /* not rounded as total / weight is */
	double squares_ns2;
};

struct row_builder {
	struct scope_rows *rows;
	const struct profile *profile;
	const struct mark_filter *filter;
	struct scope_groups groups;
	struct scope_window window;    /* only where the view is of a part */
	const struct scope_tree *tree; /* the profile's or the window's */
	uint64_t *whole_outer_ns;      /* only where the view is of all */
	const uint64_t *outer_ns;
	struct hash_index index;
	uint64_t *self_ns;	 /* by node, without the calls inside that were left out … */
	bool *is_self_estimated; /* … if there were any */
	uint32_t *row_of;	 /* by node: its own row, or that around it where it is not shown */
	struct moments *moments;
	size_t n_moments, moments_capacity;
	bool is_tree;
};

static uint64_t all_runs_ns(const struct profile *profile, const struct view *view)
{
	uint64_t sum_ns = 0;

	for (uint32_t run = 0; run < profile_run_count(profile); run++)
		sum_ns += view_overlap_ns(view, run, 0,
					  profile->n_runs ? profile->runs[run].duration_ns
							  : profile->info.duration_ns);
	return sum_ns;
}

static uint64_t scaled(uint64_t count, uint64_t n_times)
{
	uint64_t product;

	return __builtin_mul_overflow(count, n_times, &product) ? UINT64_MAX : product;
}

static void add_scaled(uint64_t *sum, uint64_t count, uint64_t n_times)
{
	if (__builtin_add_overflow(*sum, scaled(count, n_times), sum))
		*sum = UINT64_MAX;
}

static int row_add(struct row_builder *builder, struct scope_row row, uint64_t hash)
{
	struct scope_rows *rows = builder->rows;
	struct scope_row *grown = array_grown(rows->rows, &rows->rows_capacity, rows->n_rows + 1,
					      sizeof(*grown));
	struct moments *moments;

	if (!grown)
		return -ENOMEM;
	rows->rows = grown;
	moments = array_grown(builder->moments, &builder->moments_capacity, rows->n_rows + 1,
			      sizeof(*moments));
	if (!moments)
		return -ENOMEM;
	builder->moments = moments;
	if (hash_index_add(&builder->index, hash, (uint32_t)rows->n_rows) < 0)
		return -ENOMEM;
	moments[rows->n_rows] = (struct moments){ 0 };
	builder->n_moments = rows->n_rows + 1;
	grown[rows->n_rows++] = row;
	return 0;
}

/* The row of a node, added if new. */
static int row_get(struct row_builder *builder, uint32_t *ret_row, uint32_t node)
{
	const struct scope_group *group = &builder->groups.groups[builder->groups.group_of[node]];
	const uint32_t around = builder->row_of[scope_parent(builder->tree, node)];
	struct scope_row row = { .name = group->name, .category = group->category };
	uint64_t hash;
	struct hash_cursor cursor;
	uint32_t at;

	row.site = builder->tree->nodes[node].site;
	row.parent = builder->is_tree ? around : SCOPE_ROW_NONE;
	row.depth = row.parent == SCOPE_ROW_NONE ? 0 : builder->rows->rows[row.parent].depth + 1;
	hash = hash_pair(row.parent, builder->groups.group_of[node]);
	cursor = hash_index_cursor(&builder->index, hash);
	while ((at = hash_index_next(&builder->index, &cursor)) != HASH_INDEX_NONE) {
		const struct scope_row *known = &builder->rows->rows[at];

		*ret_row = at;
		if (known->parent == row.parent && known->name == row.name &&
		    known->category == row.category)
			return 0;
	}
	*ret_row = (uint32_t)builder->rows->n_rows;
	return row_add(builder, row, hash);
}

static void moments_add(struct moments *moments, const struct scope_node *node, double n_times)
{
	const double weight = (double)node->durations_ns.n_values * n_times;
	const double sum = moments->weight + weight;
	const double difference = node->mean_ns - moments->mean_ns;

	if (weight <= 0)
		return;
	moments->squares_ns2 += node->squares_ns2 * n_times +
				difference * difference * moments->weight * weight / sum;
	moments->mean_ns += difference * weight / sum;
	moments->weight = sum;
}

static uint64_t rate_of(const struct row_builder *builder, uint32_t id)
{
	const struct marks *marks = &builder->profile->marks;
	const uint32_t site = builder->tree->nodes[id].site;
	const uint32_t rate = site < marks->n_sites ? marks->sites[site].sample_rate : 0;

	return rate ? rate : 1;
}

/*
 * For each recorded call of a scope there are others that were left out, and that look like self
 * time of the scope around.  Scopes in them that record all calls are not in
 * question: they are known as those of the scope around.
 */
static int estimate_self(struct row_builder *builder)
{
	const struct scope_tree *tree = builder->tree;

	builder->self_ns = calloc(tree->n_nodes + 1, sizeof(*builder->self_ns));
	builder->is_self_estimated = calloc(tree->n_nodes + 1, sizeof(*builder->is_self_estimated));
	if (!builder->self_ns || !builder->is_self_estimated)
		return -ENOMEM;
	for (size_t i = 0; i < tree->n_nodes; i++)
		builder->self_ns[i] = tree->nodes[i].self_ns;
	/* Children have larger ids, so that each is right before the one around it. */
	for (size_t i = tree->n_nodes; i-- > 1;) {
		const uint64_t rate = rate_of(builder, (uint32_t)i);
		const uint64_t left_out_ns = scaled(builder->self_ns[i], rate - 1);
		const uint32_t around = scope_parent(tree, (uint32_t)i);

		if (rate == 1 || !tree->nodes[i].durations_ns.n_values)
			continue;
		builder->is_self_estimated[around] = true;
		builder->self_ns[around] -= left_out_ns < builder->self_ns[around]
						    ? left_out_ns
						    : builder->self_ns[around];
	}
	return 0;
}

static int row_add_node(struct row_builder *builder, uint32_t at, uint32_t id)
{
	const struct scope_node *node = &builder->tree->nodes[id];
	const uint64_t total_ns = builder->is_tree ? node->total_ns : builder->outer_ns[id];
	const uint64_t rate = rate_of(builder, id);
	struct scope_row *row = &builder->rows->rows[at];

	row->is_estimate |= rate > 1;
	row->is_self_estimate |= rate > 1 || builder->is_self_estimated[id];
	row->n_recorded += node->durations_ns.n_values;
	add_scaled(&row->n_calls, node->durations_ns.n_values, rate);
	add_scaled(&row->total_ns, total_ns, rate);
	add_scaled(&row->self_ns, builder->self_ns[id], rate);
	add_scaled(&row->n_errors, node->n_errors, rate);
	row->n_cut += node->n_cut;
	row->n_open += node->n_open;
	row->n_costs += node->n_costs;
	row->cpu_ns += node->cpu_ns;
	row->allocated_bytes = scope_cost_sum(row->allocated_bytes, node->allocated_bytes);
	row->n_faults += node->n_faults;
	moments_add(&builder->moments[at], node, (double)rate);
	add_scaled(&builder->moments[at].total_ns, node->total_ns, rate);
	return histogram_merge_times(&builder->moments[at].durations_ns, &node->durations_ns, rate);
}

static bool is_shown(const struct row_builder *builder, uint32_t id)
{
	const struct scope_node *node = &builder->tree->nodes[id];

	return (node->durations_ns.n_values || node->n_open) &&
	       mark_filter_has_scope(builder->filter, id);
}

/* A node has a larger id than the one around it. */
static int add_nodes(struct row_builder *builder)
{
	int r = 0;

	builder->row_of[0] = SCOPE_ROW_NONE;
	for (uint32_t id = 1; r == 0 && id < builder->tree->n_nodes; id++) {
		uint32_t *row = &builder->row_of[id];

		*row = builder->row_of[scope_parent(builder->tree, id)];
		if (!is_shown(builder, id))
			continue;
		r = row_get(builder, row, id);
		if (r == 0)
			r = row_add_node(builder, *row, id);
	}
	return r;
}

static void finish_row(struct scope_row *row, const struct moments *moments)
{
	const struct histogram *durations_ns = &moments->durations_ns;
	const double n = (double)row->n_recorded;

	if (!row->n_recorded)
		return;
	row->min_ns = durations_ns->min;
	row->median_ns = histogram_percentile(durations_ns, 0.5);
	row->p95_ns = histogram_percentile(durations_ns, 0.95);
	row->p99_ns = histogram_percentile(durations_ns, 0.99);
	row->max_ns = durations_ns->max;
	/* A sum is the same in whatever order it was made; a running mean is so but for its last
	 * bits. */
	row->mean_ns = moments->total_ns < UINT64_MAX ? (double)moments->total_ns / moments->weight
						      : moments->mean_ns;
	if (row->n_recorded > 1)
		row->deviation_ns = sqrt(moments->squares_ns2 / moments->weight * n / (n - 1));
}

/* Whose statistics: those of the run, or of the calls in the view. */
static int choose_tree(struct row_builder *builder, bool is_part, struct error *err)
{
	const struct marks *marks = &builder->profile->marks;
	int r;

	if (is_part && !marks->has_all_calls)
		return error_set(err, -EINVAL,
				 "statistics of scopes are kept for the whole run only (leave out "
				 "the time window, --thread and --process, or record with "
				 "--keep-events)");
	if (is_part) {
		r = scope_window_init(&builder->window, builder->filter, &builder->groups);
		builder->tree = &builder->window.tree;
		builder->outer_ns = builder->window.outer_ns;
		return r < 0 ? error_set_no_memory(err) : 0;
	}
	builder->tree = &marks->scopes;
	builder->whole_outer_ns = calloc(marks->scopes.n_nodes + 1, sizeof(uint64_t));
	builder->outer_ns = builder->whole_outer_ns;
	if (!builder->whole_outer_ns ||
	    scope_groups_outer(&builder->groups, builder->filter, builder->whole_outer_ns) < 0)
		return error_set_no_memory(err);
	return 0;
}

static int build_rows(struct row_builder *builder, struct error *err)
{
	builder->row_of = calloc(builder->tree->n_nodes + 1, sizeof(*builder->row_of));
	if (!builder->row_of || estimate_self(builder) < 0 || add_nodes(builder) < 0)
		return error_set_no_memory(err);
	for (size_t i = 0; i < builder->rows->n_rows; i++)
		finish_row(&builder->rows->rows[i], &builder->moments[i]);
	return 0;
}

static void row_builder_release(struct row_builder *builder)
{
	for (size_t i = 0; i < builder->n_moments; i++)
		histogram_release(&builder->moments[i].durations_ns);
	free(builder->moments);
	free(builder->row_of);
	free(builder->self_ns);
	free(builder->is_self_estimated);
	free(builder->whole_outer_ns);
	hash_index_release(&builder->index);
	scope_window_release(&builder->window);
	scope_groups_release(&builder->groups);
}

int scope_rows_build(struct scope_rows *rows, const struct profile *profile,
		     const struct view *view, bool is_tree, struct error *err)
{
	struct row_builder builder = { .rows = rows, .profile = profile, .is_tree = is_tree };
	struct mark_filter filter;
	int r = mark_filter_init(&filter, profile, view, err);

	*rows = (struct scope_rows){ .duration_ns = all_runs_ns(profile, view) };
	builder.filter = &filter;
	if (r == 0)
		r = scope_groups_init(&builder.groups, profile, err);
	if (r == 0)
		r = choose_tree(&builder, view_is_part(view), err);
	if (r == 0)
		r = build_rows(&builder, err);
	row_builder_release(&builder);
	mark_filter_release(&filter);
	if (r < 0)
		scope_rows_release(rows);
	return r;
}

void scope_rows_release(struct scope_rows *rows)
{
	free(rows->rows);
	*rows = (struct scope_rows){ 0 };
}
