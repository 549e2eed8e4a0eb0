/* Memory of processes by /proc, and readings over time that stay within bounds. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/units.h"
#include "os/process_memory.h"
#include "record/resources.h"

enum { MAPPED_BYTES = 32 << 20 };

static char *map(void)
{
	char *bytes = mmap(NULL, MAPPED_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			   -1, 0);

	assert_true(bytes != MAP_FAILED);
	return bytes;
}

/* The kernel counts in batches for each CPU: a MiB is more than it may be off. */
static void process_memory__follows_what_is_touched(void **state)
{
	struct process_memory_files files = process_memory_files((uint32_t)getpid());
	struct process_memory before, after, freed;
	char *bytes = map();

	(void)state;
	assert_int_equal(process_memory_read(&before, &files), 0);
	assert_int_equal(before.n_threads, 1);
	memset(bytes, 1, MAPPED_BYTES);
	assert_int_equal(process_memory_read(&after, &files), 0);
	assert_int_equal(munmap(bytes, MAPPED_BYTES), 0);
	assert_int_equal(process_memory_read(&freed, &files), 0);
	process_memory_close(&files);
	assert_true(after.rss_bytes > before.rss_bytes + MAPPED_BYTES - (1 << 20));
	assert_true(after.anonymous_bytes > before.anonymous_bytes + MAPPED_BYTES - (1 << 20));
	assert_true(after.n_minor_faults > before.n_minor_faults);
	assert_true(freed.rss_bytes < after.rss_bytes - MAPPED_BYTES + (1 << 20));
}

static void process_memory__tells_details(void **state)
{
	struct process_memory_details details;
	void *piece = malloc(100000);

	(void)state;
	assert_non_null(piece);
	memset(piece, 1, 100000);
	assert_int_equal(process_memory_read_details(&details, (uint32_t)getpid()), 0);
	assert_true(details.pss_bytes > 100000);
	assert_true(details.n_voluntary_switches + details.n_involuntary_switches > 0);
	free(piece);
}

static void assert_none(uint32_t pid)
{
	struct process_memory_files files = process_memory_files(pid);
	struct process_memory memory;

	assert_int_equal(process_memory_read(&memory, &files), -ESRCH);
	process_memory_close(&files);
}

static void process_memory__of_who_is_gone_there_is_none(void **state)
{
	struct process_memory_files files;
	struct process_memory memory;
	struct process_memory_details details;
	const pid_t child = fork();

	(void)state;
	if (child == 0) {
		(void)pause();
		_exit(0);
	}
	assert_true(child > 0);
	files = process_memory_files((uint32_t)child);
	assert_int_equal(process_memory_read(&memory, &files), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	/* A zombie, and then nobody. */
	(void)waitid(P_PID, (id_t)child, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	assert_int_equal(process_memory_read(&memory, &files), -ESRCH);
	assert_none((uint32_t)child);
	(void)waitpid(child, NULL, 0);
	assert_int_equal(process_memory_read(&memory, &files), -ESRCH);
	process_memory_close(&files);
	assert_none((uint32_t)child);
	assert_int_equal(process_memory_read_details(&details, (uint32_t)child), -ESRCH);
	assert_none(0);
	assert_none(UINT32_MAX);
	/* A thread of the kernel has none. */
	assert_none(2);
}

struct run {
	struct profile profile;
	struct process_table table;
	struct resources resources;
	uint64_t now_ns;
};

static void run_init(struct run *run, uint64_t rate_hz)
{
	assert_int_equal(profile_init(&run->profile), 0);
	process_table_init(&run->table, &run->profile);
	assert_int_equal(resources_open(&run->resources, &run->profile, &run->table, rate_hz, NULL),
			 0);
	run->now_ns = 1000 * NS_PER_S;
}

static void run_release(struct run *run)
{
	resources_close(&run->resources);
	process_table_release(&run->table);
	profile_release(&run->profile);
}

static void take(struct run *run, uint64_t after_ns)
{
	run->now_ns += after_ns;
	assert_int_equal(resources_take(&run->resources, run->now_ns, false), 0);
}

static void resources__come_as_often_as_asked(void **state)
{
	const struct marks *marks;
	size_t n_with_details = 0;
	struct run run;

	(void)state;
	run_init(&run, 10);
	marks = &run.profile.marks;
	resources_watch(&run.resources, (uint32_t)getpid());
	resources_watch(&run.resources, (uint32_t)getpid());
	for (int i = 0; i < 100; i++)
		take(&run, 20 * NS_PER_MS);
	/* Two seconds; fewer where a reading takes longer than 0.2 ms. */
	assert_true(marks->n_resources >= 4 && marks->n_resources <= 21);
	assert_int_equal(marks->resources[0].pid, getpid());
	/* What is dear waits until it was earned. */
	assert_int_equal(marks->resources[0].pss_bytes, 0);
	for (size_t i = 0; i < marks->n_resources; i++)
		n_with_details += marks->resources[i].pss_bytes > 0;
	assert_true(n_with_details >= 1 && n_with_details <= 2);
	run_release(&run);
}

static size_t n_of(const struct run *run, uint32_t pid)
{
	const struct marks *marks = &run->profile.marks;
	size_t n = 0;

	for (size_t i = 0; i < marks->n_resources; i++)
		n += marks->resources[i].pid == pid;
	return n;
}

/* Found by the events, also when its number was another's before; dropped when it ends. */
static void resources__follow_processes_that_come_and_go(void **state)
{
	struct live_process *process;
	struct run run;
	const pid_t child = fork();

	(void)state;
	if (child == 0) {
		(void)alarm(60);
		(void)pause();
		_exit(0);
	}
	run_init(&run, 10);
	take(&run, NS_PER_S);
	assert_int_equal(run.profile.marks.n_resources, 0);
	assert_int_equal(process_table_fork(&run.table, (uint32_t)child, (uint32_t)child, 1, 1, 1),
			 0);
	take(&run, NS_PER_S);
	assert_int_equal(n_of(&run, (uint32_t)child), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	(void)waitpid(child, NULL, 0);
	take(&run, NS_PER_S);
	assert_int_equal(n_of(&run, (uint32_t)child), 1);
	assert_int_equal(process_table_exit(&run.table, (uint32_t)child, (uint32_t)child, 1), 0);
	/* Played: the number is this process's now. */
	process = process_table_process(&run.table, (uint32_t)child);
	assert_non_null(process);
	process->pid = (uint32_t)getpid();
	process->n_threads = 1;
	take(&run, NS_PER_S);
	assert_int_equal(n_of(&run, (uint32_t)getpid()), 1);
	run_release(&run);
}

/* Two processes, one of which was larger once: that stays, and so do the first readings. */
static void resources__are_thinned_out_without_losing_the_peak(void **state)
{
	struct marks *marks;
	struct run run;

	(void)state;
	run_init(&run, 10);
	marks = &run.profile.marks;
	for (uint32_t i = 0; i < RESOURCES_MAX_READINGS - 1; i++)
		assert_int_equal(marks_add_resource(marks,
						    &(struct resource_sample){
							    .time_ns = i / 2 * 100 * NS_PER_MS,
							    .pid = 1 + i % 2,
							    .rss_bytes = i == 30001 ? 9999
										    : 1000 + i % 7,
						    }),
				 0);
	resources_watch(&run.resources, (uint32_t)getpid());
	take(&run, NS_PER_S);
	assert_int_equal(marks->n_resources_rearranged, 1);
	assert_true(marks->n_resources > RESOURCES_MAX_READINGS / 2 &&
		    marks->n_resources < RESOURCES_MAX_READINGS / 2 + 5);
	assert_int_equal(run.resources.interval_ns, 200 * NS_PER_MS);
	assert_int_equal(marks->resources[0].time_ns, 0);
	assert_int_equal(marks->resources[1].pid, 2);
	for (size_t i = 0; i < marks->n_resources; i++) {
		if (marks->resources[i].rss_bytes == 9999) {
			assert_int_equal(marks->resources[i].pid, 2);
			run_release(&run);
			return;
		}
	}
	fail_msg("the peak is gone");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process_memory__follows_what_is_touched),
		cmocka_unit_test(process_memory__tells_details),
		cmocka_unit_test(process_memory__of_who_is_gone_there_is_none),
		cmocka_unit_test(resources__come_as_often_as_asked),
		cmocka_unit_test(resources__follow_processes_that_come_and_go),
		cmocka_unit_test(resources__are_thinned_out_without_losing_the_peak),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
