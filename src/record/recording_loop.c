/*
 * The one event loop: sleep until a ring fills, a signal comes or it is time to
 * write, then take in what is there.
 */
#include "record/recording.h"

#include <assert.h>
#include <poll.h>
#include <string.h>

#include "base/units.h"
#include "lib/marks_hello_wire.h"

#define FLUSH_INTERVAL_NS (100 * NS_PER_MS)
#define PROGRESS_INTERVAL_NS (250 * NS_PER_MS)
#define SAMPLES_INTERVAL_NS (500 * NS_PER_MS)

enum { POLL_INTERVAL_MS = 100, POLL_FIRST_MS = 10, AGE_PER_INTERVAL = 4 };

void recording_add_source(struct recording *recording, const struct recording_source *source)
{
	assert(recording->n_sources < RECORDING_MAX_SOURCES);
	recording->sources[recording->n_sources++] = *source;
}

/* What cannot be written is not sampled either, but the command goes on. */
static int fail_recording(struct recording *recording, int code)
{
	recording->is_failed = true;
	marks_intake_stop(&recording->marks);
	if (recording->sampler)
		sampler_stop(recording->sampler);
	return code;
}

static int flush_if_due(struct recording *recording, struct error *err)
{
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);
	int r;

	if (now - recording->flushed_ns < FLUSH_INTERVAL_NS)
		return 0;
	recording->flushed_ns = now;
	r = stolen_time_take(&recording->stolen) < 0 ? error_set_no_memory(err)
						     : profile_writer_flush(recording->writer, err);
	return r < 0 ? fail_recording(recording, r) : 0;
}

/* An engine that cannot pause is ignored instead. */
static bool is_dropped(const struct recording *recording)
{
	return recording->control.is_paused && !recording->sampler->engine->pause &&
	       recording->record.kind == SAMPLER_RECORD_SAMPLE;
}

/* Other unwinders may read more than their walks show. */
static void tell_walk(struct recording *recording)
{
	const struct sampler_engine *engine = recording->sampler->engine;
	const struct stack *stack = recording->intake.stack;

	if (engine->walked && recording->record.kind == SAMPLER_RECORD_SAMPLE &&
	    recording->intake.backend == &unwind_backend_cfi)
		engine->walked(recording->sampler, stack->end == STACK_COMPLETE,
			       stack->needed_stack_bytes);
}

static int take_batch(struct recording *recording, struct error *err)
{
	uint64_t n_taken = 0;
	int r = 0;

	while (r == 0 && sampler_next(recording->sampler, &recording->record)) {
		if (is_dropped(recording))
			continue;
		r = intake_record(&recording->intake, &recording->record, err);
		if (r < 0)
			return fail_recording(recording, r);
		tell_walk(recording);
		if (++n_taken % 1024 == 0)
			r = flush_if_due(recording, err);
	}
	return r;
}

static void tell_progress(struct recording *recording)
{
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);
	struct recorder_progress progress;

	if (!recording->options->progress || now - recording->progressed_ns < PROGRESS_INTERVAL_NS)
		return;
	recording->progressed_ns = now;
	progress = (struct recorder_progress){
		.is_paused = recording->control.is_paused,
		.elapsed_ns = now - recording->profile->info.start_ns,
		.n_samples = recording->profile->quality.n_samples,
		.n_lost = sampler_n_lost(recording->sampler),
		.file_bytes = profile_writer_size_bytes(recording->writer),
	};
	recording->options->progress(recording->options->progress_context, &progress);
}

/*
 * A thread's first tick comes a whole period after its start, so threads that
 * end before have no sample, and the others none for their last moments.  The
 * events count all of it, also for children left behind; getrusage knows the
 * last steps of each exit, after the events are gone.  Time in the kernel that
 * may not be sampled is no part of the profile.
 */
static int take_rest(struct recording *recording, struct error *err)
{
	const struct target *target = &recording->target;
	const bool is_waited_for = target->has_ended && !recording->control.was_paused;
	const uint64_t stolen_ns = is_waited_for && target->end.cpu_ns
					   ? stolen_time_limit_ns(&recording->stolen)
					   : recording->stolen.taken_ns;
	uint64_t cpu_ns = recording->counted_ns;

	/* Nothing knows how much of that is of the time that was left out. */
	if (recording->options->max_file_bytes ||
	    (recording->control.was_paused && !recording->sampler->engine->pause))
		return 0;
	if (!recording->result->sampler.has_kernel_time || !cpu_ns)
		return 0;
	/* Events count on while a hypervisor has the CPU. */
	cpu_ns -= stolen_ns < cpu_ns ? stolen_ns : cpu_ns;
	if (is_waited_for && cpu_ns < target->end.cpu_ns)
		cpu_ns = target->end.cpu_ns;
	return intake_add_not_sampled(&recording->intake, recording->only_pid, cpu_ns, err);
}

static int take_sources(struct recording *recording, bool is_final, struct error *err)
{
	struct recording_turn turn = {
		.now_ns = recording_clock_ns(CLOCK_MONOTONIC),
		.is_paused = recording->control.is_paused,
		.is_final = is_final,
		.is_over = recording->is_failed || !recording->sampler,
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < recording->n_sources; i++) {
		struct recording_source *source = &recording->sources[i];

		turn.is_ready = source->is_ready;
		source->is_ready = false;
		r = source->take(source->context, &turn, err);
	}
	return r < 0 ? fail_recording(recording, r) : 0;
}

/*
 * Samples are asked for before marks, and looked at after: whatever a thread
 * marked before it was sampled is there then.
 */
static int take_all(struct recording *recording, bool is_final, struct error *err)
{
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);
	int r;

	if (recording->is_failed)
		return take_sources(recording, is_final, err);
	recording->taken_ns = now;
	recording->has_samples = false;
	sampler_begin(recording->sampler, is_final);
	marks_intake_look(&recording->marks, now, recording->has_marks);
	recording->has_marks = false;
	r = take_sources(recording, is_final, err);
	if (r == 0)
		r = take_batch(recording, err);
	if (r == 0 && is_final)
		r = intake_finish_probes(&recording->intake, recording_clock_ns(CLOCK_MONOTONIC),
					 err);
	if (r == 0 && marks_intake_drain(&recording->marks, is_final) < 0)
		r = fail_recording(recording, error_set_no_memory(err));
	return r < 0 ? r : flush_if_due(recording, err);
}

static void set_paused(struct recording *recording, bool is_paused)
{
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);

	if (is_paused)
		sampler_pause(recording->sampler);
	else
		sampler_resume(recording->sampler);
	stolen_time_restart(&recording->stolen);
	intake_set_paused(&recording->intake, is_paused, now);
	marks_store_set_paused(&recording->marks.store, is_paused, now);
}

/* What came until now belongs to the state before. */
static int toggle(struct recording *recording, struct error *err)
{
	int r;

	if (!recording->sampler)
		return 0;
	r = take_all(recording, false, err);
	control_toggle(&recording->control, recording_clock_ns(CLOCK_MONOTONIC));
	set_paused(recording, recording->control.is_paused);
	return r;
}

static int handle_signals(struct recording *recording, struct error *err)
{
	struct signal_message message;
	int r = 0;

	while (signal_inbox_next(&recording->signals, &message)) {
		if (message.number == SIGCHLD)
			continue;
		else if (message.number == SIGUSR2)
			r = r < 0 ? r : toggle(recording, err);
		else if (!recording->options->target.argv)
			recording->is_stopped = true;
		else if (!message.is_from_terminal)
			child_signal(&recording->target.child, message.number);
	}
	return r;
}

/* The program waits, so that what it does next is treated as it asked. */
static int meet_requests(struct recording *recording, struct error *err)
{
	uint32_t what;
	int reply_fd;
	int r = 0;

	while (r == 0 && requests_next(&recording->requests, &what, &reply_fd)) {
		if (what == MARKS_REQUEST_STOP)
			recording->is_stopped = true;
		else if (recording->control.is_paused != (what == MARKS_REQUEST_PAUSE))
			r = toggle(recording, err);
		if (reply_fd >= 0)
			marks_reply(reply_fd, r == 0);
	}
	return r;
}

/* The first failure is kept, and a command waited for. */
static bool is_over(struct recording *recording)
{
	if (target_has_ended(&recording->target) || recording->is_stopped)
		return true;
	if (recording->is_failed)
		return !recording->options->target.argv;
	return control_is_over(&recording->control, recording_clock_ns(CLOCK_MONOTONIC));
}

/*
 * A recording that has just begun looks often: from the first walks the sampler learns where
 * stacks end.
 */
static uint64_t young_interval_ns(const struct recording *recording, uint64_t now, uint64_t most_ns)
{
	const uint64_t age_ns = now - recording->profile->info.start_ns;
	const uint64_t interval_ns = POLL_FIRST_MS * NS_PER_MS + age_ns / AGE_PER_INTERVAL;

	return interval_ns < most_ns ? interval_ns : most_ns;
}

static int poll_timeout_ms(const struct recording *recording)
{
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);

	if (recording->is_failed || !recording->sampler)
		return POLL_INTERVAL_MS;
	return control_timeout_ms(
		&recording->control, now,
		(int)(young_interval_ns(recording, now, POLL_INTERVAL_MS * NS_PER_MS) / NS_PER_MS));
}

static void wait_a_while(struct recording *recording)
{
	static const struct timespec lag = { .tv_nsec = SAMPLER_LAG_NS };
	struct pollfd fds[RECORDING_MAX_SOURCES + 4];
	struct pollfd *fd = fds;
	const bool has_sampler = recording->sampler && !recording->is_failed;

	for (size_t i = 0; i < recording->n_sources; i++)
		*fd++ = (struct pollfd){ .fd = recording->sources[i].fd, .events = POLLIN };
	*fd++ = (struct pollfd){ .fd = recording->marks.epoll_fd, .events = POLLIN };
	*fd++ = (struct pollfd){ .fd = recording->signals.fd, .events = POLLIN };
	*fd++ = (struct pollfd){ .fd = target_fd(&recording->target), .events = POLLIN };
	if (has_sampler)
		*fd++ = (struct pollfd){ .fd = sampler_fd(recording->sampler), .events = POLLIN };
	(void)poll(fds, (nfds_t)(fd - fds), poll_timeout_ms(recording));
	for (size_t i = 0; i < recording->n_sources; i++)
		recording->sources[i].is_ready = fds[i].revents != 0;
	recording->has_marks = fds[recording->n_sources].revents != 0;
	recording->has_samples = has_sampler && fd[-1].revents != 0;
	if (recording->has_samples && recording->sampler->engine->is_hurried &&
	    recording->sampler->engine->is_hurried(recording->sampler))
		(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &lag, NULL);
}

/*
 * Caches are cold when the recorder wakes, and until they are warm it has taken 0.7 ms more:
 * samples wait for each other, as long as nothing else depends on them.  What processes start
 * and map is looked at while it is there.
 */
static bool is_time_for_samples(const struct recording *recording)
{
	const struct sampler *sampler = recording->sampler;
	const uint64_t now = recording_clock_ns(CLOCK_MONOTONIC);
	const uint64_t usual_ns = recording->options->progress ? PROGRESS_INTERVAL_NS
							       : SAMPLES_INTERVAL_NS;
	/* Half of what a young one polls for, so that each of its turns is one for samples. */
	const uint64_t interval_ns = young_interval_ns(recording, now, 2 * usual_ns) / 2;

	return !sampler || !sampler->engine->can_wait || recording->has_samples ||
	       recording->has_marks || recording->marks.first ||
	       now - recording->taken_ns >= interval_ns || !sampler->engine->can_wait(sampler);
}

static int take_turn(struct recording *recording, struct error *err)
{
	int r = handle_signals(recording, err);

	if (r == 0)
		r = is_time_for_samples(recording) ? take_all(recording, false, err)
						   : take_sources(recording, false, err);
	if (r == 0)
		r = meet_requests(recording, err);
	if (control_resume_if_due(&recording->control, recording_clock_ns(CLOCK_MONOTONIC)))
		set_paused(recording, false);
	return r;
}

/* The command cannot be asked for its clock any more. */
static int correct_last(struct recording *recording)
{
	const struct child_end *end = &recording->target.end;
	int r = 0;

	if (recording->target.has_ended && end->own_cpu_ns && !recording->control.was_paused)
		r = stolen_time_note_end(&recording->stolen, recording->only_pid, end->own_cpu_ns);
	return r < 0 ? r : stolen_time_take(&recording->stolen);
}

static int finish_taking(struct recording *recording, struct error *err)
{
	const uint64_t stopped_ns = recording_clock_ns(CLOCK_MONOTONIC);
	int r;

	recording->has_marks = true;
	r = take_all(recording, true, err);
	if (r == 0 && !recording->is_failed && correct_last(recording) < 0)
		r = error_set_no_memory(err);
	if (r == 0 && !recording->is_failed)
		r = intake_finish_waits(&recording->intake, stopped_ns, err);
	if (r == 0 && !recording->is_failed)
		r = take_rest(recording, err);
	return r;
}

/* The first failure is what is told. */
int recording_loop(struct recording *recording, struct error *err)
{
	int r = 0;

	do {
		int turned;

		wait_a_while(recording);
		scheduling_look(&recording->scheduling);
		turned = take_turn(recording, r < 0 ? NULL : err);
		r = r < 0 ? r : turned;
		tell_progress(recording);
	} while (!is_over(recording));
	sampler_stop(recording->sampler);
	marks_intake_stop(&recording->marks);
	recording->counted_ns = sampler_counted_ns(recording->sampler);
	if (r == 0)
		r = finish_taking(recording, err);
	return r;
}

void recording_wait_for_command(struct recording *recording)
{
	sampler_close(recording->sampler);
	recording->sampler = NULL;
	while (recording->options->target.argv && !target_has_ended(&recording->target)) {
		wait_a_while(recording);
		(void)handle_signals(recording, NULL);
		(void)take_sources(recording, false, NULL);
	}
}
