/*
 * Who marks, when to look again, and the order of it all; what records mean is
 * the reader's, what becomes of them the store's.
 */
#include "record/marks_intake.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

/*
 * The sampler's records arrive this much later than marks: until then neither is
 * a new thread's name known, nor is an ended one asked about for the last time.
 */
#define HOLD_NS (5 * NS_PER_MS)
#define SHORTEST_INTERVAL_NS NS_PER_MS
/* The loop turns as often by itself. */
#define LONGEST_INTERVAL_NS (50 * NS_PER_MS)
/* Data comes right behind its milestone. */
#define MILESTONE_WAIT_NS (20 * NS_PER_MS)

enum {
	MAX_PROGRAMS = 10000,
	FULL_SHARE = 8, /* rings are drained before an eighth is in use, where that can be had */
	UNSETTLED_SHARE = 4, /* with a quarter in use it is taken whosever it is */
	MAX_EVENTS = 16,
};

int marks_intake_init(struct marks_intake *marks, struct profile *profile,
		      struct process_table *processes, const struct marks_store_options *options,
		      struct error *err)
{
	*marks = MARKS_INTAKE_INIT;
	marks_store_init(&marks->store, profile, processes, options);
	return mark_reader_init(&marks->reader, &marks->store) < 0 ? error_set_no_memory(err) : 0;
}

static void threads_forget(struct marks_intake *marks, uint64_t ended_before_ns)
{
	struct mark_thread **at = &marks->ended;

	while (*at) {
		struct mark_thread *thread = *at;

		if (thread->ended_ns < ended_before_ns) {
			*at = thread->next_ended;
			mark_thread_free(thread);
		} else {
			at = &thread->next_ended;
		}
	}
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void marks_intake_release(struct marks_intake *marks)
{
	while (marks->first) {
		struct mark_program *program = marks->first;

		marks->first = program->next;
		for (size_t i = 0; i < program->n_segments; i++)
			for (uint32_t j = 0; j < program->segments[i].n_used; j++)
				if (program->segments[i].rings[j].thread)
					mark_thread_free(program->segments[i].rings[j].thread);
		mark_program_free(program);
	}
	threads_forget(marks, UINT64_MAX);
	mark_reader_release(&marks->reader);
	marks_store_release(&marks->store);
	marks_socket_close(&marks->socket);
	close_fd(marks->epoll_fd);
	close_fd(marks->timer_fd);
	*marks = MARKS_INTAKE_INIT;
}

static int watch_fd(struct marks_intake *marks, int fd, struct mark_program *program)
{
	struct epoll_event interest = { .events = EPOLLIN, .data.ptr = program };

	return epoll_ctl(marks->epoll_fd, EPOLL_CTL_ADD, fd, &interest) < 0 ? -errno : 0;
}

int marks_intake_listen(struct marks_intake *marks, struct error *err)
{
	int r = marks_socket_open(&marks->socket, MARKS_INTAKE_RING_BYTES, err);

	if (r < 0)
		return r;
	marks->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	marks->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (marks->epoll_fd < 0 || marks->timer_fd < 0)
		return error_set_errno(err, -errno, "epoll");
	r = watch_fd(marks, marks_socket_fd(&marks->socket), NULL);
	if (r == 0)
		r = watch_fd(marks, marks->timer_fd, NULL);
	return r < 0 ? error_set_errno(err, r, "epoll") : 0;
}

static struct mark_program *program_get(struct marks_intake *marks, uint32_t pid, uint64_t session)
{
	struct mark_program **at = &marks->first;

	for (; *at; at = &(*at)->next)
		if ((*at)->session == session && (*at)->pid == pid && !(*at)->has_ended)
			return *at;
	if (marks->n_programs >= MAX_PROGRAMS)
		return NULL;
	*at = mark_program_new(session, pid);
	if (!*at)
		return NULL;
	marks->n_programs++;
	if ((*at)->pid_fd >= 0 && marks->epoll_fd >= 0)
		(void)watch_fd(marks, (*at)->pid_fd, *at);
	return *at;
}

/* It cannot come from before the recording, nor from the future. */
static uint64_t credible_time(const struct marks_intake *marks, uint64_t time_ns)
{
	const uint64_t start_ns = marks->store.profile->info.start_ns;

	if (time_ns > marks->reader.limit_ns)
		return marks->reader.limit_ns;
	return time_ns < start_ns ? start_ns : time_ns;
}

static void program_ends(struct marks_intake *marks, struct mark_program *program, uint64_t end_ns)
{
	if (program->has_ended)
		return;
	program->has_ended = true;
	program->end_ns = end_ns;
	program->noticed_ns = marks->reader.limit_ns;
	marks->n_ended++;
}

int marks_intake_add(struct marks_intake *marks, uint32_t pid, uint64_t session, uint64_t time_ns,
		     struct marks_memory *memory)
{
	struct mark_program *program = program_get(marks, pid, session);
	int r;

	if (!program) {
		marks_memory_unmap(memory);
		return -ENOSPC;
	}
	if (!program->n_segments)
		program->start_ns = credible_time(marks, time_ns);
	if (marks->is_stopped)
		marks_memory_stop(memory);
	if (memory->ring_bytes > marks->ring_bytes)
		marks->ring_bytes = memory->ring_bytes;
	marks->interval_ns = SHORTEST_INTERVAL_NS;
	r = mark_program_add(program, memory);
	/* It may be gone by now. */
	if (program->pid_fd < 0)
		program_ends(marks, program, marks->reader.limit_ns);
	return r;
}

static bool take_milestone(struct marks_intake *marks, const struct marks_message *message)
{
	const struct mark_site_text text = {
		.name = message->name,
		.name_bytes = message->name_bytes,
		.kind = MARK_MILESTONE,
		.source = MARK_SOURCE_COMMAND,
	};
	const struct mark_text data = { message->data, message->data_bytes };
	struct milestone milestone = { .time_ns = credible_time(marks, message->time_ns),
				       .thread = MARK_NO_THREAD };
	int r = mark_sites_get(&marks->store.sites, &milestone.site, &text);

	if (r == 0)
		r = marks_store_milestone(&marks->store, &milestone, data);
	if (r < 0)
		marks->failure = r;
	return r == 0;
}

static bool take_message(void *context, const struct marks_message *message)
{
	struct marks_intake *marks = context;
	struct marks_memory memory;

	if (message->kind == MARKS_HELLO_MILESTONE)
		return take_milestone(marks, message);
	if (message->kind == MARKS_HELLO_REQUEST)
		return marks->requests &&
		       requests_add(marks->requests, message->request, message->fd);
	return marks_memory_map(&memory, message->fd, message->n_slots, message->ring_bytes,
				NULL) == 0 &&
	       marks_intake_add(marks, message->pid, message->session, message->time_ns, &memory) ==
		       0;
}

/* Who says hello, who has ended; the timer has done its work by waking the loop. */
static void look_at_events(struct marks_intake *marks)
{
	struct epoll_event events[MAX_EVENTS];
	uint64_t n_expired;
	const int n_events = epoll_wait(marks->epoll_fd, events, MAX_EVENTS, 0);

	(void)!read(marks->timer_fd, &n_expired, sizeof(n_expired));
	for (int i = 0; i < n_events; i++) {
		struct mark_program *program = events[i].data.ptr;

		if (!program)
			continue;
		program_ends(marks, program, marks->reader.limit_ns);
		(void)close(program->pid_fd);
		program->pid_fd = -1;
	}
	marks_socket_update(&marks->socket, take_message, marks);
}

/* Somebody has begun to write there. */
static void see_ring(struct marks_intake *marks, struct mark_ring *ring)
{
	if (ring->thread || ring->seen_ns || ring->ring.head == ring->ring.tail)
		return;
	ring->seen_ns = marks->reader.limit_ns;
	ring->tid = mark_program_tid(ring->program, marks_ring_tid(&ring->ring));
	marks->n_unsettled++;
}

/* Returns whether something is in its rings. */
static bool look_at_program(struct marks_intake *marks, struct mark_program *program)
{
	bool has_marks = false;

	for (size_t i = 0; i < program->n_segments; i++) {
		struct mark_segment *segment = &program->segments[i];

		while (segment->n_used < segment->memory.n_slots &&
		       !marks_ring_is_free(&segment->rings[segment->n_used].ring))
			segment->n_used++;
		for (uint32_t j = 0; j < segment->n_used; j++) {
			marks_ring_refresh(&segment->rings[j].ring);
			see_ring(marks, &segment->rings[j]);
			has_marks |= segment->rings[j].ring.head != segment->rings[j].ring.tail;
		}
	}
	return has_marks;
}

void marks_intake_look(struct marks_intake *marks, uint64_t sampled_ns, bool is_readable)
{
	marks->sampled_ns = sampled_ns;
	if (!marks->first && !is_readable)
		return;
	mark_reader_set_time(&marks->reader);
	if (is_readable && marks->epoll_fd >= 0)
		look_at_events(marks);
	for (struct mark_program *program = marks->first; program; program = program->next)
		(void)look_at_program(marks, program);
}

static int settle_ring(struct marks_intake *marks, struct mark_ring *ring)
{
	marks->n_unsettled--;
	ring->seen_ns = 0;
	return mark_reader_settle(&marks->reader, ring);
}

/* A sample of a thread that marks for the first time: by now it has its name. */
static int settle_thread(struct marks_intake *marks, const struct live_thread *live)
{
	int r = 0;

	for (struct mark_program *program = marks->first; r == 0 && program;
	     program = program->next) {
		if (program->pid != live->process->pid)
			continue;
		for (size_t i = 0; i < program->n_segments; i++) {
			struct mark_segment *segment = &program->segments[i];

			for (uint32_t j = 0; r == 0 && j < segment->n_used; j++)
				if (segment->rings[j].seen_ns && segment->rings[j].tid == live->tid)
					r = settle_ring(marks, &segment->rings[j]);
		}
	}
	return r;
}

void marks_intake_advance(struct marks_intake *marks, struct live_thread *live, uint64_t time_ns)
{
	int r = marks->n_unsettled ? settle_thread(marks, live) : 0;

	for (struct mark_thread *thread = live->marks; r == 0 && thread; thread = thread->next)
		if (thread->ring)
			r = mark_reader_advance(&marks->reader, thread->ring, time_ns);
	if (r < 0)
		marks->failure = r;
}

uint32_t marks_intake_scope(struct marks_intake *marks, struct live_thread *live, uint64_t time_ns)
{
	uint32_t scope = 0;
	bool is_late = false;

	marks->store.horizon_ns = time_ns > HOLD_NS ? time_ns - HOLD_NS : 0;
	marks_intake_advance(marks, live, time_ns);
	for (struct mark_thread *thread = live->marks; thread; thread = thread->next) {
		uint32_t node;

		is_late |= !mark_thread_scope(thread, time_ns, &node);
		scope = scope ? scope : node;
	}
	marks->store.profile->marks.quality.n_late_samples += is_late;
	return live->marks ? scope : live->inherited_scope;
}

static int end_thread(struct marks_intake *marks, struct mark_ring *ring, uint64_t end_ns)
{
	struct mark_thread *thread = ring->thread;

	ring->thread = NULL;
	if (!thread)
		return 0;
	thread->ring = NULL;
	thread->ended_ns = marks->reader.limit_ns;
	thread->next_ended = marks->ended;
	marks->ended = thread;
	return mark_thread_finish(thread, &marks->store, end_ns);
}

/* Has the sampler told all that happened until then? */
static bool is_told(const struct marks_intake *marks, uint64_t time_ns)
{
	return marks->sampled_ns >= time_ns + HOLD_NS;
}

static bool is_due(const struct marks_intake *marks, const struct mark_ring *ring, bool is_final)
{
	const uint64_t used = ring->ring.head - ring->ring.tail;
	/* Many threads have a part of their rings each, see lib/marks_places.c. */
	const uint64_t most = ring->ring.data_bytes / UNSETTLED_SHARE /
			      (marks->n_unsettled ? marks->n_unsettled : 1);

	return is_final || is_told(marks, ring->seen_ns) || used > most;
}

static int drain_ring(struct marks_intake *marks, struct mark_ring *ring, bool is_final)
{
	struct mark_thread *thread;
	int r = 0;

	if (ring->ring.head - ring->ring.tail > marks->most_bytes)
		marks->most_bytes = ring->ring.head - ring->ring.tail;
	if (ring->seen_ns && is_due(marks, ring, is_final))
		r = settle_ring(marks, ring);
	thread = ring->thread;
	if (r < 0 || ring->seen_ns)
		return r;
	if (thread) {
		r = mark_reader_drain(&marks->reader, ring);
		if (r == 0 && thread->has_milestone &&
		    marks->reader.limit_ns - thread->milestone.time_ns > MILESTONE_WAIT_NS)
			r = mark_thread_settle(thread, &marks->store);
	}
	if (r == 0 && marks_ring_recycle(&ring->ring))
		r = end_thread(marks, ring, marks->reader.limit_ns);
	return r;
}

static int drain_program(struct marks_intake *marks, struct mark_program *program, bool is_final)
{
	int r = 0;

	/* Marks went on while other programs' were taken: they are not from the future. */
	if (look_at_program(marks, program))
		mark_reader_set_time(&marks->reader);
	for (size_t i = 0; r == 0 && i < program->n_segments; i++)
		for (uint32_t j = 0; r == 0 && j < program->segments[i].n_used; j++)
			r = drain_ring(marks, &program->segments[i].rings[j], is_final);
	return r;
}

/* Its threads are at their end, and what they left open stays so. */
static int finish_program(struct marks_intake *marks, struct mark_program *program)
{
	int r = drain_program(marks, program, true);

	mark_program_count(program, &marks->store.profile->marks.quality);
	for (size_t i = 0; r == 0 && i < program->n_segments; i++)
		for (uint32_t j = 0; r == 0 && j < program->segments[i].n_used; j++)
			r = end_thread(marks, &program->segments[i].rings[j], program->end_ns);
	return r;
}

void marks_intake_exec(struct marks_intake *marks, uint32_t pid, uint64_t time_ns)
{
	for (struct mark_program *program = marks->first; program; program = program->next) {
		int r;

		if (program->pid != pid || program->has_ended || program->start_ns >= time_ns)
			continue;
		program_ends(marks, program, time_ns);
		r = finish_program(marks, program);
		if (r < 0)
			marks->failure = r;
	}
}

/* Programs that have ended, once nothing more is asked about them. */
static int remove_programs(struct marks_intake *marks, bool is_final)
{
	struct mark_program **at = &marks->first;
	int r = 0;

	while (r == 0 && *at) {
		struct mark_program *program = *at;

		if (is_final)
			program_ends(marks, program, marks->reader.limit_ns);
		if (!program->has_ended || (!is_final && !is_told(marks, program->noticed_ns))) {
			at = &program->next;
			continue;
		}
		r = finish_program(marks, program);
		*at = program->next;
		mark_program_free(program);
		marks->n_programs--;
		marks->n_ended--;
	}
	return r;
}

/*
 * Until a ring would have an eighth in use if marks go on to come as they did;
 * but not much longer than the last time, because they come in bursts.
 */
static uint64_t next_interval_ns(const struct marks_intake *marks, uint64_t since_ns)
{
	const uint64_t wanted_bytes = marks->ring_bytes / FULL_SHARE;
	uint64_t interval_ns = marks->interval_ns ? 2 * marks->interval_ns : LONGEST_INTERVAL_NS;

	if (marks->n_unsettled || marks->n_ended || marks->ended)
		return HOLD_NS;
	if (marks->most_bytes && interval_ns > since_ns * wanted_bytes / marks->most_bytes)
		interval_ns = since_ns * wanted_bytes / marks->most_bytes;
	if (interval_ns >= LONGEST_INTERVAL_NS)
		return 0;
	return interval_ns < SHORTEST_INTERVAL_NS ? SHORTEST_INTERVAL_NS : interval_ns;
}

static void set_timer(struct marks_intake *marks)
{
	const uint64_t now_ns = marks->reader.limit_ns;
	struct itimerspec times = { 0 };

	marks->interval_ns = next_interval_ns(marks, now_ns - marks->drained_ns);
	marks->drained_ns = now_ns;
	times.it_value.tv_nsec = (long)marks->interval_ns;
	if (marks->timer_fd >= 0 && marks->interval_ns)
		(void)timerfd_settime(marks->timer_fd, 0, &times, NULL);
}

int marks_intake_drain(struct marks_intake *marks, bool is_final)
{
	const uint64_t horizon_ns = marks->sampled_ns > HOLD_NS ? marks->sampled_ns - HOLD_NS : 0;
	int r = marks->failure;

	if (!marks->first && !marks->ended)
		return is_final && r == 0 ? marks_store_finish(&marks->store) : r;
	mark_reader_set_time(&marks->reader);
	marks->store.horizon_ns = horizon_ns;
	marks->most_bytes = 0;
	for (struct mark_program *program = marks->first; r == 0 && program;
	     program = program->next)
		r = drain_program(marks, program, is_final);
	if (r == 0)
		r = remove_programs(marks, is_final);
	threads_forget(marks, horizon_ns);
	set_timer(marks);
	return r < 0 || !is_final ? r : marks_store_finish(&marks->store);
}

void marks_intake_stop(struct marks_intake *marks)
{
	marks->is_stopped = true;
	for (struct mark_program *program = marks->first; program; program = program->next)
		mark_program_stop(program);
}
