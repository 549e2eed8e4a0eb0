/* The parts together. */
#include "record/marks_store.h"

void marks_store_init(struct marks_store *store, struct profile *profile,
		      struct process_table *processes, const struct marks_store_options *options)
{
	*store = (struct marks_store){ .profile = profile,
				       .processes = processes,
				       .counted_from_ns = 1 };
	mark_sites_init(&store->sites, profile);
	mark_calls_init(&store->calls, profile, options->keeps_all_calls);
	mark_counters_init(&store->counters, profile);
	mark_snapshots_init(&store->snapshots, profile, options->n_snapshots);
	profile->marks.has_all_calls = options->keeps_all_calls;
}

void marks_store_release(struct marks_store *store)
{
	mark_sites_release(&store->sites);
	mark_calls_release(&store->calls);
	mark_counters_release(&store->counters);
	mark_snapshots_release(&store->snapshots);
	*store = (struct marks_store){ 0 };
}

void marks_store_set_paused(struct marks_store *store, bool is_paused, uint64_t time_ns)
{
	if (is_paused == store->is_paused)
		return;
	store->is_paused = is_paused;
	store->counted_from_ns = is_paused ? UINT64_MAX : time_ns;
}

int marks_store_milestone(struct marks_store *store, const struct milestone *milestone,
			  struct mark_text data)
{
	struct marks *marks = &store->profile->marks;
	struct milestone kept = *milestone;
	int r = 0;

	if (marks->n_milestones >= MARKS_MAX_MILESTONES) {
		marks->quality.n_milestones_dropped++;
		return 0;
	}
	if (data.size_bytes && store->text_bytes < MARKS_STORE_TEXT_BYTES) {
		store->text_bytes += data.size_bytes;
		r = interner_add_sized(&store->profile->strings, &kept.data, data.bytes,
				       data.size_bytes);
	}
	return r < 0 ? r : marks_add_milestone(marks, &kept);
}

int marks_store_finish(struct marks_store *store)
{
	int r = mark_calls_finish(&store->calls);

	if (r == 0)
		r = mark_counters_finish(&store->counters);
	return r < 0 ? r : mark_snapshots_finish(&store->snapshots);
}
