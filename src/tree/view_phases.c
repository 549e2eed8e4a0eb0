/* Milestones are the cuts; what lies between two of them at one time is no phase. */
#include "tree/view_phases.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"

static int find_kind(struct view_phases *phases, struct hash_index *index, uint32_t from,
		     uint32_t to, uint32_t *ret_kind)
{
	const uint64_t hash = hash_pair(from, to);
	struct hash_cursor cursor = hash_index_cursor(index, hash);
	struct view_phase_kind *grown;
	uint32_t at;

	while ((at = hash_index_next(index, &cursor)) != HASH_INDEX_NONE) {
		if (phases->kinds[at].from != from || phases->kinds[at].to != to)
			continue;
		*ret_kind = at;
		return 0;
	}
	at = (uint32_t)phases->n_kinds;
	grown = array_grown(phases->kinds, &phases->kinds_capacity, phases->n_kinds + 1,
			    sizeof(*grown));
	if (!grown || hash_index_add(index, hash, at) < 0) {
		phases->kinds = grown ? grown : phases->kinds;
		return -ENOMEM;
	}
	phases->kinds = grown;
	grown[phases->n_kinds++] = (struct view_phase_kind){ from, to };
	*ret_kind = at;
	return 0;
}

/* `first` is that of the run. */
static int append_phase(struct view_phases *phases, struct hash_index *index, size_t first,
			uint64_t from_ns, const struct view_phase_kind *ends)
{
	uint32_t kind;

	if (find_kind(phases, index, ends->from, ends->to, &kind) < 0)
		return -ENOMEM;
	if (phases->n_phases > first && phases->phases[phases->n_phases - 1].kind == kind)
		return 0;
	phases->phases[phases->n_phases++] = (struct view_phase){ from_ns, kind };
	return 0;
}

static int cut_run(struct view_phases *phases, struct hash_index *index,
		   const struct moments *moments, uint32_t run)
{
	const size_t first = phases->n_phases;
	struct view_phase_kind ends = { 0 };
	uint64_t from_ns = 0;
	int r = 0;

	for (size_t i = moments->first[run]; r == 0 && i < moments->first[run + 1]; i++) {
		const struct moment *moment = &moments->items[i];

		ends.to = moment->name;
		if (moment->since_ns > from_ns)
			r = append_phase(phases, index, first, from_ns, &ends);
		ends.from = moment->name;
		from_ns = moment->since_ns;
	}
	ends.to = 0;
	return r == 0 ? append_phase(phases, index, first, from_ns, &ends) : r;
}

int view_phases_init(struct view_phases *phases, const struct moments *moments)
{
	struct hash_index index = { 0 };
	int r = 0;

	*phases = (struct view_phases){ .n_runs = moments->n_runs };
	phases->phases = calloc(moments->n_items + moments->n_runs + 1, sizeof(*phases->phases));
	phases->first = calloc(moments->n_runs + 1, sizeof(*phases->first));
	if (!phases->phases || !phases->first)
		r = -ENOMEM;
	for (uint32_t run = 0; r == 0 && run < phases->n_runs; run++) {
		r = cut_run(phases, &index, moments, run);
		phases->first[run + 1] = phases->n_phases;
	}
	hash_index_release(&index);
	if (r < 0)
		view_phases_release(phases);
	return r;
}

void view_phases_release(struct view_phases *phases)
{
	free(phases->phases);
	free(phases->first);
	free(phases->kinds);
	*phases = (struct view_phases){ 0 };
}

size_t view_phases_at(const struct view_phases *phases, uint32_t run, uint64_t since_ns)
{
	size_t low = phases->first[run] + 1;
	size_t high = phases->first[run + 1];

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (phases->phases[middle].from_ns <= since_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1;
}

uint64_t view_phase_end_ns(const struct view_phases *phases, uint32_t run, size_t phase)
{
	return phase + 1 < phases->first[run + 1] ? phases->phases[phase + 1].from_ns : UINT64_MAX;
}

void view_phases_add_name(const struct view_phases *phases, struct buffer *out,
			  const struct profile *profile, uint32_t kind)
{
	const struct view_phase_kind *ends = &phases->kinds[kind];

	buffer_add_string(out, ends->from ? interner_get(&profile->strings, ends->from) : "start");
	buffer_add_string(out, " → ");
	buffer_add_string(out, ends->to ? interner_get(&profile->strings, ends->to) : "end");
}
