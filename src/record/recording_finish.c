/* After the last sample: names, quality, and the profile under its own name. */
#include "record/recording.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "symbol/symbolizer.h"

static int resolve_symbols(struct recording *recording, struct error *err)
{
	const struct unwind_images images = module_table_images(&recording->intake.modules);
	struct symbolizer_jit *jit = NULL;
	struct symbolizer_remarks remarks = { 0 };
	int r;

	/* Readers name what has no frames. */
	if (recording->options->without_symbols)
		return 0;
	r = intake_end(&recording->intake, err);
	if (r < 0)
		return r;
	jit = intake_jit(&recording->intake);
	if (!jit)
		return error_set_no_memory(err);
	r = symbolizer_run(
		recording->profile, images.images,
		&(struct symbolizer_options){
			.debug_images = (struct elf_image *const *)recording->intake.modules.debugs,
			.jit = jit,
			.remarks = &remarks,
		},
		err);
	free(jit);
	recording->result->has_hidden_kernel = remarks.has_hidden_kernel;
	recording->result->n_limited_programs = jit_table_n_limited(&recording->intake.jit);
	if (r == 0)
		recording->profile->info.is_symbolized = true;
	return r;
}

/*
 * getrusage knows of processes that somebody waited for.  Where others made the
 * difference, the sampler's own count is nearer to the truth, but for what was stolen.
 */
static uint64_t target_cpu_ns(const struct recording *recording)
{
	const uint64_t waited_ns = recording->target.end.cpu_ns;
	const uint64_t counted_ns = recording->counted_ns;
	const uint64_t other_ns = counted_ns > waited_ns ? counted_ns - waited_ns : 0;

	if (other_ns <= waited_ns / 20 ||
	    (waited_ns && other_ns <= stolen_time_limit_ns(&recording->stolen)))
		return waited_ns;
	return counted_ns - recording->stolen.taken_ns;
}

static void set_quality(struct recording *recording, uint64_t recorder_cpu_ns)
{
	const struct target *target = &recording->target;
	struct profile *profile = recording->profile;

	profile->quality.n_lost = sampler_n_lost(recording->sampler);
	profile->quality.target_cpu_ns = target_cpu_ns(recording);
	profile->quality.recorder_cpu_ns = recorder_cpu_ns;
	profile->info.exit_status = target->end.exit_status;
	intake_finish_quality(&recording->intake);
}

int recording_finish_file(struct recording *recording, struct error *err)
{
	const uint64_t recorder_cpu_ns = recording_clock_ns(CLOCK_PROCESS_CPUTIME_ID) -
					 recording->own_cpu_ns;
	struct profile_writer *writer = recording->writer;
	struct stat status;
	int r;

	recording->profile->info.duration_ns = recording_clock_ns(CLOCK_MONOTONIC) -
					       recording->profile->info.start_ns;
	r = profile_writer_flush(writer, err);
	if (r == 0)
		r = resolve_symbols(recording, err);
	if (r == 0)
		r = profile_writer_fit(writer, err);
	if (r < 0)
		return r;
	recording->result->dropped_until_ns = recording->intake.forgotten_until_ns;
	recording->result->was_never_sampling = !recording->control.has_resumed;
	set_quality(recording, recorder_cpu_ns);
	recording->writer = NULL;
	r = profile_writer_finish(writer, err);
	if (r == 0 && stat(recording->options->output_path, &status) == 0)
		recording->result->file_bytes = (uint64_t)status.st_size;
	return r;
}
