/*
 * The one event loop: sleep until a ring fills, a signal comes or it is time to
 * write, then take in what is there.
 */
#include "record/recorder.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/units.h"
#include "os/signal_inbox.h"
#include "profile/profile_writer.h"
#include "record/control.h"
#include "record/intake.h"
#include "record/run_info.h"
#include "record/target.h"
#include "symbol/symbolizer.h"

#define FLUSH_INTERVAL_NS (100 * NS_PER_MS)
#define PROGRESS_INTERVAL_NS (250 * NS_PER_MS)

enum { POLL_INTERVAL_MS = 100 };

struct recorder {
	const struct recorder_options *options;
	struct recorder_result *result;
	struct profile *profile;
	struct signal_inbox signals;
	struct target target;
	struct control control;
	struct sampler *sampler;
	struct profile_writer *writer; /* NULL after a failure to write */
	struct intake intake;
	struct sampler_record record;
	uint64_t flushed_ns;
	uint64_t progressed_ns;
	uint64_t own_cpu_ns; /* at the start */
	uint64_t counted_ns; /* CPU time of the target, at the end */
	uint32_t only_pid;   /* of the command or the one process attached to; else 0 */
	bool is_failed;	     /* nothing more can be recorded */
	bool is_stopped;     /* by a signal */
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* What cannot be written is not sampled either, but the command goes on. */
static int fail_recording(struct recorder *recorder, int code)
{
	recorder->is_failed = true;
	sampler_stop(recorder->sampler);
	return code;
}

static int flush_if_due(struct recorder *recorder, struct error *err)
{
	const uint64_t now = now_ns(CLOCK_MONOTONIC);
	int r;

	if (now - recorder->flushed_ns < FLUSH_INTERVAL_NS)
		return 0;
	recorder->flushed_ns = now;
	r = profile_writer_flush(recorder->writer, err);
	return r < 0 ? fail_recording(recorder, r) : 0;
}

/* An engine that cannot pause is ignored instead. */
static bool is_dropped(const struct recorder *recorder)
{
	return recorder->control.is_paused && !recorder->sampler->engine->pause &&
	       recorder->record.kind == SAMPLER_RECORD_SAMPLE;
}

static int take_batch(struct recorder *recorder, bool is_final, struct error *err)
{
	uint64_t n_taken = 0;
	int r = 0;

	if (recorder->is_failed)
		return 0;
	sampler_begin(recorder->sampler, is_final);
	while (r == 0 && sampler_next(recorder->sampler, &recorder->record)) {
		if (is_dropped(recorder))
			continue;
		r = intake_record(&recorder->intake, &recorder->record, err);
		if (r < 0)
			return fail_recording(recorder, r);
		if (++n_taken % 1024 == 0)
			r = flush_if_due(recorder, err);
	}
	return r < 0 ? r : flush_if_due(recorder, err);
}

static void tell_progress(struct recorder *recorder)
{
	const uint64_t now = now_ns(CLOCK_MONOTONIC);
	struct recorder_progress progress;

	if (!recorder->options->progress || now - recorder->progressed_ns < PROGRESS_INTERVAL_NS)
		return;
	recorder->progressed_ns = now;
	progress = (struct recorder_progress){
		.is_paused = recorder->control.is_paused,
		.elapsed_ns = now - recorder->profile->info.start_ns,
		.n_samples = recorder->profile->quality.n_samples,
		.n_lost = sampler_n_lost(recorder->sampler),
		.file_bytes = profile_writer_size_bytes(recorder->writer),
	};
	recorder->options->progress(recorder->options->progress_context, &progress);
}

/*
 * A thread's first tick comes a whole period after its start, so threads that
 * end before have no sample, and the others none for their last moments.  The
 * events count all of it, also for children left behind; getrusage knows the
 * last steps of each exit, after the events are gone.  Time in the kernel that
 * may not be sampled is no part of the profile.
 */
static int take_rest(struct recorder *recorder, struct error *err)
{
	const struct target *target = &recorder->target;
	uint64_t cpu_ns = recorder->counted_ns;

	/* Nothing knows how much of that is of the time that was left out. */
	if (recorder->options->max_file_bytes ||
	    (recorder->control.was_paused && !recorder->sampler->engine->pause))
		return 0;
	if (!recorder->result->sampler.has_kernel_time || !cpu_ns)
		return 0;
	if (target->has_ended && !recorder->control.was_paused && cpu_ns < target->end.cpu_ns)
		cpu_ns = target->end.cpu_ns;
	return intake_add_not_sampled(&recorder->intake, recorder->only_pid, cpu_ns, err);
}

static void set_paused(struct recorder *recorder, bool is_paused)
{
	if (is_paused)
		sampler_pause(recorder->sampler);
	else
		sampler_resume(recorder->sampler);
	intake_set_paused(&recorder->intake, is_paused, now_ns(CLOCK_MONOTONIC));
}

static void handle_signals(struct recorder *recorder)
{
	struct signal_message message;

	while (signal_inbox_next(&recorder->signals, &message)) {
		if (message.number == SIGCHLD) {
			continue;
		} else if (message.number == SIGUSR2) {
			if (!recorder->sampler)
				continue;
			control_toggle(&recorder->control, now_ns(CLOCK_MONOTONIC));
			set_paused(recorder, recorder->control.is_paused);
		} else if (!recorder->options->target.argv) {
			recorder->is_stopped = true;
		} else if (!message.is_from_terminal) {
			child_signal(&recorder->target.child, message.number);
		}
	}
}

/* The first failure is kept, and a command waited for. */
static bool is_over(struct recorder *recorder)
{
	if (target_has_ended(&recorder->target) || recorder->is_stopped)
		return true;
	if (recorder->is_failed)
		return !recorder->options->target.argv;
	return control_is_over(&recorder->control, now_ns(CLOCK_MONOTONIC));
}

static void wait_a_while(struct recorder *recorder)
{
	struct pollfd fds[] = {
		{ .fd = recorder->signals.fd, .events = POLLIN },
		{ .fd = target_fd(&recorder->target), .events = POLLIN },
		{ .fd = sampler_fd(recorder->sampler), .events = POLLIN },
	};

	(void)poll(fds, recorder->is_failed ? 2 : 3,
		   control_timeout_ms(&recorder->control, now_ns(CLOCK_MONOTONIC),
				      POLL_INTERVAL_MS));
}

static int record_until_end(struct recorder *recorder, struct error *err)
{
	uint64_t stopped_ns;
	int r = 0;

	for (;;) {
		wait_a_while(recorder);
		handle_signals(recorder);
		if (control_resume_if_due(&recorder->control, now_ns(CLOCK_MONOTONIC)))
			set_paused(recorder, false);
		if (r == 0)
			r = take_batch(recorder, false, err);
		tell_progress(recorder);
		if (is_over(recorder))
			break;
	}
	sampler_stop(recorder->sampler);
	recorder->counted_ns = sampler_counted_ns(recorder->sampler);
	stopped_ns = now_ns(CLOCK_MONOTONIC);
	if (r == 0)
		r = take_batch(recorder, true, err);
	if (r == 0 && !recorder->is_failed)
		r = intake_finish_waits(&recorder->intake, stopped_ns, err);
	if (r == 0 && !recorder->is_failed)
		r = take_rest(recorder, err);
	return r;
}

/* Its profile is written, the command goes on; nothing of ours stays with it. */
static void wait_for_command(struct recorder *recorder)
{
	struct pollfd fd = { .fd = recorder->signals.fd, .events = POLLIN };

	sampler_close(recorder->sampler);
	recorder->sampler = NULL;
	while (recorder->options->target.argv && !target_has_ended(&recorder->target)) {
		(void)poll(&fd, 1, POLL_INTERVAL_MS);
		handle_signals(recorder);
	}
}

static int resolve_symbols(struct recorder *recorder, struct error *err)
{
	const struct unwind_images images = module_table_images(&recorder->intake.modules);
	struct symbolizer_jit *jit = NULL;
	struct symbolizer_remarks remarks = { 0 };
	int r;

	if (recorder->options->without_symbols)
		return symbolizer_name_unresolved(recorder->profile, err);
	r = intake_end(&recorder->intake, err);
	if (r < 0)
		return r;
	jit = intake_jit(&recorder->intake);
	if (!jit)
		return error_set_no_memory(err);
	r = symbolizer_run(
		recorder->profile, images.images,
		&(struct symbolizer_options){
			.debug_images = (struct elf_image *const *)recorder->intake.modules.debugs,
			.jit = jit,
			.remarks = &remarks,
		},
		err);
	free(jit);
	recorder->result->has_hidden_kernel = remarks.has_hidden_kernel;
	recorder->result->n_limited_programs = jit_table_n_limited(&recorder->intake.jit);
	if (r == 0)
		recorder->profile->info.is_symbolized = true;
	return r;
}

static void set_quality(struct recorder *recorder, uint64_t recorder_cpu_ns)
{
	const struct target *target = &recorder->target;
	struct profile *profile = recorder->profile;

	profile->quality.n_lost = sampler_n_lost(recorder->sampler);
	profile->quality.target_cpu_ns = target->end.cpu_ns ? target->end.cpu_ns
							    : recorder->counted_ns;
	profile->quality.recorder_cpu_ns = recorder_cpu_ns;
	profile->info.exit_status = target->end.exit_status;
	intake_finish_quality(&recorder->intake);
}

static int finish_file(struct recorder *recorder, struct error *err)
{
	const uint64_t recorder_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID) - recorder->own_cpu_ns;
	struct profile_writer *writer = recorder->writer;
	struct stat status;
	int r;

	recorder->profile->info.duration_ns = now_ns(CLOCK_MONOTONIC) -
					      recorder->profile->info.start_ns;
	r = profile_writer_flush(writer, err);
	if (r == 0)
		r = resolve_symbols(recorder, err);
	if (r == 0)
		r = profile_writer_fit(writer, err);
	if (r < 0)
		return r;
	recorder->result->dropped_until_ns = recorder->intake.forgotten_until_ns;
	recorder->result->was_never_sampling = !recorder->control.has_resumed;
	set_quality(recorder, recorder_cpu_ns);
	recorder->writer = NULL;
	r = profile_writer_finish(writer, err);
	if (r == 0 && stat(recorder->options->output_path, &status) == 0)
		recorder->result->file_bytes = (uint64_t)status.st_size;
	return r;
}

/* The events are open, and what they will tell about is known. */
static int prepare_intake(struct recorder *recorder, struct error *err)
{
	const struct recorder_options *options = recorder->options;
	const struct sampler_facts *facts = &recorder->sampler->facts;
	int r = intake_init(&recorder->intake, recorder->profile, options->unwinder,
			    facts->period_ns ? facts->period_ns
					     : NS_PER_S / options->sampler.rate_hz,
			    err);

	recorder->result->sampler = *facts;
	if (r == 0 && options->sampler.with_switches)
		r = intake_expect_switches(&recorder->intake,
					   options->sampler.kernel != SAMPLER_KERNEL_NONE, err);
	if (r == 0)
		r = target_learn(&recorder->target, &recorder->intake, err);
	if (r == 0)
		intake_look_at_waits(&recorder->intake);
	if (r == 0)
		r = run_info_fill(recorder->profile, options, facts, err);
	return r;
}

static void forget_sample(void *context, const struct sample *sample)
{
	intake_forget_sample(context, sample);
}

static int limit_file(struct recorder *recorder, struct error *err)
{
	const struct profile_limit limit = {
		.max_bytes = recorder->options->max_file_bytes,
		.dropped = forget_sample,
		.context = &recorder->intake,
	};

	return profile_writer_limit(recorder->writer, &limit, err);
}

/* Everything that can go wrong before anything is sampled, or the command runs. */
static int prepare(struct recorder *recorder, struct error *err)
{
	const struct recorder_options *options = recorder->options;
	int r = target_open(&recorder->target, &options->target, err);

	if (r == 0)
		r = sampler_open(options->engine, &recorder->sampler, &options->sampler, err);
	if (r == 0)
		r = profile_writer_open(&recorder->writer, options->output_path, recorder->profile,
					err);
	if (r == 0 && options->max_file_bytes)
		r = limit_file(recorder, err);
	if (r == 0)
		r = signal_inbox_open(&recorder->signals, err);
	if (r == 0)
		r = target_watch(&recorder->target, recorder->sampler, &recorder->signals.old_mask,
				 err);
	if (r == 0 && options->sampler.kernel == SAMPLER_KERNEL_REQUIRED &&
	    !recorder->sampler->facts.has_kernel)
		r = error_set(err, -EACCES,
			      "--kernel: the engine %s may not see time in the kernel here (as "
			      "root: sysctl kernel.perf_event_paranoid=1)",
			      options->engine->name);
	return r < 0 ? r : prepare_intake(recorder, err);
}

static int start(struct recorder *recorder, struct error *err)
{
	const uint64_t start_ns = recorder->profile->info.start_ns;
	int r;

	if (recorder->options->target.argv)
		recorder->only_pid = (uint32_t)recorder->target.child.pid;
	else if (recorder->target.processes.n_processes == 1)
		recorder->only_pid = (uint32_t)recorder->target.processes.pids[0];
	recorder->own_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	recorder->flushed_ns = recorder->progressed_ns = start_ns;
	control_start(&recorder->control, &recorder->options->control, start_ns);
	if (recorder->control.is_paused)
		intake_set_paused(&recorder->intake, true, start_ns);
	r = target_start(&recorder->target, err);
	if (r < 0) {
		recorder->result->exit_status = child_exec_status(r);
		return r;
	}
	recorder->result->has_started = true;
	if (recorder->options->sampler.is_attaching && !recorder->control.is_paused)
		sampler_resume(recorder->sampler);
	return 0;
}

static void finish(struct recorder *recorder, bool is_written)
{
	const struct recorder_options *options = recorder->options;

	if (is_written && options->written)
		options->written(options->written_context, recorder->profile, recorder->result);
	wait_for_command(recorder);
	recorder->result->has_ended = recorder->target.has_ended;
	recorder->result->exit_status = recorder->target.end.exit_status;
}

int recorder_run(struct profile *profile, struct recorder_result *result,
		 const struct recorder_options *options, struct error *err)
{
	struct recorder recorder = {
		.options = options,
		.result = result,
		.profile = profile,
		.signals = SIGNAL_INBOX_INIT,
		.target = TARGET_INIT,
	};
	int r;

	*result = (struct recorder_result){ 0 };
	r = prepare(&recorder, err);
	if (r == 0)
		r = start(&recorder, err);
	if (r == 0) {
		r = record_until_end(&recorder, err);
		result->n_unreadable_modules = recorder.intake.modules.n_unreadable;
		result->unreadable_module = recorder.intake.modules.unreadable;
		result->statement = intake_statement(&recorder.intake);
		result->remark = sampler_remark(recorder.sampler);
		/* Whoever cannot wait for the names presses Ctrl-C once more. */
		if (!options->target.argv)
			signal_inbox_close(&recorder.signals);
		if (r == 0)
			r = finish_file(&recorder, err);
		finish(&recorder, r == 0);
	}
	/* After a failure what was recorded stays beside the name it should have got. */
	if (recorder.writer)
		profile_writer_abandon(recorder.writer, !result->has_started);
	intake_release(&recorder.intake);
	sampler_close(recorder.sampler);
	target_release(&recorder.target);
	signal_inbox_close(&recorder.signals);
	return r;
}
