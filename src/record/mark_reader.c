/* Hostile rings cost what they send: every record is either applied or counted. */
#include "record/mark_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "os/proc_tasks.h"

/* Clocks that disagree by more than this mean nothing; processors may by some 100 ns. */
#define TIME_SLACK_NS NS_PER_MS
#define ANCHOR_INTERVAL_NS (50 * NS_PER_MS)
/* So much is taken at a time before the program gets the room back. */
#define PUBLISH_BYTES (64 << 10)

enum { MAX_STEPS = 256 /* at a time, so that they stay in the first cache */ };

void mark_reader_release(struct mark_reader *reader)
{
	free(reader->payload);
	*reader = (struct mark_reader){ 0 };
}

void mark_reader_set_time(struct mark_reader *reader)
{
	struct counter_clock *clock = &reader->clock;
	const struct counter_anchor now = counter_clock_read();

	reader->limit_ns = now.ns;
	if (clock->n_anchors >= 2 &&
	    now.ns - clock->anchors[clock->n_anchors - 1].ns < ANCHOR_INTERVAL_NS)
		return;
	if (counter_clock_add(clock, now))
		reader->line = counter_clock_line(clock);
}

int mark_reader_init(struct mark_reader *reader, struct marks_store *store)
{
	*reader = (struct mark_reader){ .store = store, .line = { .counter = UINT64_MAX } };
	reader->payload = malloc(MARKS_PAYLOAD_MAX_BYTES);
	/* Before the first mark, so that its time lies behind an anchor. */
	mark_reader_set_time(reader);
	return reader->payload ? 0 : -ENOMEM;
}

/* Is somebody else known to have this number? */
static bool is_taken(const struct mark_reader *reader, const struct mark_ring *ring)
{
	const struct live_thread *found = process_table_find(reader->store->processes, ring->tid);

	return found && found->is_alive && found->process->pid != ring->program->pid;
}

static int learn_name(struct process_table *processes, struct live_thread *thread)
{
	char comm[16];

	if (thread->comm || proc_tasks_read_comm(comm, thread->process->pid, thread->tid) < 0)
		return 0;
	return process_table_comm(processes, thread->process->pid, thread->tid, comm, false);
}

int mark_reader_settle(struct mark_reader *reader, struct mark_ring *ring)
{
	struct process_table *processes = reader->store->processes;
	const uint32_t pid = ring->program->pid;
	struct mark_thread *thread;
	struct live_thread *live;
	int r;

	if (is_taken(reader, ring))
		ring->tid |= MARK_PROGRAM_NO_THREAD;
	live = process_table_thread(processes, pid, ring->tid);
	if (!live)
		return -ENOMEM;
	r = learn_name(processes, live);
	thread = r < 0 ? NULL : mark_thread_get(live, ring->program);
	if (!thread)
		return -ENOMEM;
	if (!thread->last_ns)
		r = mark_thread_inherit(thread, &reader->store->profile->marks.scopes,
					live->inherited_scope);
	/* A thread that went on in other memory: what is left in the old comes first. */
	if (r == 0 && thread->ring && thread->ring != ring) {
		marks_ring_refresh(&thread->ring->ring);
		r = mark_reader_drain(reader, thread->ring);
		thread->ring->thread = NULL;
		thread->ring->seen_ns = 0;
	}
	ring->has_counter =
		marks_memory_status(&ring->program->segments[ring->segment].memory).has_counter;
	ring->thread = thread;
	thread->ring = ring;
	return r;
}

static bool can_have(uint32_t kind, enum mark_kind wanted, uint32_t id)
{
	/* The last one stands for all that found no place, of any kind. */
	return kind == (uint32_t)wanted || id == MARKS_MAX_SITES;
}

/* -EINVAL when it makes no sense. */
static int find_site(struct mark_reader *reader, const struct mark_ring *ring, uint32_t id,
		     enum mark_kind kind, uint32_t *ret_site)
{
	struct mark_program *program = ring->program;
	struct marks *marks = &reader->store->profile->marks;
	struct mark_site_text text;
	struct marks_site site;
	int r;

	if (id < 1 || id > MARKS_MAX_SITES)
		return -EINVAL;
	*ret_site = program->sites[id - 1] - 1;
	if (program->sites[id - 1] && marks->sites[*ret_site].kind == (uint8_t)kind)
		return 0;
	if (!marks_memory_site(&program->segments[ring->segment].memory, id, &site) ||
	    !can_have(site.kind, kind, id))
		return -EINVAL;
	text = (struct mark_site_text){
		.name = site.name,
		.name_bytes = strlen(site.name),
		.category = site.category,
		.category_bytes = strlen(site.category),
		.file = site.file,
		.file_bytes = strlen(site.file),
		.line = site.line,
		.sample_rate = site.sample_rate,
		.kind = kind,
		.source = MARK_SOURCE_LIBRARY,
	};
	r = mark_sites_get(&reader->store->sites, ret_site, &text);
	if (r == 0)
		program->sites[id - 1] = *ret_site + 1;
	return r;
}

static uint64_t time_of(const struct mark_reader *reader, const struct mark_ring *ring,
			uint64_t time)
{
	return ring->has_counter ? counter_line_ns(&reader->line, &reader->clock, time) : time;
}

/* When it was made, as far as that can be: not before the recording, nor after now. */
static uint64_t credible_time(struct mark_reader *reader, const struct mark_ring *ring,
			      uint64_t time)
{
	const uint64_t start_ns = reader->store->profile->info.start_ns;
	const uint64_t last_ns = ring->thread->last_ns;
	const uint64_t time_ns = time_of(reader, ring, time);

	if (time_ns > reader->limit_ns + TIME_SLACK_NS || time_ns + TIME_SLACK_NS < start_ns ||
	    time_ns + TIME_SLACK_NS < last_ns)
		reader->store->profile->marks.quality.n_bad++;
	if (time_ns < start_ns)
		return start_ns;
	return time_ns > reader->limit_ns ? reader->limit_ns : time_ns;
}

static int take_counter(struct mark_reader *reader, struct mark_thread *thread, uint32_t site,
			uint64_t time_ns, uint32_t size)
{
	double value;

	if (size != sizeof(value))
		return -EINVAL;
	memcpy(&value, reader->payload, sizeof(value));
	if (!isfinite(value))
		return -EINVAL;
	return mark_thread_counter(thread, reader->store, site, time_ns, value);
}

static int take_costs(struct mark_reader *reader, struct mark_thread *thread, uint32_t site,
		      uint32_t size)
{
	struct marks_costs costs;

	if (size != sizeof(costs))
		return -EINVAL;
	memcpy(&costs, reader->payload, sizeof(costs));
	return mark_thread_costs(thread, site, costs.cpu_ns, costs.allocated_bytes, costs.n_faults);
}

static int take_of_scope(struct mark_reader *reader, struct mark_thread *thread,
			 const struct marks_record *record, uint32_t site, uint64_t time_ns)
{
	if (record->what == TSPROF_WHAT_COSTS)
		return take_costs(reader, thread, site, record->payload_bytes);
	return record->what == TSPROF_WHAT_BEGIN
		       ? mark_thread_begin(thread, reader->store, site, time_ns)
		       : mark_thread_end(thread, reader->store, site, time_ns);
}

/* Those that are about a site.  -EINVAL for what makes no sense. */
static int take_at_site(struct mark_reader *reader, struct mark_ring *ring,
			const struct marks_record *record, enum mark_kind kind)
{
	const uint64_t time_ns = credible_time(reader, ring, record->time);
	struct marks_store *store = reader->store;
	struct mark_thread *thread = ring->thread;
	struct snapshot snapshot;
	uint32_t site;
	int r = find_site(reader, ring, record->site, kind, &site);

	if (r < 0)
		return r;
	switch (kind) {
	case MARK_SCOPE:
		return take_of_scope(reader, thread, record, site, time_ns);
	case MARK_MILESTONE:
		return mark_thread_milestone(thread, store, site, time_ns);
	case MARK_COUNTER:
		return take_counter(reader, thread, site, time_ns, record->payload_bytes);
	case MARK_SNAPSHOT:
		snapshot = (struct snapshot){
			.time_ns = time_ns,
			.site = site,
			.size_bytes = record->payload_bytes,
			.is_text = record->what == TSPROF_WHAT_TEXT_SNAPSHOT,
			.is_cut = record->is_cut,
		};
		return mark_thread_snapshot(thread, store, &snapshot, reader->payload);
	}
	return -EINVAL;
}

static int take(struct mark_reader *reader, struct mark_ring *ring,
		const struct marks_record *record)
{
	const struct mark_text text = { (const char *)reader->payload, record->payload_bytes };
	struct mark_thread *thread = ring->thread;

	switch ((enum tsprof_what)record->what) {
	case TSPROF_WHAT_BEGIN:
	case TSPROF_WHAT_END:
	case TSPROF_WHAT_COSTS:
		return take_at_site(reader, ring, record, MARK_SCOPE);
	case TSPROF_WHAT_MILESTONE:
		return take_at_site(reader, ring, record, MARK_MILESTONE);
	case TSPROF_WHAT_COUNTER:
		return take_at_site(reader, ring, record, MARK_COUNTER);
	case TSPROF_WHAT_SNAPSHOT:
	case TSPROF_WHAT_TEXT_SNAPSHOT:
		return take_at_site(reader, ring, record, MARK_SNAPSHOT);
	case TSPROF_WHAT_DATA:
		return mark_thread_data(thread, reader->store, text);
	case TSPROF_WHAT_ARGUMENTS:
		return mark_thread_arguments(thread, text);
	case TSPROF_WHAT_ERROR:
		return mark_thread_error(thread, text);
	}
	return -EINVAL;
}

static int take_next(struct mark_reader *reader, struct mark_ring *ring, bool *ret_is_empty)
{
	struct marks_quality *quality = &reader->store->profile->marks.quality;
	struct marks_record record;
	int r = 0;

	*ret_is_empty = false;
	switch (marks_ring_next(&ring->ring, &record, reader->payload)) {
	case MARKS_RING_EMPTY:
		*ret_is_empty = true;
		break;
	case MARKS_RING_BAD:
		quality->n_bad++;
		break;
	case MARKS_RING_RECORD:
		quality->n_records++;
		r = take(reader, ring, &record);
		if (r == -EINVAL)
			quality->n_bad++;
		break;
	}
	return r == -EINVAL ? 0 : r;
}

/* The scope's site, plus one, when it is known; 0: find_site finds out. */
static uint32_t known_scope(const struct mark_reader *reader, const struct mark_program *program,
			    uint32_t id)
{
	const uint32_t site = id - 1 < MARKS_MAX_SITES ? program->sites[id - 1] : 0;

	return site && reader->store->profile->marks.sites[site - 1].kind == MARK_SCOPE ? site : 0;
}

/*
 * The next begins and ends of known scopes, in order of time, until something
 * else comes or a time that is not what was expected.
 */
static size_t next_steps(const struct mark_reader *reader, const struct mark_ring *ring,
			 uint64_t until_ns, struct mark_step *steps)
{
	const uint64_t start_ns = reader->store->profile->info.start_ns;
	const uint64_t most_ns = until_ns < reader->limit_ns ? until_ns : reader->limit_ns;
	uint64_t least_ns = ring->thread->last_ns > start_ns ? ring->thread->last_ns : start_ns;
	size_t n_records;
	const struct tsprof_record_ *records = marks_ring_records(&ring->ring, &n_records);
	size_t n;

	for (n = 0; n < n_records && n < MAX_STEPS; n++) {
		const struct tsprof_record_ record = marks_record_read(&records[n]);
		const uint32_t site = known_scope(reader, ring->program, record.site);
		uint64_t time_ns;

		/* Payloads and what is cut are in `what` too. */
		if (!site || (record.what != TSPROF_WHAT_BEGIN && record.what != TSPROF_WHAT_END))
			break;
		time_ns = time_of(reader, ring, record.time);
		if (time_ns < least_ns || time_ns > most_ns)
			break;
		steps[n] = (struct mark_step){ .time_ns = time_ns,
					       .site = site - 1,
					       .is_end = record.what == TSPROF_WHAT_END };
		least_ns = time_ns;
	}
	return n;
}

/* Most records are these; *ret_n is how many there were. */
static int take_steps(struct mark_reader *reader, struct mark_ring *ring, uint64_t until_ns,
		      size_t *ret_n)
{
	struct mark_step steps[MAX_STEPS];

	*ret_n = next_steps(reader, ring, until_ns, steps);
	marks_ring_take(&ring->ring, *ret_n);
	reader->store->profile->marks.quality.n_records += *ret_n;
	return mark_thread_steps(ring->thread, reader->store, steps, *ret_n);
}

static void count_lost(struct mark_reader *reader, struct mark_ring *ring)
{
	const uint64_t n_lost = marks_ring_n_lost(&ring->ring);

	reader->store->profile->marks.quality.n_lost += n_lost - ring->n_lost;
	ring->n_lost = n_lost;
}

int mark_reader_advance(struct mark_reader *reader, struct mark_ring *ring, uint64_t until_ns)
{
	bool is_empty = false;
	int r = 0;

	while (r == 0 && !is_empty) {
		uint64_t time;
		size_t n;

		r = take_steps(reader, ring, until_ns, &n);
		if (r < 0 || n)
			continue;
		time = marks_ring_time(&ring->ring);
		if (time == UINT64_MAX || time_of(reader, ring, time) > until_ns)
			break;
		r = take_next(reader, ring, &is_empty);
	}
	marks_ring_publish(&ring->ring);
	return r;
}

int mark_reader_drain(struct mark_reader *reader, struct mark_ring *ring)
{
	uint64_t published = ring->ring.tail;
	bool is_empty = false;
	int r = 0;

	while (r == 0 && !is_empty) {
		size_t n;

		r = take_steps(reader, ring, UINT64_MAX, &n);
		if (r == 0 && !n)
			r = take_next(reader, ring, &is_empty);
		if (ring->ring.tail - published >= PUBLISH_BYTES) {
			marks_ring_publish(&ring->ring);
			published = ring->ring.tail;
		}
	}
	marks_ring_publish(&ring->ring);
	count_lost(reader, ring);
	return r;
}
