/* From what a sampled program wrote to what a sampler says; see sigprof_records.h. */
#include "os/sigprof_records.h"

#include "base/units.h"
#include "os/proc_files.h"
#include "os/sigprof_decode.h"
#include "os/sigprof_waits.h"

#define MAPS_INTERVAL_NS (5 * NS_PER_MS)
#define MAPS_MAX_INTERVAL_NS (500 * NS_PER_MS)

/* What is waited longer than that is told before it is over. */
#define LONG_WAIT_NS (100 * NS_PER_MS)

/* Clocks are read one after the other: less than that is no waiting. */
#define CLOCKS_APART_NS UINT64_C(20000)

void sigprof_records_queue(struct sigprof_records *records, const struct sampler_record *record)
{
	if (record_queue_add(&records->queue, record) < 0)
		records->n_bad++;
}

/* The CPU time that this record adds to its thread. */
static uint64_t take_cpu_time(struct sigprof_records *records, struct sigprof_source *source,
			      uint64_t cpu_ns)
{
	const uint64_t added_ns = cpu_ns > source->last_cpu_ns ? cpu_ns - source->last_cpu_ns : 0;

	source->last_cpu_ns = cpu_ns;
	records->counted_ns += added_ns;
	return added_ns;
}

static void queue_switch(struct sigprof_records *records, const struct sigprof_source *source,
			 enum sampler_record_kind kind, uint64_t time_ns)
{
	const struct sampler_record record = {
		.kind = kind,
		.pid = source->session->pid,
		.tid = source->tid,
		.time_ns = time_ns,
	};

	sigprof_records_queue(records, &record);
}

/* A wait that was told of while it lasted is over. */
static void end_long_wait(struct sigprof_records *records, struct sigprof_source *source,
			  uint64_t time_ns)
{
	if (!source->wait_sequence)
		return;
	source->wait_sequence = 0;
	queue_switch(records, source, SAMPLER_RECORD_SWITCH_IN, time_ns);
}

/*
 * What the thread did since the last time, other than running and waiting in
 * calls that are measured: it had no CPU, or waited inside the kernel or the C library.
 */
static void account_rest(struct sigprof_records *records, struct sigprof_source *source,
			 uint64_t time_ns, uint64_t cpu_ns, uint64_t waited_ns)
{
	const uint64_t wall_ns = time_ns > source->accounted_ns ? time_ns - source->accounted_ns
								: 0;
	const uint64_t known_ns =
		cpu_ns + (waited_ns > source->waited_ns ? waited_ns - source->waited_ns : 0);

	source->accounted_ns = time_ns;
	source->waited_ns = waited_ns;
	if (wall_ns <= known_ns || wall_ns - known_ns < CLOCKS_APART_NS)
		return;
	queue_switch(records, source, SAMPLER_RECORD_SWITCH_OUT, time_ns - (wall_ns - known_ns));
	queue_switch(records, source, SAMPLER_RECORD_SWITCH_IN, time_ns);
}

/* It runs, which is news of a thread that has just started. */
static void tell_start(struct sigprof_records *records, struct sigprof_source *source,
		       struct sampler_record *record)
{
	source->accounted_ns = record->time_ns;
	source->waited_ns = 0;
	source->wait_sequence = 0;
	if (!records->with_waits)
		return;
	sigprof_records_queue(records, record);
	if (record->kind != SAMPLER_RECORD_FORK)
		queue_switch(records, source, SAMPLER_RECORD_SWITCH_OUT, record->time_ns);
	*record = (struct sampler_record){ .kind = SAMPLER_RECORD_SWITCH_IN,
					   .pid = record->pid,
					   .tid = record->tid,
					   .time_ns = record->time_ns };
}

static void start_thread(struct sigprof_records *records, struct sigprof_source *source,
			 struct sampler_record *record, const struct sigprof_thread *thread)
{
	struct sigprof_session *session = source->session;
	const struct sigprof_session *parent;

	source->inner_tid = thread->tid;
	source->tid = sigprof_session_tid(session, thread->tid);
	source->is_alive = true;
	source->last_cpu_ns = thread->cpu_ns;
	source->trigger = (enum sigprof_trigger)thread->trigger;
	record->tid = source->tid;
	record->kind = SAMPLER_RECORD_FORK;
	switch (thread->header.flags) {
	case SIGPROF_HELLO_EXEC:
		record->kind = SAMPLER_RECORD_COMM;
		record->is_exec = true;
		record->comm = thread->comm;
		break;
	case SIGPROF_HELLO_FORK:
		parent = sigprof_sessions_find(records->sessions, session->parent_id);
		if (parent && address_space_copy(&session->known, &parent->known) < 0)
			address_space_reset(&session->known);
		record->parent_pid = record->parent_tid = session->parent_pid;
		break;
	default:
		record->parent_pid = session->pid;
		record->parent_tid = sigprof_session_tid(session, thread->parent_tid);
		break;
	}
	if (!record->parent_pid && record->kind == SAMPLER_RECORD_FORK)
		record->kind = SAMPLER_RECORD_OTHER;
	tell_start(records, source, record);
}

static void take_thread(struct sigprof_records *records, struct sigprof_source *source,
			struct sampler_record *record)
{
	struct sigprof_thread *thread = (struct sigprof_thread *)(void *)records->bytes;

	if (source->next.size_bytes < sizeof(*thread)) {
		record->kind = SAMPLER_RECORD_BAD;
		return;
	}
	thread->comm[sizeof(thread->comm) - 1] = '\0';
	if (thread->header.kind == SIGPROF_RECORD_START) {
		start_thread(records, source, record, thread);
	} else if (thread->header.kind == SIGPROF_RECORD_END) {
		(void)take_cpu_time(records, source, thread->cpu_ns);
		end_long_wait(records, source, record->time_ns);
		record->kind = SAMPLER_RECORD_EXIT;
		source->is_alive = false;
	} else {
		record->kind = SAMPLER_RECORD_COMM;
		record->tid = sigprof_session_tid(source->session, thread->tid);
		record->comm = thread->comm;
	}
}

static int know_mapping(struct sigprof_session *session, const struct sampler_mapping *map)
{
	const struct mapping mapping = { .start = map->start,
					 .end = map->start + map->size_bytes,
					 .file_offset = map->file_offset };

	return address_space_map(&session->known, &mapping);
}

struct maps_reading {
	struct sigprof_records *records;
	struct sigprof_session *session;
	uint64_t time_ns;
	size_t n_new;
};

static int queue_mapping(void *context, const struct sampler_mapping *map)
{
	struct maps_reading *reading = context;
	const struct mapping *known = address_space_find(&reading->session->known, map->start);
	const struct sampler_record record = {
		.kind = SAMPLER_RECORD_MAP,
		.pid = reading->session->pid,
		.tid = reading->session->pid,
		.time_ns = reading->time_ns,
		.map = *map,
	};

	if (known && known->start == map->start && known->end == map->start + map->size_bytes)
		return 0;
	reading->n_new++;
	sigprof_records_queue(reading->records, &record);
	return know_mapping(reading->session, map);
}

/*
 * What the program could not or did not tell: its own mappings of code, and JITs'.  How many were
 * new.
 */
static size_t read_maps(struct sigprof_records *records, struct sigprof_session *session,
			uint64_t time_ns)
{
	struct maps_reading reading = { .records = records,
					.session = session,
					.time_ns = time_ns };

	session->maps_read_ns = records->now_ns;
	(void)proc_files_visit_maps(session->pid, queue_mapping, &reading);
	return reading.n_new;
}

/* Not again and again. */
static void read_maps_at_times(struct sigprof_records *records, struct sigprof_session *session,
			       uint64_t time_ns)
{
	if (!session->is_over && records->now_ns - session->maps_read_ns >= MAPS_INTERVAL_NS)
		(void)read_maps(records, session, time_ns);
}

/* Most stacks that are cut have another reason, and more of them will come. */
void sigprof_records_cut(struct sigprof_records *records)
{
	struct sigprof_session *session = records->sampled;

	if (!session || session->is_over ||
	    records->now_ns - session->maps_read_ns < session->maps_wait_ns)
		return;
	if (read_maps(records, session, records->sampled_ns) || !session->maps_wait_ns)
		session->maps_wait_ns = MAPS_INTERVAL_NS;
	else if (session->maps_wait_ns < MAPS_MAX_INTERVAL_NS)
		session->maps_wait_ns *= 2;
}

static void count_sample(struct sigprof_records *records, const struct sigprof_source *source,
			 uint64_t weight_ns)
{
	records->n_samples++;
	if (source->trigger != SIGPROF_TRIGGER_TIMER)
		return;
	records->n_coarse++;
	records->coarse_ns += weight_ns;
}

static void take_sample(struct sigprof_records *records, struct sigprof_source *source,
			struct sampler_record *record)
{
	struct sigprof_session *session = source->session;
	uint64_t cpu_ns;
	uint64_t waited_ns;

	sigprof_decode_sample(record, &cpu_ns, &waited_ns, records->bytes, source->next.size_bytes);
	if (record->kind != SAMPLER_RECORD_SAMPLE)
		return;
	record->sample.pid = record->pid;
	record->sample.tid = record->tid;
	record->sample.weight_ns = take_cpu_time(records, source, cpu_ns);
	end_long_wait(records, source, record->time_ns);
	if (records->with_waits)
		account_rest(records, source, record->time_ns, record->sample.weight_ns, waited_ns);
	/* Ticks in the kernel did not come: what it used is not the program's. */
	if (source->trigger == SIGPROF_TRIGGER_PERF_USER &&
	    record->sample.weight_ns > records->period_ns)
		record->sample.weight_ns = records->period_ns;
	count_sample(records, source, record->sample.weight_ns);
	if (!address_space_find(&session->known, registers_pc(&record->sample.registers)))
		read_maps_at_times(records, session, record->time_ns);
	records->sampled = session;
	records->sampled_ns = record->time_ns;
}

/* It comes at the end: where it was, and that it was there. */
static void take_wait(struct sigprof_records *records, struct sigprof_source *source,
		      struct sampler_record *record)
{
	const uint64_t time_ns = record->time_ns;
	struct sigprof_wait wait;

	sigprof_decode_wait(record, &wait, records->bytes, source->next.size_bytes);
	if (record->kind != SAMPLER_RECORD_SWITCH_STACK)
		return;
	if (source->wait_sequence != wait.sequence) {
		end_long_wait(records, source, time_ns);
		record->sample.pid = record->pid;
		record->sample.tid = record->tid;
		record->sample.time_ns = time_ns > wait.untold_ns ? time_ns - wait.untold_ns : 0;
		record->time_ns = record->sample.time_ns;
		sigprof_records_queue(records, record);
		queue_switch(records, source, SAMPLER_RECORD_SWITCH_OUT, record->time_ns);
	}
	source->wait_sequence = 0;
	*record = (struct sampler_record){ .kind = SAMPLER_RECORD_SWITCH_IN,
					   .pid = record->pid,
					   .tid = record->tid,
					   .time_ns = time_ns };
}

bool sigprof_records_look(struct sigprof_records *records, struct sigprof_source *source,
			  size_t stack_bytes, struct sampler_record *stack,
			  struct sampler_record *leave)
{
	const uint32_t pid = source->session->pid;
	uint32_t sequence;
	uint64_t start_ns;

	if (!source->is_alive ||
	    !sigprof_wait_is_long(source->ring.slot, records->now_ns - LONG_WAIT_NS, &sequence) ||
	    sequence == source->wait_sequence)
		return false;
	*stack = (struct sampler_record){ .kind = SAMPLER_RECORD_SWITCH_STACK,
					  .pid = pid,
					  .tid = source->tid };
	if (!sigprof_wait_look(source->ring.slot, sequence, pid, &stack->sample, records->bytes,
			       stack_bytes, &start_ns))
		return false;
	/* Nobody waits in the future, nor since before what is known. */
	if (start_ns > records->now_ns || start_ns < source->accounted_ns)
		start_ns = source->accounted_ns;
	stack->time_ns = stack->sample.time_ns = start_ns;
	stack->sample.pid = pid;
	stack->sample.tid = source->tid;
	*leave = (struct sampler_record){ .kind = SAMPLER_RECORD_SWITCH_OUT,
					  .pid = pid,
					  .tid = source->tid,
					  .time_ns = start_ns };
	source->wait_sequence = sequence;
	return true;
}

void sigprof_records_take(struct sigprof_records *records, struct sigprof_source *source,
			  struct sampler_record *record)
{
	struct sigprof_session *session = source->session;

	records->sampled = NULL;
	sigprof_ring_take(&source->ring, &source->next, records->bytes);
	*record = (struct sampler_record){ .kind = SAMPLER_RECORD_OTHER,
					   .pid = session->pid,
					   .tid = source->tid,
					   .time_ns = source->next.time_ns };
	/* Nothing can be said of a thread that did not start. */
	if (!source->tid && source->next.kind != SIGPROF_RECORD_START) {
		record->kind = SAMPLER_RECORD_BAD;
		return;
	}
	switch (source->next.kind) {
	case SIGPROF_RECORD_START:
	case SIGPROF_RECORD_END:
	case SIGPROF_RECORD_COMM:
		take_thread(records, source, record);
		break;
	case SIGPROF_RECORD_SAMPLE:
		take_sample(records, source, record);
		break;
	case SIGPROF_RECORD_WAIT:
		take_wait(records, source, record);
		break;
	case SIGPROF_RECORD_MAP:
		sigprof_decode_map(record, records->bytes, source->next.size_bytes);
		if (record->kind == SAMPLER_RECORD_MAP && know_mapping(session, &record->map) < 0)
			records->n_bad++;
		break;
	case SIGPROF_RECORD_MAPS_CHANGED:
		read_maps_at_times(records, session, record->time_ns);
		break;
	default:
		record->kind = SAMPLER_RECORD_BAD;
		break;
	}
}

/* The end of a process is the end of all its threads, its main one last. */
void sigprof_records_exit(struct sigprof_records *records, struct sigprof_session *session)
{
	struct sampler_record record = { .kind = SAMPLER_RECORD_EXIT,
					 .pid = session->pid,
					 .time_ns = records->now_ns };

	for (size_t i = 0; i < session->n_memories; i++) {
		const struct sigprof_session_memory *memory = &session->memories[i];

		for (uint32_t j = 0; j < memory->memory.n_slots; j++) {
			end_long_wait(records, &memory->sources[j], records->now_ns);
			record.tid = memory->sources[j].tid;
			if (memory->sources[j].is_alive && record.tid != session->pid)
				sigprof_records_queue(records, &record);
		}
	}
	record.tid = session->pid;
	sigprof_records_queue(records, &record);
}
