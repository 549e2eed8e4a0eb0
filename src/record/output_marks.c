#include "record/output_marks.h"

#include "record/recording.h"

/* A reader of the output that stands still must not keep the profile from being written. */
enum { LAST_LINES_WAIT_MS = 1000 };

int output_marks_open(struct output_marks *marks, struct marks_store *store, const regex_t *pattern,
		      struct error *err)
{
	marks->store = store;
	return output_tap_open(&marks->tap, pattern, err);
}

static int add(void *context, const struct output_line *line)
{
	struct output_marks *marks = context;
	const struct mark_site_text text = {
		.name = line->name,
		.name_bytes = line->name_bytes,
		.kind = MARK_MILESTONE,
		.source = MARK_SOURCE_OUTPUT,
	};
	const struct mark_text data = { line->line, line->line_bytes };
	struct milestone milestone = { .time_ns = line->time_ns, .thread = MARK_NO_THREAD };
	const int r = mark_sites_get(&marks->store->sites, &milestone.site, &text);

	return r < 0 ? r : marks_store_milestone(marks->store, &milestone, data);
}

static int forget(void *context, const struct output_line *line)
{
	(void)context;
	(void)line;
	return 0;
}

int output_marks_take(void *context, const struct recording_turn *turn, struct error *err)
{
	struct output_marks *marks = context;
	struct output_line line;
	int r = 0;

	if (turn->is_final)
		r = output_tap_sync(&marks->tap, LAST_LINES_WAIT_MS, add, marks);
	else
		while (r == 0 && output_tap_next(&marks->tap, &line))
			r = turn->is_over ? 0 : add(marks, &line);
	marks->store->profile->marks.quality.n_milestones_dropped += marks->tap.n_dropped;
	marks->tap.n_dropped = 0;
	return r < 0 ? error_set_no_memory(err) : 0;
}

void output_marks_close(struct output_marks *marks)
{
	if (marks->tap.epoll_fd >= 0)
		(void)output_tap_sync(&marks->tap, -1, forget, NULL);
	output_tap_close(&marks->tap);
}
