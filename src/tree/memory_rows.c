/* Readings are sorted by process, and each process's are one series. */
#include "tree/memory_rows.h"

#include <errno.h>
#include <stdlib.h>

#include "tree/mark_filter.h"
#include "tree/memory_series.h"
#include "tree/moments.h"

static int compare_readings(const void *a, const void *b)
{
	const struct resource_sample *x = a;
	const struct resource_sample *y = b;

	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

static int compare_rows(const void *a, const void *b)
{
	const struct memory_row *x = a;
	const struct memory_row *y = b;

	if (x->peak_bytes != y->peak_bytes)
		return x->peak_bytes > y->peak_bytes ? -1 : 1;
	if (x->run != y->run)
		return x->run < y->run ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Memory is the process's: no view of some of its threads has it. */
static bool has_process(const struct mark_filter *filter, const struct resource_sample *reading)
{
	const struct profile *profile = filter->profile;

	if (filter->has_all_threads)
		return true;
	for (size_t i = 0; i < profile->n_threads; i++)
		if (filter->has_thread[i] && profile->threads[i].pid == reading->pid &&
		    profile->threads[i].run == reading->run)
			return true;
	return false;
}

/* Those in the view, by process and in order of time. */
static int find_readings(struct resource_sample **ret_found, size_t *ret_n,
			 const struct profile *profile, const struct view *view, struct error *err)
{
	const struct marks *marks = &profile->marks;
	struct resource_sample *found = malloc((marks->n_resources + 1) * sizeof(*found));
	struct mark_filter filter;
	size_t n = 0, n_kept = 0;
	bool is_in = false;
	int r = mark_filter_init(&filter, profile, view, err);

	for (size_t i = 0; r == 0 && found && i < marks->n_resources; i++) {
		found[n] = marks->resources[i];
		if (view_has_time(view, profile, found[n].run, found[n].time_ns))
			n++;
	}
	if (found)
		qsort(found, n, sizeof(*found), compare_readings);
	for (size_t i = 0; r == 0 && found && i < n; i++) {
		if (i == 0 || found[i].pid != found[i - 1].pid || found[i].run != found[i - 1].run)
			is_in = has_process(&filter, &found[i]);
		found[n_kept] = found[i];
		n_kept += is_in;
	}
	mark_filter_release(&filter);
	*ret_found = found;
	*ret_n = n_kept;
	return r == 0 && !found ? error_set_no_memory(err) : r;
}

/* The main thread's entry, else any of the process's. */
static uint32_t find_thread(const struct profile *profile, uint32_t run, uint32_t pid)
{
	uint32_t any = MARK_NO_THREAD;

	for (uint32_t i = 0; i < profile->n_threads; i++) {
		const struct thread *thread = &profile->threads[i];

		if (thread->pid != pid || thread->run != run)
			continue;
		if (thread->tid == pid)
			any = i;
		else if (any == MARK_NO_THREAD)
			any = i;
	}
	return any;
}

static void find_phase(struct memory_row *row, const struct moments *moments)
{
	if (row->run >= moments->n_runs)
		return;
	for (size_t i = moments->first[row->run]; i < moments->first[row->run + 1]; i++) {
		if (moments->items[i].since_ns > row->peak_ns) {
			row->peak_before = moments->items[i].name;
			return;
		}
		row->peak_after = moments->items[i].name;
	}
}

static uint64_t growth_of(uint64_t first, uint64_t last)
{
	return last > first ? last - first : 0;
}

/* What needs no line: the ends, and what is counted. */
static void describe(struct memory_row *row, const struct resource_sample *readings, size_t n)
{
	const struct resource_sample *const first = &readings[0];
	const struct resource_sample *const last = &readings[n - 1];

	row->anonymous_bytes = last->anonymous_bytes;
	row->n_minor_faults = growth_of(first->n_minor_faults, last->n_minor_faults);
	row->n_major_faults = growth_of(first->n_major_faults, last->n_major_faults);
	row->n_voluntary_switches = growth_of(first->n_voluntary_switches,
					      last->n_voluntary_switches);
	row->n_involuntary_switches = growth_of(first->n_involuntary_switches,
						last->n_involuntary_switches);
	for (size_t i = 0; i < n; i++) {
		if (readings[i].pss_bytes)
			row->pss_bytes = readings[i].pss_bytes;
		if (readings[i].heap_bytes)
			row->heap_bytes = readings[i].heap_bytes;
	}
}

struct row_maker {
	const struct profile *profile;
	struct moments moments;
	struct memory_frame frame;
};

static int make_row(const struct row_maker *maker, struct memory_row *row,
		    const struct resource_sample *readings, size_t n)
{
	struct memory_series series;
	int r = memory_series_init(&series, n);

	for (size_t i = 0; r == 0 && i < n; i++)
		memory_series_add(&series, mark_since_ns(maker->profile, readings[i].time_ns),
				  readings[i].rss_bytes, readings[i].anonymous_bytes);
	if (r == 0) {
		memory_series_describe(&series, row, &maker->frame);
		describe(row, readings, n);
		find_phase(row, &maker->moments);
	}
	memory_series_release(&series);
	return r;
}

static int make_rows(struct memory_rows *rows, const struct row_maker *maker,
		     const struct resource_sample *readings, size_t n)
{
	int r = 0;

	for (size_t i = 0, end; r == 0 && i < n; i = end) {
		struct memory_row *row = &rows->rows[rows->n_rows++];

		for (end = i; end < n && readings[end].pid == readings[i].pid &&
			      readings[end].run == readings[i].run;)
			end++;
		row->pid = readings[i].pid;
		row->run = readings[i].run;
		row->thread = find_thread(maker->profile, row->run, row->pid);
		r = make_row(maker, row, &readings[i], end - i);
	}
	qsort(rows->rows, rows->n_rows, sizeof(*rows->rows), compare_rows);
	return r;
}

/* The part of the time that the courses are drawn over: from the first reading to the last. */
static void find_frame(struct memory_frame *frame, const struct profile *profile,
		       const struct resource_sample *readings, size_t n)
{
	*frame = (struct memory_frame){ .from_ns = UINT64_MAX };
	for (size_t i = 0; i < n; i++) {
		const uint64_t since_ns = mark_since_ns(profile, readings[i].time_ns);

		frame->from_ns = since_ns < frame->from_ns ? since_ns : frame->from_ns;
		frame->to_ns = since_ns > frame->to_ns ? since_ns : frame->to_ns;
	}
}

static void add_counts(struct memory_row *whole, const struct memory_row *row)
{
	whole->n_minor_faults += row->n_minor_faults;
	whole->n_major_faults += row->n_major_faults;
	whole->n_voluntary_switches += row->n_voluntary_switches;
	whole->n_involuntary_switches += row->n_involuntary_switches;
}

/* All processes as one: steps are no leak. */
static int make_whole(struct memory_rows *rows, const struct row_maker *maker,
		      const struct resource_sample *readings, size_t n)
{
	struct memory_row whole = { .thread = MARK_NO_THREAD };
	struct memory_series series;
	int r = memory_series_init_sum(&series, readings, n, maker->profile);

	if (r < 0)
		return r;
	memory_series_describe(&series, &whole, &maker->frame);
	whole.is_leak_suspected = false;
	whole.anonymous_bytes = (uint64_t)series.anonymous_bytes[series.n - 1];
	find_phase(&whole, &maker->moments);
	for (size_t i = 0; i < rows->n_rows; i++)
		add_counts(&whole, &rows->rows[i]);
	rows->rows[rows->n_rows++] = whole;
	rows->has_whole = true;
	memory_series_release(&series);
	return 0;
}

int memory_rows_build(struct memory_rows *rows, const struct profile *profile,
		      const struct view *view, struct error *err)
{
	struct row_maker maker = { .profile = profile };
	struct resource_sample *readings = NULL;
	size_t n = 0;
	int r = find_readings(&readings, &n, profile, view, err);

	*rows = (struct memory_rows){ 0 };
	if (r == 0)
		r = moments_init(&maker.moments, profile);
	if (r == 0) {
		find_frame(&maker.frame, profile, readings, n);
		rows->rows = calloc(n + 1, sizeof(*rows->rows));
		r = rows->rows ? make_rows(rows, &maker, readings, n) : -ENOMEM;
	}
	if (r == 0 && rows->n_rows > 1 && profile->n_runs <= 1)
		r = make_whole(rows, &maker, readings, n);
	moments_release(&maker.moments);
	free(readings);
	if (r < 0)
		memory_rows_release(rows);
	return r == -ENOMEM ? error_set_no_memory(err) : r;
}

void memory_rows_release(struct memory_rows *rows)
{
	free(rows->rows);
	*rows = (struct memory_rows){ 0 };
}
