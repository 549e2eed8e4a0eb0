/*
 * The milestones of each run cut its time into pieces, one more than there are
 * milestones; samples find theirs by bisection.  Pieces between the same two
 * names are a phase.
 */
#include "tree/milestone_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "tree/mark_filter.h"

/* From a moment to the next one that is told. */
struct piece {
	const struct milestone *from; /* NULL: the start of the run */
	const struct milestone *to;   /* NULL: its end */
	uint64_t start_ns;	      /* since the start of the run */
	uint64_t end_ns;
	uint64_t cpu_ns;
	uint32_t run;
	uint32_t phase;
};

struct pieces {
	struct piece *items; /* by run and time */
	size_t n_items;
};

struct timed {
	const struct milestone *milestone;
	uint64_t at_ns;
	uint32_t run;
};

static int compare_timed(const void *a, const void *b)
{
	const struct timed *x = a;
	const struct timed *y = b;

	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->milestone < y->milestone ? -1 : x->milestone > y->milestone;
}

/* Those of the view whatever the time, by run and time; NULL when memory is short. */
static struct timed *find_timed(const struct mark_filter *filter, size_t *ret_n)
{
	const struct profile *profile = filter->profile;
	const struct marks *marks = &profile->marks;
	struct timed *timed = calloc(marks->n_milestones + 1, sizeof(*timed));
	size_t n = 0;

	if (!timed)
		return NULL;
	for (size_t i = 0; i < marks->n_milestones; i++) {
		const struct milestone *milestone = &marks->milestones[i];

		if (mark_filter_has(filter, milestone_place(milestone)))
			timed[n++] = (struct timed){
				.milestone = milestone,
				.at_ns = mark_since_ns(profile, milestone->time_ns),
				.run = milestone->run,
			};
	}
	qsort(timed, n, sizeof(*timed), compare_timed);
	*ret_n = n;
	return timed;
}

static uint64_t run_duration_ns(const struct profile *profile, uint32_t run)
{
	return run < profile->n_runs ? profile->runs[run].duration_ns : profile->info.duration_ns;
}

static uint64_t all_runs_ns(const struct profile *profile)
{
	uint64_t sum_ns = 0;

	for (uint32_t run = 0; run < profile->n_runs; run++)
		sum_ns += profile->runs[run].duration_ns;
	return profile->n_runs ? sum_ns : profile->info.duration_ns;
}

/* Each run has its last piece behind its last milestone. */
static int cut_pieces(struct pieces *pieces, const struct profile *profile,
		      const struct timed *timed, size_t n_timed)
{
	pieces->items = calloc(2 * n_timed + 1, sizeof(*pieces->items));
	if (!pieces->items)
		return -ENOMEM;
	for (size_t i = 0; i < n_timed; i++) {
		const bool is_first = i == 0 || timed[i - 1].run != timed[i].run;
		const bool is_last = i + 1 == n_timed || timed[i + 1].run != timed[i].run;
		const uint64_t end_ns = run_duration_ns(profile, timed[i].run);

		pieces->items[pieces->n_items++] = (struct piece){
			.from = is_first ? NULL : timed[i - 1].milestone,
			.to = timed[i].milestone,
			.start_ns = is_first ? 0 : timed[i - 1].at_ns,
			.end_ns = timed[i].at_ns,
			.run = timed[i].run,
		};
		if (is_last)
			pieces->items[pieces->n_items++] = (struct piece){
				.from = timed[i].milestone,
				.start_ns = timed[i].at_ns,
				.end_ns = end_ns > timed[i].at_ns ? end_ns : timed[i].at_ns,
				.run = timed[i].run,
			};
	}
	return 0;
}

/* The last piece that begins at or before the moment, so that empty ones get nothing. */
static struct piece *piece_at(const struct pieces *pieces, uint32_t run, uint64_t at_ns)
{
	size_t low = 0;
	size_t high = pieces->n_items;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct piece *piece = &pieces->items[middle];

		if (piece->run < run || (piece->run == run && piece->start_ns <= at_ns))
			low = middle + 1;
		else
			high = middle;
	}
	return low && pieces->items[low - 1].run == run ? &pieces->items[low - 1] : NULL;
}

static void add_samples(const struct pieces *pieces, const struct mark_filter *filter)
{
	const struct profile *profile = filter->profile;

	for (size_t i = 0; i < profile->n_samples; i++) {
		const struct sample *sample = &profile->samples[i];
		struct piece *piece;

		if (sample_is_wait(sample) || sample->end == STACK_NOT_SAMPLED ||
		    !mark_filter_has_thread(filter, sample->thread) ||
		    !mark_filter_has_scope(filter, sample->scope))
			continue;
		piece = piece_at(pieces, profile_run_of(profile, sample->thread),
				 mark_since_ns(profile, sample->time_ns));
		if (piece)
			piece->cpu_ns += sample->weight_ns;
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct milestone_row *x = a;
	const struct milestone_row *y = b;

	if (x->at_ns != y->at_ns)
		return x->at_ns < y->at_ns ? -1 : 1;
	return x->milestone < y->milestone ? -1 : x->milestone > y->milestone;
}

static int list_milestones(struct milestone_rows *rows, const struct pieces *pieces,
			   const struct mark_filter *filter)
{
	rows->rows = calloc(pieces->n_items + 1, sizeof(*rows->rows));
	if (!rows->rows)
		return -ENOMEM;
	for (size_t i = 0; i < pieces->n_items; i++) {
		const struct piece *piece = &pieces->items[i];

		if (piece->to &&
		    view_has_time(filter->view, filter->profile, piece->run, piece->to->time_ns))
			rows->rows[rows->n_rows++] = (struct milestone_row){
				.milestone = piece->to,
				.at_ns = piece->end_ns,
				.delta_ns = piece->end_ns - piece->start_ns,
				.cpu_ns = piece->cpu_ns,
			};
	}
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_rows);
	return 0;
}

static uint32_t edge_name(const struct profile *profile, const struct milestone *milestone)
{
	return milestone ? mark_name(profile, milestone->site) : PHASE_EDGE;
}

/* The phase of a piece, added if new. */
static int phase_get(struct milestone_rows *rows, size_t *capacity, struct hash_index *index,
		     uint32_t *ret_phase, struct phase_row wanted)
{
	const uint64_t hash = hash_pair(wanted.from, wanted.to);
	struct hash_cursor cursor = hash_index_cursor(index, hash);
	struct phase_row *grown;
	uint32_t at;

	while ((at = hash_index_next(index, &cursor)) != HASH_INDEX_NONE)
		if (rows->phases[at].from == wanted.from && rows->phases[at].to == wanted.to)
			break;
	if (at == HASH_INDEX_NONE) {
		at = (uint32_t)rows->n_phases;
		grown = array_grown(rows->phases, capacity, rows->n_phases + 1, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		rows->phases = grown;
		if (hash_index_add(index, hash, at) < 0)
			return -ENOMEM;
		rows->phases[rows->n_phases++] = wanted;
	}
	*ret_phase = at;
	return 0;
}

static int compare_pieces(const void *a, const void *b)
{
	const struct piece *x = a;
	const struct piece *y = b;
	const uint64_t x_ns = x->end_ns - x->start_ns;
	const uint64_t y_ns = y->end_ns - y->start_ns;

	if (x->phase != y->phase)
		return x->phase < y->phase ? -1 : 1;
	return x_ns < y_ns ? -1 : x_ns > y_ns;
}

/* The smallest that `percent` of all are below or at. */
static uint64_t percentile_ns(const struct piece *pieces, size_t n, unsigned int percent)
{
	const size_t rank = (n * percent + 99) / 100;
	const struct piece *piece = &pieces[rank ? rank - 1 : 0];

	return piece->end_ns - piece->start_ns;
}

static void sum_up_phase(struct phase_row *phase, const struct piece *pieces, size_t n)
{
	phase->n_times = n;
	phase->min_ns = percentile_ns(pieces, n, 0);
	phase->median_ns = percentile_ns(pieces, n, 50);
	phase->p95_ns = percentile_ns(pieces, n, 95);
	phase->max_ns = percentile_ns(pieces, n, 100);
	for (size_t i = 0; i < n; i++) {
		phase->total_ns += pieces[i].end_ns - pieces[i].start_ns;
		phase->cpu_ns += pieces[i].cpu_ns;
	}
}

/* Leaves the pieces in another order. */
static int sum_up_phases(struct milestone_rows *rows, struct pieces *pieces,
			 const struct mark_filter *filter)
{
	const struct profile *profile = filter->profile;
	struct hash_index index = { 0 };
	size_t capacity = 0;
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pieces->n_items; i++) {
		struct piece piece = pieces->items[i];
		const struct phase_row wanted = { .from = edge_name(profile, piece.from),
						  .to = edge_name(profile, piece.to) };
		const uint64_t began_ns = piece.from ? piece.from->time_ns : profile->info.start_ns;

		if (!view_has_time(filter->view, profile, piece.run, began_ns))
			continue;
		r = phase_get(rows, &capacity, &index, &piece.phase, wanted);
		pieces->items[n++] = piece;
	}
	hash_index_release(&index);
	if (r < 0)
		return r;
	qsort(pieces->items, n, sizeof(*pieces->items), compare_pieces);
	for (size_t i = 0, end; i < n; i = end) {
		const uint32_t phase = pieces->items[i].phase;

		for (end = i + 1; end < n && pieces->items[end].phase == phase;)
			end++;
		sum_up_phase(&rows->phases[phase], &pieces->items[i], end - i);
	}
	return 0;
}

int milestone_rows_build(struct milestone_rows *rows, const struct profile *profile,
			 const struct view *view, struct error *err)
{
	struct mark_filter filter = { 0 };
	struct pieces pieces = { 0 };
	struct timed *timed = NULL;
	size_t n_timed = 0;
	int r;

	*rows = (struct milestone_rows){ .duration_ns = all_runs_ns(profile) };
	r = mark_filter_init(&filter, profile, view, err);
	if (r < 0)
		return r;
	timed = find_timed(&filter, &n_timed);
	r = timed ? cut_pieces(&pieces, profile, timed, n_timed) : -ENOMEM;
	if (r == 0) {
		add_samples(&pieces, &filter);
		r = list_milestones(rows, &pieces, &filter);
	}
	if (r == 0)
		r = sum_up_phases(rows, &pieces, &filter);
	free(timed);
	free(pieces.items);
	mark_filter_release(&filter);
	if (r == 0)
		return 0;
	milestone_rows_release(rows);
	return error_set_no_memory(err);
}

void milestone_rows_release(struct milestone_rows *rows)
{
	free(rows->rows);
	free(rows->phases);
	*rows = (struct milestone_rows){ 0 };
}
