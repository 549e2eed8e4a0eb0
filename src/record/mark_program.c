/* The kernel says which process it is; all else the program says. */
#include "record/mark_program.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/array.h"
#include "os/proc_tasks.h"

struct mark_program *mark_program_new(uint64_t session, uint32_t pid)
{
	struct mark_program *program = calloc(1, sizeof(*program));

	if (!program)
		return NULL;
	program->session = session;
	program->pid = pid;
	program->pid_fd = (int)syscall(SYS_pidfd_open, (long)pid, 0L);
	if (proc_tasks_read_inner_tid(&program->inner_pid, pid, pid) < 0)
		program->inner_pid = pid;
	return program;
}

void mark_program_free(struct mark_program *program)
{
	for (size_t i = 0; i < program->n_segments; i++) {
		marks_memory_unmap(&program->segments[i].memory);
		free(program->segments[i].rings);
	}
	free(program->segments);
	if (program->pid_fd >= 0)
		(void)close(program->pid_fd);
	free(program);
}

int mark_program_add(struct mark_program *program, struct marks_memory *memory)
{
	struct mark_segment segment = {
		.memory = *memory,
		.rings = calloc(memory->n_slots, sizeof(*segment.rings)),
	};
	struct mark_segment *grown = NULL;
	int r = program->n_segments >= MARK_PROGRAM_MAX_SEGMENTS ? -ENOSPC : -ENOMEM;

	*memory = (struct marks_memory){ 0 };
	if (segment.rings && r == -ENOMEM)
		grown = array_grown(program->segments, &program->capacity, program->n_segments + 1,
				    sizeof(*grown));
	if (!grown) {
		marks_memory_unmap(&segment.memory);
		free(segment.rings);
		return r;
	}
	for (uint32_t i = 0; i < segment.memory.n_slots; i++) {
		marks_ring_init(&segment.rings[i].ring, &segment.memory, i);
		segment.rings[i].program = program;
		segment.rings[i].segment = (uint32_t)program->n_segments;
	}
	program->segments = grown;
	grown[program->n_segments++] = segment;
	return 0;
}

void mark_program_stop(struct mark_program *program)
{
	for (size_t i = 0; i < program->n_segments; i++)
		marks_memory_stop(&program->segments[i].memory);
}

void mark_program_count(struct mark_program *program, struct marks_quality *quality)
{
	for (size_t i = 0; i < program->n_segments; i++) {
		struct mark_segment *segment = &program->segments[i];
		const struct marks_status status = marks_memory_status(&segment->memory);
		const uint64_t n_own = MARKS_MAX_SITES - MARKS_OTHER_SITES;
		const uint64_t n_dropped = status.n_sites > n_own ? status.n_sites - n_own : 0;

		quality->n_homeless += status.n_homeless - segment->n_homeless;
		segment->n_homeless = status.n_homeless;
		if (n_dropped > program->n_sites_dropped) {
			quality->n_sites_dropped += n_dropped - program->n_sites_dropped;
			program->n_sites_dropped = n_dropped;
		}
	}
}

struct tid_search {
	const struct mark_program *program;
	uint32_t inner_tid;
	uint32_t tid;
};

static int compare_tid(void *context, uint32_t tid)
{
	struct tid_search *search = context;
	uint32_t inner_tid;

	if (proc_tasks_read_inner_tid(&inner_tid, search->program->pid, tid) == 0 &&
	    inner_tid == search->inner_tid)
		search->tid = tid;
	return 0;
}

uint32_t mark_program_tid(const struct mark_program *program, uint32_t inner_tid)
{
	struct tid_search search = { .program = program, .inner_tid = inner_tid };

	if (inner_tid == program->inner_pid)
		return program->pid;
	if (program->pid == program->inner_pid)
		return inner_tid;
	(void)proc_tasks_visit_threads(program->pid, compare_tid, &search);
	return search.tid ? search.tid : MARK_PROGRAM_NO_THREAD | (program->pid << 12 ^ inner_tid);
}
