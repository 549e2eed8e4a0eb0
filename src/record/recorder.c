/* What has to be there before a recording runs, and what is left to do after it. */
#include "record/recorder.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "os/descriptor_limit.h"
#include "record/recording.h"
#include "record/run_info.h"

enum { MAX_VARIABLES = 7 };

/* The events are open, and what they will tell about is known. */
static int prepare_intake(struct recording *recording, struct error *err)
{
	const struct recorder_options *options = recording->options;
	const struct sampler_facts *facts = &recording->sampler->facts;
	int r = intake_init(&recording->intake, recording->profile, options->unwinder,
			    facts->period_ns ? facts->period_ns
					     : NS_PER_S / options->sampler.rate_hz,
			    err);

	recording->result->sampler = *facts;
	recording->intake.marks = &recording->marks;
	/* A sample of a whole CPU stands for all that ran there since the last one. */
	if (!options->sampler.is_system)
		stolen_time_init(&recording->stolen, recording->profile, facts->period_ns,
				 !options->target.argv);
	recording->stolen.with_waits = options->sampler.with_switches;
	if (r == 0 && options->sampler.with_switches)
		r = intake_expect_switches(&recording->intake,
					   options->sampler.kernel != SAMPLER_KERNEL_NONE, err);
	if (r == 0)
		r = intake_expect_probes(&recording->intake, options->probes, err);
	if (r == 0)
		r = target_learn(&recording->target, &recording->intake, err);
	if (r == 0)
		intake_look_at_waits(&recording->intake);
	if (r == 0)
		r = run_info_fill(recording->profile, options, facts, err);
	return r;
}

static int take_resources(void *context, const struct recording_turn *turn, struct error *err)
{
	struct recording *recording = context;

	if (turn->is_over || turn->is_paused ||
	    resources_take(&recording->resources, turn->now_ns, turn->is_final) == 0)
		return 0;
	return error_set_no_memory(err);
}

static int prepare_resources(struct recording *recording, struct error *err)
{
	int r;

	if (!recording->options->resources_hz)
		return 0;
	r = resources_open(&recording->resources, recording->profile, &recording->intake.processes,
			   recording->options->resources_hz, err);
	if (r < 0)
		return r;
	recording_add_source(recording, &(struct recording_source){
						.fd = recording->resources.fd,
						.take = take_resources,
						.context = recording,
					});
	return 0;
}

static void forget_sample(void *context, const struct sample *sample)
{
	intake_forget_sample(context, sample);
}

static int limit_file(struct recording *recording, struct error *err)
{
	const struct profile_limit limit = {
		.max_bytes = recording->options->max_file_bytes,
		.dropped = forget_sample,
		.context = &recording->intake,
	};

	return profile_writer_limit(recording->writer, &limit, err);
}

/* Who is not launched can only find us if somebody waits for that. */
static int prepare_marks(struct recording *recording, struct error *err)
{
	const struct recorder_options *options = recording->options;
	int r = marks_intake_init(&recording->marks, recording->profile,
				  &recording->intake.processes, &options->marks, err);

	recording->marks.requests = &recording->requests;
	recording->requests.may_stop = options->ready_fd >= 0;
	if (r == 0 && (options->target.argv || options->ready_fd >= 0))
		r = marks_intake_listen(&recording->marks, err);
	return r;
}

/* The command gets what its sampler and its marks need in its environment. */
static int watch_target(struct recording *recording, struct error *err)
{
	char *environment[MAX_VARIABLES + 1] = { NULL };
	char *const *of_sampler = sampler_environment(recording->sampler);
	size_t n = 0;
	int r;

	if (recording->marks.socket.environment)
		environment[n++] = recording->marks.socket.environment;
	for (; of_sampler && *of_sampler && n < MAX_VARIABLES; of_sampler++)
		environment[n++] = *of_sampler;
	r = target_watch(&recording->target, recording->sampler, environment,
			 &recording->signals.old_mask, err);
	descriptor_limit_raise();
	scheduling_raise(&recording->scheduling);
	output_tap_close_child_fds(&recording->output.tap);
	return r;
}

/* Before anything else is open that the relays would have to close. */
static int prepare_output(struct recording *recording, struct error *err)
{
	struct output_marks *output = &recording->output;
	int r = 0;

	if (recording->options->mark_output) {
		r = output_marks_open(output, &recording->marks.store,
				      recording->options->mark_output, err);
		recording->target.options.output_fds = output->tap.child_fds;
	}
	if (r == 0 && output->tap.epoll_fd >= 0)
		recording_add_source(recording,
				     &(struct recording_source){ .fd = output->tap.epoll_fd,
								 .take = output_marks_take,
								 .context = output });
	return r;
}

/* Everything that can go wrong before anything is sampled, or the command runs. */
static int prepare(struct recording *recording, struct error *err)
{
	const struct recorder_options *options = recording->options;
	int r = target_open(&recording->target, &options->target, err);

	if (r == 0)
		r = prepare_output(recording, err);
	if (r == 0)
		r = sampler_open(options->engine, &recording->sampler, &options->sampler, err);
	if (r == 0)
		r = profile_writer_open(&recording->writer, options->output_path,
					recording->profile, err);
	if (r == 0 && options->max_file_bytes)
		r = limit_file(recording, err);
	if (r == 0)
		r = signal_inbox_open(&recording->signals, err);
	if (r == 0)
		r = prepare_marks(recording, err);
	if (r == 0)
		r = watch_target(recording, err);
	if (r == 0 && options->sampler.kernel == SAMPLER_KERNEL_REQUIRED &&
	    !recording->sampler->facts.has_kernel)
		r = error_set(err, -EACCES,
			      "--kernel: the engine %s may not see time in the kernel here (as "
			      "root: sysctl kernel.perf_event_paranoid=1)",
			      options->engine->name);
	if (r == 0)
		r = prepare_intake(recording, err);
	return r < 0 ? r : prepare_resources(recording, err);
}

static int tell_ready(struct recording *recording, struct error *err)
{
	const int fd = recording->options->ready_fd;
	const char *text = recording->marks.socket.environment;

	if (fd < 0 || write(fd, text, strlen(text)) == (ssize_t)strlen(text))
		return 0;
	return error_set_errno(err, -errno, "--ready-fd");
}

static int start(struct recording *recording, struct error *err)
{
	const uint64_t start_ns = recording->profile->info.start_ns;
	int r;

	if (recording->options->target.argv)
		recording->only_pid = (uint32_t)recording->target.child.pid;
	else if (recording->target.processes.n_processes == 1)
		recording->only_pid = (uint32_t)recording->target.processes.pids[0];
	resources_watch(&recording->resources, recording->only_pid);
	recording->own_cpu_ns = recording_clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	recording->flushed_ns = recording->progressed_ns = start_ns;
	control_start(&recording->control, &recording->options->control, start_ns);
	if (recording->control.is_paused) {
		intake_set_paused(&recording->intake, true, start_ns);
		marks_store_set_paused(&recording->marks.store, true, start_ns);
	}
	r = target_start(&recording->target, err);
	if (r < 0) {
		recording->result->exit_status = child_exec_status(r);
		return r;
	}
	recording->result->has_started = true;
	if (recording->options->target.argv && recording->sampler->engine->started)
		recording->sampler->engine->started(recording->sampler,
						    recording->target.child.pid);
	if (recording->options->sampler.is_attaching && !recording->control.is_paused)
		sampler_resume(recording->sampler);
	return tell_ready(recording, err);
}

static void finish(struct recording *recording, bool is_written)
{
	const struct recorder_options *options = recording->options;

	if (is_written && options->written)
		options->written(options->written_context, recording->profile, recording->result);
	recording_wait_for_command(recording);
	recording->result->has_ended = recording->target.has_ended;
	recording->result->exit_status = recording->target.end.exit_status;
}

int recorder_run(struct profile *profile, struct recorder_result *result,
		 const struct recorder_options *options, struct error *err)
{
	struct recording recording = {
		.options = options,
		.result = result,
		.profile = profile,
		.signals = SIGNAL_INBOX_INIT,
		.target = TARGET_INIT,
		.marks = MARKS_INTAKE_INIT,
		.resources = RESOURCES_INIT,
		.output = OUTPUT_MARKS_INIT,
		.scheduling = SCHEDULING_INIT,
	};
	int r;

	*result = (struct recorder_result){ 0 };
	r = prepare(&recording, err);
	if (r == 0)
		r = start(&recording, err);
	if (r == 0) {
		r = recording_loop(&recording, err);
		scheduling_restore(&recording.scheduling);
		result->n_unreadable_modules = recording.intake.modules.n_unreadable;
		result->unreadable_module = recording.intake.modules.unreadable;
		result->statement = intake_statement(&recording.intake);
		if (recording.sampler->engine->remark)
			result->remark = recording.sampler->engine->remark(recording.sampler);
		result->n_cut_in_made_code = recording.intake.n_cut_in_made_code;
		result->n_children_left = recording.target.n_children;
		result->n_other_versions = recording.marks.socket.n_other_versions;
		marks_intake_release(&recording.marks);
		/* Whoever cannot wait for the names presses Ctrl-C once more. */
		if (!options->target.argv)
			signal_inbox_close(&recording.signals);
		if (r == 0)
			r = recording_finish_file(&recording, err);
		result->probes = probe_calls_sum_up(&recording.intake.probes, profile,
						    result->sampler.has_programs);
		finish(&recording, r == 0);
	}
	scheduling_restore(&recording.scheduling);
	requests_finish(&recording.requests, r == 0);
	/* After a failure what was recorded stays beside the name it should have got. */
	if (recording.writer)
		profile_writer_abandon(recording.writer, !result->has_started);
	marks_intake_release(&recording.marks);
	resources_close(&recording.resources);
	stolen_time_release(&recording.stolen);
	intake_release(&recording.intake);
	sampler_close(recording.sampler);
	target_release(&recording.target);
	signal_inbox_close(&recording.signals);
	output_marks_close(&recording.output);
	return r;
}
