/* The engine on this machine and this process, as far as that is permitted. */
#include "unit.h"

#include <linux/capability.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/bpf_kernel.h"
#include "os/sampler.h"

enum { RATE_HZ = 3989, ROUNDS = 40, ROUND_TURNS = 4000000, FRAME_BYTES = 16 };

struct tally {
	const uint8_t *frame; /* what is there stays the same: where it returns to, and to which */
	size_t n_samples;
	size_t n_whole;
	size_t n_wrong;	  /* whole ones that have another thread's registers or stack */
	uint64_t next_ip; /* as the sample before says; 0: it does not */
	size_t n_foretold;
	size_t n_foretold_right;
};

static bool is_right(const struct tally *tally, const struct raw_sample *sample)
{
	const uint64_t at = (uint64_t)(uintptr_t)tally->frame - registers_sp(&sample->registers);

	return sample->has_registers && sample->tid == (uint32_t)getpid() &&
	       sample->pid == (uint32_t)getpid() && at + FRAME_BYTES <= sample->stack_size_bytes &&
	       memcmp(sample->stack_bytes + at, tally->frame, FRAME_BYTES) == 0;
}

static void look_at_next(struct tally *tally, const struct raw_sample *sample)
{
	tally->n_foretold += tally->next_ip != 0;
	tally->n_foretold_right += tally->next_ip != 0 && sample->has_registers &&
				   tally->next_ip == registers_pc(&sample->registers);
	tally->next_ip = sample->next_ip ? *sample->next_ip : 0;
}

/* perf's samples have the number of a stream. */
static void take_batch(struct tally *tally, struct sampler *sampler, bool is_final)
{
	struct sampler_record record;

	sampler_begin(sampler, is_final);
	while (sampler_next(sampler, &record)) {
		const struct raw_sample *sample = &record.sample;

		if (record.kind != SAMPLER_RECORD_SAMPLE)
			continue;
		tally->n_samples++;
		look_at_next(tally, sample);
		if (!record.stream_id) {
			tally->n_whole++;
			tally->n_wrong += !is_right(tally, sample);
		}
		sampler->engine->walked(sampler, true,
					(uint64_t)(uintptr_t)tally->frame + FRAME_BYTES -
						registers_sp(&sample->registers));
	}
}

static void work(void)
{
	volatile uint32_t sink = 1;

	for (int i = 0; i < ROUND_TURNS; i++)
		sink = sink * 3 + 1;
}

static void work_and_take(struct tally *tally, struct sampler *sampler)
{
	sampler_resume(sampler);
	for (int i = 0; i < ROUNDS; i++) {
		work();
		take_batch(tally, sampler, false);
	}
	sampler_stop(sampler);
	take_batch(tally, sampler, true);
	sampler_close(sampler);
}

/* NULL where it is not permitted, or a program would not know the numbers of our threads. */
static struct sampler *open_paused(bool with_program)
{
	const struct sampler_options options = { .event = &perf_event_kinds[0],
						 .rate_hz = RATE_HZ,
						 .is_paused = true };
	struct sampler *sampler = NULL;

	if ((with_program && bpf_kernel_check_pids(NULL) < 0) ||
	    sampler_open(&sampler_engine_perf, &sampler, &options, NULL) < 0)
		return NULL;
	if (sampler_watch(sampler, getpid(), NULL) == 0 &&
	    sampler->facts.has_stack_program == with_program)
		return sampler;
	sampler_close(sampler);
	return NULL;
}

/*
 * All but the last one of a batch tell it; ticks in the kernel, whose stack makes perf's records
 * longer, and moves to another CPU are few.
 */
static void check_foretold(const struct tally *tally)
{
	print_message("%zu samples, the next foretold by %zu, right by %zu\n", tally->n_samples,
		      tally->n_foretold, tally->n_foretold_right);
	assert_in_range(tally->n_foretold, tally->n_samples / 2, tally->n_samples);
	assert_in_range(tally->n_foretold_right, tally->n_foretold / 2, tally->n_foretold);
}

/* The first after each switch of threads is perf's: more than half are none of those. */
static void samples__of_a_busy_thread_are_mostly_whole(void **state)
{
	struct sampler *sampler = open_paused(true);
	struct tally tally = { .frame = __builtin_frame_address(0) };

	(void)state;
	if (!sampler)
		skip();
	work_and_take(&tally, sampler);
	print_message("%zu of %zu are whole\n", tally.n_whole, tally.n_samples);
	assert_in_range(tally.n_samples, 100, SIZE_MAX);
	assert_in_range(tally.n_whole, tally.n_samples / 2, tally.n_samples);
	assert_int_equal(tally.n_wrong, 0);
	check_foretold(&tally);
}

static int give_up_bpf(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -1;
	sets[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective &= ~CAP_TO_MASK(CAP_SYS_ADMIN);
	sets[CAP_TO_INDEX(CAP_BPF)].effective &= ~CAP_TO_MASK(CAP_BPF);
	return (int)syscall(SYS_capset, &header, sets);
}

/* Where perf copies the stacks.  What was given up is not needed by what comes after. */
static void samples__of_perf_foretell_the_next(void **state)
{
	struct tally tally = { .frame = __builtin_frame_address(0) };
	struct sampler *sampler = give_up_bpf() == 0 ? open_paused(false) : NULL;

	(void)state;
	if (!sampler)
		skip();
	work_and_take(&tally, sampler);
	assert_in_range(tally.n_samples, 100, SIZE_MAX);
	check_foretold(&tally);
}

/* How many samples came until now; what is older than the lag is in the batch. */
static size_t take_later(struct sampler *sampler)
{
	const struct timespec later = { .tv_nsec = 50000000 };
	struct sampler_record record;
	size_t n_samples = 0;

	(void)nanosleep(&later, NULL);
	sampler_begin(sampler, false);
	while (sampler_next(sampler, &record))
		n_samples += record.kind == SAMPLER_RECORD_SAMPLE;
	return n_samples;
}

/* Its events begin when it execs. */
static pid_t start_loop(struct sampler *sampler)
{
	int gate[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		(void)close(gate[1]);
		(void)!read(gate[0], &byte, 1);
		(void)execl("/bin/sh", "sh", "-c", "while :; do :; done", (char *)NULL);
		_exit(127);
	}
	(void)close(gate[0]);
	if (sampler_watch(sampler, pid, NULL) < 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		pid = -1;
	}
	(void)close(gate[1]);
	return pid;
}

/* What is told of processes is looked at while they are there. */
static void samples__can_wait_and_processes_cannot(void **state)
{
	const struct sampler_options options = { .event = &perf_event_kinds[0],
						 .rate_hz = RATE_HZ };
	struct sampler *sampler = NULL;
	pid_t pid;

	(void)state;
	if (sampler_open(&sampler_engine_perf, &sampler, &options, NULL) < 0)
		skip();
	pid = start_loop(sampler);
	if (pid < 0)
		sampler_close(sampler);
	if (pid < 0)
		skip();
	(void)take_later(sampler);
	assert_in_range(take_later(sampler), 1, SIZE_MAX);
	assert_true(sampler->engine->can_wait(sampler));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(sampler->engine->can_wait(sampler));
	(void)take_later(sampler);
	assert_true(sampler->engine->can_wait(sampler));
	sampler_stop(sampler);
	sampler_close(sampler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples__of_a_busy_thread_are_mostly_whole),
		cmocka_unit_test(samples__can_wait_and_processes_cannot),
		cmocka_unit_test(samples__of_perf_foretell_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
