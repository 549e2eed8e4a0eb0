/* The breakdown's rows over the number of calls, and what of the wall time they do not cover. */
#include "tree/per_call.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/array.h"

/* Less than this is rounding. */
#define PER_CALL_LEAST_NS 0.001

struct builder {
	struct per_call *per_call;
	const struct calltree *tree;
	double n_calls;
	double total_ns; /* of a call */
	size_t capacity;
};

static struct per_call_row *add_row(struct builder *builder, const struct per_call_row *row)
{
	struct per_call *per_call = builder->per_call;
	struct per_call_row *grown = array_grown(per_call->rows, &builder->capacity,
						 per_call->n_rows + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	per_call->rows = grown;
	grown += per_call->n_rows++;
	*grown = *row;
	grown->share = builder->total_ns > 0 ? row->mean_ns / builder->total_ns : 0;
	return grown;
}

/* What one sample stands for where a row has none. */
static double usual_weight_ns(const struct calltree *tree)
{
	const struct calltree_value *whole = &tree->whole;

	if (whole->n_rows)
		return (double)whole->weight_ns / (double)whole->n_rows;
	return (double)tree->profile->info.period_ns;
}

static struct per_call_row row_of_value(const struct builder *builder,
					const struct calltree_value *value)
{
	const double n = calltree_value_effective_rows(value);
	const struct interval count = interval_of_count(n);
	const double weight_ns = n > 0 ? (double)value->weight_ns / n
				       : usual_weight_ns(builder->tree);

	return (struct per_call_row){
		.parent = BREAKDOWN_TOP,
		.mean_ns = (double)value->weight_ns / builder->n_calls,
		.interval_ns = { .low = count.low * weight_ns / builder->n_calls,
				 .high = count.high * weight_ns / builder->n_calls },
		.has_interval = true,
		.n_samples = value->n_ticks,
	};
}

static int add_breakdown_rows(struct builder *builder, const struct breakdown *breakdown)
{
	for (size_t i = 0; i < breakdown->n_rows; i++) {
		const struct breakdown_row *from = &breakdown->rows[i];
		struct per_call_row row = row_of_value(builder, &from->value);

		row.name = from->name;
		row.kind = from->kind;
		row.parent = from->parent;
		row.depth = from->depth;
		if (from->kind == BREAKDOWN_TOTAL)
			builder->per_call->cpu = row;
		else if (!add_row(builder, &row))
			return -ENOMEM;
	}
	return 0;
}

static int add_wait_rows(struct builder *builder, const struct per_call_waits *waits)
{
	const uint32_t parent = (uint32_t)builder->per_call->n_rows - 1;

	for (int state = 0; state < SAMPLE_N_STATES; state++) {
		const struct per_call_row row = {
			.name = sample_state_name((enum sample_state)state),
			.kind = BREAKDOWN_WAITING,
			.parent = parent,
			.depth = 1,
			.mean_ns = (double)waits->waited_ns[state] / builder->n_calls,
		};

		if (waits->waited_ns[state] && !add_row(builder, &row))
			return -ENOMEM;
	}
	return 0;
}

/* What samples do not say has the error of their sum. */
static struct per_call_row row_of_remainder(const struct builder *builder, double mean_ns)
{
	const struct per_call_row *cpu = &builder->per_call->cpu;

	return (struct per_call_row){
		.parent = BREAKDOWN_TOP,
		.mean_ns = mean_ns,
		.interval_ns = { .low = mean_ns - (cpu->interval_ns.high - cpu->mean_ns),
				 .high = mean_ns + (cpu->mean_ns - cpu->interval_ns.low) },
		.has_interval = true,
	};
}

static int add_remainder(struct builder *builder, const struct per_call_waits *waits)
{
	double left_ns = builder->total_ns - builder->per_call->cpu.mean_ns;
	struct per_call_row row = { .parent = BREAKDOWN_TOP };

	if (waits->has_waits)
		for (int state = 0; state < SAMPLE_N_STATES; state++)
			row.mean_ns += (double)waits->waited_ns[state] / builder->n_calls;
	else
		row = row_of_remainder(builder, fmax(0, left_ns));
	row.interval_ns.low = fmax(0, row.interval_ns.low);
	row.kind = BREAKDOWN_WAITING;
	row.name = "WAITING";
	if (!add_row(builder, &row))
		return -ENOMEM;
	if (waits->has_waits && add_wait_rows(builder, waits) < 0)
		return -ENOMEM;
	left_ns -= row.mean_ns;
	if (fabs(left_ns) < PER_CALL_LEAST_NS)
		return 0;
	row = row_of_remainder(builder, left_ns);
	row.kind = BREAKDOWN_DIFFERENCE;
	row.name = "DIFFERENCE";
	return add_row(builder, &row) ? 0 : -ENOMEM;
}

/* All calls were measured; only where some were left out is their mean uncertain. */
static int add_total(struct builder *builder)
{
	const struct scope_calls *calls = &builder->per_call->calls;
	const double error_ns = calls->n_calls > 1
					? 1.96 * calls->deviation_ns / sqrt(calls->n_calls)
					: 0;
	const struct per_call_row row = {
		.name = "TOTAL",
		.kind = BREAKDOWN_TOTAL,
		.parent = BREAKDOWN_TOP,
		.mean_ns = builder->total_ns,
		.interval_ns = { .low = fmax(0, builder->total_ns - error_ns),
				 .high = builder->total_ns + error_ns },
		.has_interval = calls->is_estimate && calls->deviation_ns > 0,
		.n_samples = builder->per_call->cpu.n_samples,
	};

	return add_row(builder, &row) ? 0 : -ENOMEM;
}

void per_call_find_waits(struct per_call_waits *waits, const struct profile *profile,
			 const struct view *view)
{
	struct view waiting = *view;

	waiting.states = SAMPLE_STATES_WAITING;
	*waits = (struct per_call_waits){ .has_waits = profile->quality.n_waits > 0 };
	for (size_t i = 0; i < profile->n_samples; i++) {
		struct sample sample = profile->samples[i];

		if (sample.state < SAMPLE_N_STATES && sample_is_wait(&sample) &&
		    view_has_thread(view, profile, sample.thread) &&
		    view_clip(&waiting, profile, &sample))
			waits->waited_ns[sample.state] += sample.weight_ns;
	}
}

int per_call_build(struct per_call *per_call, const struct breakdown *breakdown,
		   const struct scope_calls *calls, const struct per_call_waits *waits,
		   const char *name, struct error *err)
{
	struct builder builder = {
		.per_call = per_call,
		.tree = breakdown->tree,
		.n_calls = calls->n_calls,
		.total_ns = scope_calls_mean_ns(calls),
	};

	*per_call =
		(struct per_call){ .scope = name, .calls = *calls, .has_waits = waits->has_waits };
	if (add_breakdown_rows(&builder, breakdown) < 0 || add_remainder(&builder, waits) < 0 ||
	    add_total(&builder) < 0) {
		per_call_release(per_call);
		return error_set_no_memory(err);
	}
	return 0;
}

void per_call_release(struct per_call *per_call)
{
	free(per_call->rows);
	*per_call = (struct per_call){ 0 };
}
