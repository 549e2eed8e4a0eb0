/*
 * The one event loop: sleep until a ring fills, a signal comes or it is time to
 * write, then take in what is there.
 */
#include "record/recorder.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/units.h"
#include "os/child.h"
#include "profile/profile_writer.h"
#include "record/intake.h"
#include "record/run_info.h"
#include "symbol/symbolizer.h"

#define FLUSH_INTERVAL_NS (100 * NS_PER_MS)
#define PROGRESS_INTERVAL_NS (250 * NS_PER_MS)

enum { POLL_INTERVAL_MS = 100 };

struct recorder {
	const struct recorder_options *options;
	struct recorder_result *result;
	struct profile *profile;
	struct child child;
	struct child_end end;
	struct sampler *sampler;
	struct profile_writer *writer; /* NULL after a failure to write */
	struct intake intake;
	struct sampler_record record;
	uint64_t flushed_ns;
	uint64_t progressed_ns;
	uint64_t own_cpu_ns; /* at the start */
	bool is_failed;	     /* nothing more can be recorded */
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

static int take_batch(struct recorder *recorder, bool is_final, struct error *err)
{
	uint64_t n_taken = 0;
	int r = 0;

	if (recorder->is_failed)
		return 0;
	sampler_begin(recorder->sampler, is_final);
	while (r == 0 && sampler_next(recorder->sampler, &recorder->record)) {
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
static int take_rest(struct recorder *recorder, uint32_t pid, struct error *err)
{
	uint64_t cpu_ns = sampler_counted_ns(recorder->sampler);

	if (!recorder->result->sampler.has_kernel || !cpu_ns)
		return 0;
	if (cpu_ns < recorder->end.cpu_ns)
		cpu_ns = recorder->end.cpu_ns;
	return intake_add_not_sampled(&recorder->intake, pid, cpu_ns, err);
}

/* Until the command ends.  The first failure is kept, and the command waited for. */
static int record_until_end(struct recorder *recorder, struct error *err)
{
	struct pollfd fds[] = {
		{ .fd = recorder->child.signal_fd, .events = POLLIN },
		{ .fd = sampler_fd(recorder->sampler), .events = POLLIN },
	};
	const uint32_t pid = (uint32_t)recorder->child.pid;
	int r = 0;

	for (;;) {
		(void)poll(fds, recorder->is_failed ? 1 : 2, POLL_INTERVAL_MS);
		child_handle_signals(&recorder->child);
		if (r == 0)
			r = take_batch(recorder, false, err);
		tell_progress(recorder);
		if (child_reap(&recorder->child, false, &recorder->end))
			break;
	}
	sampler_stop(recorder->sampler);
	if (r == 0)
		r = take_batch(recorder, true, err);
	if (r == 0 && !recorder->is_failed)
		r = take_rest(recorder, pid, err);
	return r;
}

static int resolve_symbols(struct recorder *recorder, struct error *err)
{
	const struct unwind_images images = module_table_images(&recorder->intake.modules);
	const struct symbolizer_options options = { 0 };
	int r;

	if (recorder->options->without_symbols)
		return symbolizer_name_unresolved(recorder->profile, err);
	r = symbolizer_run(recorder->profile, images.images, &options, err);
	if (r == 0)
		recorder->profile->info.is_symbolized = true;
	return r;
}

static void set_quality(struct recorder *recorder, uint64_t recorder_cpu_ns)
{
	struct profile *profile = recorder->profile;

	profile->quality.n_lost = sampler_n_lost(recorder->sampler);
	profile->quality.target_cpu_ns = recorder->end.cpu_ns;
	profile->quality.recorder_cpu_ns = recorder_cpu_ns;
	profile->info.exit_status = recorder->end.exit_status;
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
	if (r < 0)
		return r;
	set_quality(recorder, recorder_cpu_ns);
	recorder->writer = NULL;
	r = profile_writer_finish(writer, err);
	if (r == 0 && stat(recorder->options->output_path, &status) == 0)
		recorder->result->file_bytes = (uint64_t)status.st_size;
	return r;
}

/* Everything that can go wrong before the command runs its first instruction. */
static int start(struct recorder *recorder, struct error *err)
{
	const struct recorder_options *options = recorder->options;
	const struct sampler_options sampler_options = {
		.event = options->event,
		.rate_hz = options->rate_hz,
		.stack_bytes = options->stack_bytes,
	};
	int r = sampler_open(options->engine, &recorder->sampler, &sampler_options, err);

	if (r == 0)
		r = profile_writer_open(&recorder->writer, options->output_path, recorder->profile,
					err);
	if (r == 0)
		r = child_prepare(&recorder->child, options->argv,
				  sampler_environment(recorder->sampler), err);
	if (r == 0)
		r = sampler_watch(recorder->sampler, recorder->child.pid, err);
	if (r < 0)
		return r;
	recorder->result->sampler = recorder->sampler->facts;
	r = intake_init(&recorder->intake, recorder->profile, options->unwinder,
			recorder->result->sampler.period_ns ? recorder->result->sampler.period_ns
							    : NS_PER_S / options->rate_hz,
			err);
	if (r == 0)
		r = run_info_fill(recorder->profile, options, &recorder->result->sampler, err);
	if (r < 0)
		return r;
	recorder->own_cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID);
	recorder->flushed_ns = recorder->progressed_ns = recorder->profile->info.start_ns;
	r = child_start(&recorder->child, err);
	if (r < 0)
		recorder->result->exit_status = child_exec_status(r);
	else
		recorder->result->has_started = true;
	return r < 0 ? error_prefix(err, "%s", options->argv[0]) : 0;
}

int recorder_run(struct profile *profile, struct recorder_result *result,
		 const struct recorder_options *options, struct error *err)
{
	struct recorder recorder = {
		.options = options, .result = result, .profile = profile, .child = CHILD_INIT
	};
	int r;

	*result = (struct recorder_result){ 0 };
	r = start(&recorder, err);
	if (r == 0) {
		r = record_until_end(&recorder, err);
		result->has_ended = true;
		result->exit_status = recorder.end.exit_status;
		result->n_unreadable_modules = recorder.intake.modules.n_unreadable;
		result->statement = intake_statement(&recorder.intake);
		if (r == 0)
			r = finish_file(&recorder, err);
	}
	/* After a failure what was recorded stays beside the name it should have got. */
	if (recorder.writer)
		profile_writer_abandon(recorder.writer, !result->has_started);
	intake_release(&recorder.intake);
	sampler_close(recorder.sampler);
	child_release(&recorder.child);
	return r;
}
