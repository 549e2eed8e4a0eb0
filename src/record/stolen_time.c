/* Two passes over what a batch has: the sums of each process, then its samples. */
#include "record/stolen_time.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/units.h"
#include "os/cpu_clocks.h"

/* A clock is behind by the time since the kernel's last tick on each CPU, and HZ is 100 at least.
 */
#define CLOCK_LAG_NS (10 * NS_PER_MS)

void stolen_time_init(struct stolen_time *stolen, struct profile *profile, uint64_t period_ns,
		      bool is_attached)
{
	*stolen = (struct stolen_time){
		.profile = profile,
		.period_ns = period_ns,
		.read_process = cpu_clocks_read_process,
		.read_stolen = cpu_clocks_stolen_ns,
		.start_stolen_ns = cpu_clocks_stolen_ns(),
		.may_have_run = is_attached,
	};
}

void stolen_time_release(struct stolen_time *stolen)
{
	free(stolen->processes);
	free(stolen->in_batch);
	hash_index_release(&stolen->index);
	*stolen = (struct stolen_time){ 0 };
}

void stolen_time_restart(struct stolen_time *stolen)
{
	stolen->n_processes = 0;
	hash_index_clear(&stolen->index);
	stolen->may_have_run = true;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

uint64_t stolen_time_limit_ns(const struct stolen_time *stolen)
{
	return stolen->profile ? difference(stolen->read_stolen(), stolen->start_stolen_ns) : 0;
}

static struct stolen_process *find_process(struct stolen_time *stolen, uint32_t pid)
{
	struct hash_cursor cursor = hash_index_cursor(&stolen->index, hash_u64(pid));
	struct stolen_process *grown;
	uint32_t at;

	while ((at = hash_index_next(&stolen->index, &cursor)) != HASH_INDEX_NONE)
		if (stolen->processes[at].pid == pid)
			return &stolen->processes[at];
	grown = array_grown(stolen->processes, &stolen->capacity, stolen->n_processes + 1,
			    sizeof(*grown));
	if (!grown)
		return NULL;
	stolen->processes = grown;
	if (hash_index_add(&stolen->index, hash_u64(pid), (uint32_t)stolen->n_processes) < 0)
		return NULL;
	grown[stolen->n_processes] = (struct stolen_process){ .pid = pid };
	return &grown[stolen->n_processes++];
}

int stolen_time_note_end(struct stolen_time *stolen, uint32_t pid, uint64_t cpu_ns)
{
	struct stolen_process *process = find_process(stolen, pid);

	if (!process)
		return -ENOMEM;
	process->end_ns = cpu_ns;
	return 0;
}

static bool is_measured(const struct sample *sample)
{
	return !sample_is_wait(sample) && sample->end != STACK_NOT_SAMPLED;
}

static uint64_t late_ns(const struct stolen_time *stolen, const struct sample *sample)
{
	return difference(sample->weight_ns, stolen->period_ns);
}

static uint32_t pid_of(const struct stolen_time *stolen, const struct sample *sample)
{
	return stolen->profile->threads[sample->thread].pid;
}

static int join_batch(struct stolen_time *stolen, const struct stolen_process *process)
{
	uint32_t *grown = array_grown(stolen->in_batch, &stolen->in_batch_capacity,
				      stolen->n_in_batch + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	stolen->in_batch = grown;
	grown[stolen->n_in_batch++] = (uint32_t)(process - stolen->processes);
	return 0;
}

static int add_up(struct stolen_time *stolen)
{
	const struct profile *profile = stolen->profile;
	struct stolen_process *process = NULL;

	stolen->n_in_batch = 0;
	for (size_t i = 0; i < profile->n_samples; i++) {
		const struct sample *sample = &profile->samples[i];
		const uint32_t pid = pid_of(stolen, sample);

		if (!is_measured(sample) || !sample->weight_ns)
			continue;
		if (!process || process->pid != pid)
			process = find_process(stolen, pid);
		if (!process || (!process->batch.weight_ns && join_batch(stolen, process) < 0))
			return -ENOMEM;
		process->batch.weight_ns += sample->weight_ns;
		process->batch.late_ns += late_ns(stolen, sample);
		process->batch.cpus |= UINT64_C(1) << sample->cpu % 64;
	}
	return 0;
}

/* The CPU time since sampling began; UINT64_MAX: not known. */
static uint64_t read_clock(const struct stolen_time *stolen, struct stolen_process *process)
{
	uint64_t now_ns = process->end_ns;

	if (!now_ns && stolen->read_process(&now_ns, process->pid) < 0)
		return UINT64_MAX;
	/* Another process has the number by now. */
	if (now_ns < process->clock_ns) {
		process->base_ns = 0;
		process->weight_ns = 0;
	}
	process->clock_ns = now_ns;
	if (!process->has_base && stolen->may_have_run && now_ns > process->batch.weight_ns)
		process->base_ns = now_ns - process->batch.weight_ns;
	process->has_base = true;
	return difference(now_ns, process->base_ns);
}

/*
 * What its samples weigh too much, at most `limit_ns`.  Of what came in time at most half
 * is taken at once: clocks are read after the samples, so that earlier ones may have been
 * left too much.  Returns the sum of both parts.
 */
static uint64_t plan_process(struct stolen_process *process, uint64_t limit_ns)
{
	struct stolen_batch *batch = &process->batch;
	const uint64_t clock_ns = batch->clock_ns;
	const uint64_t in_time_ns = batch->weight_ns - batch->late_ns;
	const uint64_t all_ns = process->weight_ns + batch->weight_ns;
	const uint64_t lag_ns =
		process->end_ns ? 0 : CLOCK_LAG_NS * (uint64_t)__builtin_popcountll(batch->cpus);
	uint64_t late_ns = smaller(batch->late_ns, limit_ns);
	uint64_t rest_ns = 0;

	if (clock_ns != UINT64_MAX) {
		late_ns = smaller(late_ns, difference(all_ns, clock_ns));
		rest_ns = difference(all_ns - late_ns, clock_ns + lag_ns);
		rest_ns = smaller(smaller(rest_ns, in_time_ns / 2), limit_ns - late_ns);
	}
	batch->from_late = late_ns ? (double)late_ns / (double)batch->late_ns : 0;
	batch->from_rest = rest_ns ? (double)rest_ns / (double)(batch->weight_ns - late_ns) : 0;
	return late_ns + rest_ns;
}

/* Whether there is anything to take off. */
static bool plan(struct stolen_time *stolen)
{
	uint64_t left_ns = 0;
	bool is_read = false;
	bool has_any = false;

	for (size_t i = 0; i < stolen->n_in_batch; i++) {
		struct stolen_process *process = &stolen->processes[stolen->in_batch[i]];
		uint64_t taken_ns;

		process->batch.clock_ns = read_clock(stolen, process);
		taken_ns = plan_process(process, UINT64_MAX);
		/* Read only where something is too much, which is not the rule. */
		if (taken_ns && !is_read) {
			left_ns = difference(stolen_time_limit_ns(stolen), stolen->taken_ns);
			is_read = true;
		}
		if (taken_ns > left_ns)
			taken_ns = plan_process(process, left_ns);
		left_ns -= taken_ns;
		has_any |= taken_ns > 0;
	}
	return has_any;
}

/* The ticks that it stands for are those of its weight. */
static void cut_weight(const struct stolen_time *stolen, struct sample *sample, uint64_t cut_ns)
{
	uint64_t n_ticks = sample->count;

	sample->weight_ns -= cut_ns;
	if (stolen->period_ns)
		n_ticks = (sample->weight_ns + stolen->period_ns / 2) / stolen->period_ns;
	if (n_ticks < sample->count)
		sample->count = n_ticks ? n_ticks : 1;
}

/*
 * Where waiting is recorded, the life of a thread is what it ran and what it waited: its
 * stack had no CPU.  Less than a period waits for the next of the process.
 */
static int add_preempted(struct stolen_time *stolen, struct stolen_process *process,
			 const struct sample *of, uint64_t cut_ns)
{
	struct quality *quality = &stolen->profile->quality;
	struct sample sample = *of;

	process->preempted_ns += cut_ns;
	if (!stolen->with_waits || !cut_ns || process->preempted_ns < stolen->period_ns)
		return 0;
	sample.state = SAMPLE_PREEMPTED;
	sample.weight_ns = process->preempted_ns;
	sample.count = stolen->period_ns ? sample.weight_ns / stolen->period_ns : 1;
	sample.time_ns = difference(sample.time_ns, sample.weight_ns);
	process->preempted_ns = 0;
	quality->n_waits++;
	quality->waited_ns += sample.weight_ns;
	if (sample.end != STACK_COMPLETE && sample.end != STACK_KERNEL_ONLY) {
		quality->n_waits_bare++;
		quality->waited_bare_ns += sample.weight_ns;
	}
	return profile_add_sample(stolen->profile, &sample);
}

static int take_off(struct stolen_time *stolen)
{
	struct profile *profile = stolen->profile;
	const size_t n_samples = profile->n_samples;
	struct stolen_process *process = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_samples; i++) {
		struct sample *sample = &profile->samples[i];
		const uint32_t pid = pid_of(stolen, sample);
		uint64_t cut_ns;

		if (!is_measured(sample) || !sample->weight_ns)
			continue;
		if (!process || process->pid != pid)
			process = find_process(stolen, pid);
		if (!process)
			return -ENOMEM;
		cut_ns = (uint64_t)((double)late_ns(stolen, sample) * process->batch.from_late);
		cut_ns +=
			(uint64_t)((double)(sample->weight_ns - cut_ns) * process->batch.from_rest);
		cut_weight(stolen, sample, cut_ns);
		process->batch.weight_ns -= cut_ns;
		stolen->taken_ns += cut_ns;
		profile->quality.sampled_ns -= cut_ns;
		profile->quality.stolen_ns += cut_ns;
		r = add_preempted(stolen, process, sample, cut_ns);
	}
	return r;
}

int stolen_time_take(struct stolen_time *stolen)
{
	int r = stolen->profile ? add_up(stolen) : 0;

	if (r == 0 && stolen->profile && plan(stolen))
		r = take_off(stolen);
	for (size_t i = 0; i < stolen->n_in_batch; i++) {
		struct stolen_process *process = &stolen->processes[stolen->in_batch[i]];

		process->weight_ns += process->batch.weight_ns;
		process->batch = (struct stolen_batch){ 0 };
	}
	stolen->n_in_batch = 0;
	return r;
}
