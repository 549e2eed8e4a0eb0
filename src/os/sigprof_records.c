/* From what a sampled program wrote to what a sampler says; see sigprof_records.h. */
#include "os/sigprof_records.h"

#include "base/units.h"
#include "os/proc_files.h"
#include "os/sigprof_decode.h"

#define MAPS_INTERVAL_NS (5 * NS_PER_MS)

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
};

static int queue_mapping(void *context, const struct sampler_mapping *map)
{
	const struct maps_reading *reading = context;
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
	sigprof_records_queue(reading->records, &record);
	return know_mapping(reading->session, map);
}

/* What the program could not or did not tell: its own mappings of code, and JITs'. */
static void read_maps(struct sigprof_records *records, struct sigprof_session *session,
		      uint64_t time_ns)
{
	struct maps_reading reading = { .records = records,
					.session = session,
					.time_ns = time_ns };

	if (session->is_over || records->now_ns - session->maps_read_ns < MAPS_INTERVAL_NS)
		return;
	session->maps_read_ns = records->now_ns;
	(void)proc_files_visit_maps(session->pid, queue_mapping, &reading);
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

	sigprof_decode_sample(record, &cpu_ns, records->bytes, source->next.size_bytes);
	if (record->kind != SAMPLER_RECORD_SAMPLE)
		return;
	record->sample.pid = record->pid;
	record->sample.tid = record->tid;
	record->sample.weight_ns = take_cpu_time(records, source, cpu_ns);
	/* Ticks in the kernel did not come: what it used is not the program's. */
	if (source->trigger == SIGPROF_TRIGGER_PERF_USER &&
	    record->sample.weight_ns > records->period_ns)
		record->sample.weight_ns = records->period_ns;
	count_sample(records, source, record->sample.weight_ns);
	if (!address_space_find(&session->known, registers_pc(&record->sample.registers)))
		read_maps(records, session, record->time_ns);
}

void sigprof_records_take(struct sigprof_records *records, struct sigprof_source *source,
			  struct sampler_record *record)
{
	struct sigprof_session *session = source->session;

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
	case SIGPROF_RECORD_MAP:
		sigprof_decode_map(record, records->bytes, source->next.size_bytes);
		if (record->kind == SAMPLER_RECORD_MAP && know_mapping(session, &record->map) < 0)
			records->n_bad++;
		break;
	case SIGPROF_RECORD_MAPS_CHANGED:
		read_maps(records, session, record->time_ns);
		break;
	default:
		record->kind = SAMPLER_RECORD_BAD;
		break;
	}
}

/* The end of a process is the end of all its threads, its main one last. */
void sigprof_records_exit(struct sigprof_records *records, const struct sigprof_session *session)
{
	struct sampler_record record = { .kind = SAMPLER_RECORD_EXIT,
					 .pid = session->pid,
					 .time_ns = records->now_ns };

	for (size_t i = 0; i < session->n_memories; i++) {
		const struct sigprof_session_memory *memory = &session->memories[i];

		for (uint32_t j = 0; j < memory->memory.n_slots; j++) {
			record.tid = memory->sources[j].tid;
			if (memory->sources[j].is_alive && record.tid != session->pid)
				sigprof_records_queue(records, &record);
		}
	}
	record.tid = session->pid;
	sigprof_records_queue(records, &record);
}
