/* Lines through series, and what is to be made of them. */
#include "tree/memory_series.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/units.h"
#include "tree/mark_filter.h"

/* When growth is a leak, as memory_rows.h says. */
enum {
	LEAK_MIN_READINGS = 10,
	LEAK_MIN_BYTES = 256 * 1024,
};
#define LEAK_MIN_SECONDS 1.0
#define LEAK_MIN_SHARE 0.01
#define LEAK_MIN_R2 0.8
#define LEAK_MIN_LATE_RATE 0.75
#define LEAK_MAX_LATE_RATE 1.5

enum { COURSE_LEVELS = 8 };

int memory_series_init(struct memory_series *series, size_t n)
{
	*series = (struct memory_series){
		.seconds = malloc((n + 1) * sizeof(double)),
		.rss_bytes = malloc((n + 1) * sizeof(double)),
		.anonymous_bytes = malloc((n + 1) * sizeof(double)),
	};
	return series->seconds && series->rss_bytes && series->anonymous_bytes ? 0 : -ENOMEM;
}

void memory_series_release(struct memory_series *series)
{
	free(series->seconds);
	free(series->rss_bytes);
	free(series->anonymous_bytes);
	*series = (struct memory_series){ 0 };
}

void memory_series_add(struct memory_series *series, uint64_t since_ns, uint64_t rss_bytes,
		       uint64_t anonymous_bytes)
{
	series->seconds[series->n] = (double)since_ns / (double)NS_PER_S;
	series->rss_bytes[series->n] = (double)rss_bytes;
	series->anonymous_bytes[series->n++] = (double)anonymous_bytes;
}

/* A reading as steps of the sum: what it adds to its process, and takes away at the end. */
struct memory_step {
	uint64_t time_ns;
	int64_t rss_bytes;
	int64_t anonymous_bytes;
	bool is_end; /* takes effect after its time */
};

static int compare_steps(const void *a, const void *b)
{
	const struct memory_step *x = a;
	const struct memory_step *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return (int)x->is_end - (int)y->is_end;
}

static size_t find_steps(struct memory_step *steps, const struct resource_sample *readings,
			 size_t n)
{
	size_t n_steps = 0;

	for (size_t i = 0; i < n; i++) {
		const struct resource_sample *reading = &readings[i];
		const bool is_first = i == 0 || readings[i - 1].pid != reading->pid;
		const bool is_last = i + 1 == n || readings[i + 1].pid != reading->pid;
		struct memory_step step = { .time_ns = reading->time_ns,
					    .rss_bytes = (int64_t)reading->rss_bytes,
					    .anonymous_bytes = (int64_t)reading->anonymous_bytes };

		if (!is_first) {
			step.rss_bytes -= (int64_t)readings[i - 1].rss_bytes;
			step.anonymous_bytes -= (int64_t)readings[i - 1].anonymous_bytes;
		}
		steps[n_steps++] = step;
		if (is_last)
			steps[n_steps++] = (struct memory_step){
				.time_ns = reading->time_ns,
				.rss_bytes = -(int64_t)reading->rss_bytes,
				.anonymous_bytes = -(int64_t)reading->anonymous_bytes,
				.is_end = true,
			};
	}
	return n_steps;
}

/* Sums wrap rather than overflow: what goes in comes out again. */
static void add_steps(struct memory_series *series, const struct memory_step *steps, size_t n,
		      const struct profile *profile)
{
	uint64_t rss_bytes = 0, anonymous_bytes = 0;

	for (size_t i = 0; i < n; i++) {
		rss_bytes += (uint64_t)steps[i].rss_bytes;
		anonymous_bytes += (uint64_t)steps[i].anonymous_bytes;
		if (!steps[i].is_end &&
		    (i + 1 == n || steps[i + 1].is_end || steps[i + 1].time_ns != steps[i].time_ns))
			memory_series_add(series, mark_since_ns(profile, steps[i].time_ns),
					  rss_bytes, anonymous_bytes);
	}
}

int memory_series_init_sum(struct memory_series *series, const struct resource_sample *readings,
			   size_t n, const struct profile *profile)
{
	struct memory_step *steps = malloc(2 * n * sizeof(*steps));
	int r = memory_series_init(series, n);
	size_t n_steps;

	if (r == 0 && !steps)
		r = -ENOMEM;
	if (r == 0) {
		n_steps = find_steps(steps, readings, n);
		qsort(steps, n_steps, sizeof(*steps), compare_steps);
		add_steps(series, steps, n_steps, profile);
	}
	free(steps);
	return r;
}

/* Of the points from `first` on. */
static bool fit_from(struct linear_fit *fit, const struct memory_series *series,
		     const double *bytes, size_t first)
{
	return linear_fit_find(fit, series->seconds + first, bytes + first, series->n - first);
}

/* The first point in the last `share` of the time. */
static size_t first_of_last(const struct memory_series *series, double share)
{
	const double start = series->seconds[0];
	const double end = series->seconds[series->n - 1];
	size_t first = 0;

	while (first + 1 < series->n && series->seconds[first] < end - (end - start) * share)
		first++;
	return first;
}

static bool is_leak(const struct memory_series *series, const struct linear_fit *half,
		    size_t first_of_half)
{
	const size_t last = series->n - 1;
	const double seconds = series->seconds[last] - series->seconds[first_of_half];
	const double grown_bytes = half->slope * seconds;
	struct linear_fit late;

	return series->n - first_of_half >= LEAK_MIN_READINGS && seconds >= LEAK_MIN_SECONDS &&
	       half->r2 >= LEAK_MIN_R2 && grown_bytes >= LEAK_MIN_BYTES &&
	       grown_bytes >= series->anonymous_bytes[last] * LEAK_MIN_SHARE &&
	       fit_from(&late, series, series->anonymous_bytes, first_of_last(series, 0.25)) &&
	       late.slope >= half->slope * LEAK_MIN_LATE_RATE &&
	       late.slope <= half->slope * LEAK_MAX_LATE_RATE;
}

static void find_course(const struct memory_series *series, struct memory_row *row,
			const struct memory_frame *frame)
{
	const double start = (double)frame->from_ns / (double)NS_PER_S;
	const double length = (double)(frame->to_ns - frame->from_ns) / (double)NS_PER_S;

	size_t last_step = MEMORY_COURSE_STEPS;
	uint8_t last_level = 0;

	for (size_t i = 0; i < series->n && row->peak_bytes; i++) {
		const double at = length > 0 ? (series->seconds[i] - start) / length : 0;
		const double eighths =
			ceil(series->rss_bytes[i] * COURSE_LEVELS / (double)row->peak_bytes);
		const uint8_t level = eighths < 1		? 1
				      : eighths > COURSE_LEVELS ? COURSE_LEVELS
								: (uint8_t)eighths;
		size_t step = at > 0 ? (size_t)(at * MEMORY_COURSE_STEPS) : 0;

		step = step < MEMORY_COURSE_STEPS ? step : MEMORY_COURSE_STEPS - 1;
		row->course[step] = row->course[step] > level ? row->course[step] : level;
		/* Where readings are few, each stands until the next. */
		while (last_step + 1 < step)
			row->course[++last_step] = last_level;
		last_step = step;
		last_level = level;
	}
}

static uint64_t ns_of(double seconds)
{
	return (uint64_t)llround(seconds * (double)NS_PER_S);
}

void memory_series_describe(const struct memory_series *series, struct memory_row *row,
			    const struct memory_frame *frame)
{
	const size_t first_of_half = first_of_last(series, 0.5);
	size_t peak = 0;

	for (size_t i = 1; i < series->n; i++)
		if (series->rss_bytes[i] > series->rss_bytes[peak])
			peak = i;
	row->n_readings = series->n;
	row->first_ns = ns_of(series->seconds[0]);
	row->last_ns = ns_of(series->seconds[series->n - 1]);
	row->peak_ns = ns_of(series->seconds[peak]);
	row->first_bytes = (uint64_t)series->rss_bytes[0];
	row->last_bytes = (uint64_t)series->rss_bytes[series->n - 1];
	row->peak_bytes = (uint64_t)series->rss_bytes[peak];
	row->has_growth = fit_from(&row->growth, series, series->rss_bytes, 0);
	row->has_half = fit_from(&row->half, series, series->anonymous_bytes, first_of_half);
	row->is_leak_suspected = row->has_half && is_leak(series, &row->half, first_of_half);
	find_course(series, row, frame);
}
