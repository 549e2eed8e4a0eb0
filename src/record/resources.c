/* Rounds of readings, whose cost decides when the next one is. */
#include "record/resources.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/units.h"
#include "os/process_memory.h"

/* How often the loop comes by anyhow; a little early is early enough. */
#define TURN_INTERVAL_NS (100 * NS_PER_MS)
#define DETAILS_INTERVAL_NS NS_PER_S

/* Measured: 150 us, 15 ms for each GiB, 20 us for each thread; more on a busy machine. */
#define DETAILS_COST_NS 200000.0
#define DETAILS_COST_NS_BY_THREAD 25000.0
#define DETAILS_COST_NS_BY_BYTE (25e6 / (1 << 30))

enum {
	REST_BY_COST = 1000,
	REST_BY_COST_OF_DETAILS = 4000,
	NEW_AT_ONCE = 1024, /* a fork bomb must not keep the recorder from its work */
	OLD_AT_ONCE = 64,
};

static uint64_t own_cpu_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static int open_timer(uint64_t interval_ns, struct error *err)
{
	const struct timespec interval = { .tv_sec = (time_t)(interval_ns / NS_PER_S),
					   .tv_nsec = (long)(interval_ns % NS_PER_S) };
	const struct itimerspec times = { .it_interval = interval, .it_value = interval };
	const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return error_set_errno(err, -errno, "cannot make a timer for --resources");
	(void)timerfd_settime(fd, 0, &times, NULL);
	return fd;
}

int resources_open(struct resources *resources, struct profile *profile,
		   const struct process_table *processes, uint64_t rate_hz, struct error *err)
{
	*resources = RESOURCES_INIT;
	resources->profile = profile;
	resources->processes = processes;
	resources->interval_ns = NS_PER_S / rate_hz;
	if (resources->interval_ns >= TURN_INTERVAL_NS)
		return 0;
	resources->fd = open_timer(resources->interval_ns, err);
	return resources->fd < 0 ? resources->fd : 0;
}

void resources_close(struct resources *resources)
{
	if (resources->fd >= 0)
		(void)close(resources->fd);
	for (size_t i = 0; i < resources->n_watched; i++)
		process_memory_close(&resources->watched[i].files);
	*resources = RESOURCES_INIT;
}

void resources_watch(struct resources *resources, uint32_t pid)
{
	if (!pid || resources->n_watched == RESOURCES_MAX_PROCESSES)
		return;
	for (size_t i = 0; i < resources->n_watched; i++)
		if (resources->watched[i].files.pid == pid)
			return;
	resources->watched[resources->n_watched++] = (struct watched_process){
		.files = process_memory_files(pid),
	};
}

static void watch_if_alive(struct resources *resources, size_t i)
{
	const struct live_process *process = resources->processes->processes[i];

	if (process->n_threads)
		resources_watch(resources, process->pid);
}

/* Those that are new, and in turn the others: a number may be another process's by now. */
static void find_processes(struct resources *resources)
{
	const size_t n_processes = resources->processes->n_processes;

	for (int i = 0; i < NEW_AT_ONCE && resources->n_seen < n_processes; i++)
		watch_if_alive(resources, resources->n_seen++);
	for (int i = 0; i < OLD_AT_ONCE && i < (int)resources->n_seen; i++)
		watch_if_alive(resources, resources->cursor++ % resources->n_seen);
}

/* Threads that ended take their counts with them. */
static void keep_largest(uint64_t *kept, uint64_t now)
{
	if (*kept < now)
		*kept = now;
}

static void read_details(struct resources *resources, struct watched_process *watched,
			 struct resource_sample *sample)
{
	const uint64_t start_cpu_ns = own_cpu_ns();
	struct process_memory_details details;

	watched->details_ns = sample->time_ns;
	if (process_memory_read_details(&details, watched->files.pid) == 0) {
		keep_largest(&watched->n_voluntary_switches, details.n_voluntary_switches);
		keep_largest(&watched->n_involuntary_switches, details.n_involuntary_switches);
		sample->pss_bytes = details.pss_bytes;
		sample->heap_bytes = details.heap_bytes;
	}
	resources->details_spent_ns += own_cpu_ns() - start_cpu_ns;
}

/* Page tables are walked: the cost goes with what is resident. */
static bool can_afford_details(const struct resources *resources, uint64_t now_ns,
			       const struct process_memory *memory)
{
	const double expected_ns = DETAILS_COST_NS +
				   (double)memory->rss_bytes * DETAILS_COST_NS_BY_BYTE +
				   (double)memory->n_threads * DETAILS_COST_NS_BY_THREAD;
	const double earned_ns = (double)(now_ns - resources->start_ns) / REST_BY_COST_OF_DETAILS;

	return expected_ns + (double)resources->details_spent_ns <= earned_ns;
}

/* Whose details are the oldest, if they are old enough; NULL: nobody's. */
static struct watched_process *find_due(struct resources *resources, uint64_t now_ns)
{
	struct watched_process *oldest = NULL;

	for (size_t i = 0; i < resources->n_watched; i++) {
		struct watched_process *watched = &resources->watched[i];

		if (now_ns - watched->details_ns >= DETAILS_INTERVAL_NS &&
		    (!oldest || watched->details_ns < oldest->details_ns))
			oldest = watched;
	}
	return oldest;
}

/* -ESRCH: it is gone. */
static int take_reading(struct resources *resources, struct watched_process *watched,
			uint64_t now_ns, bool with_details)
{
	struct resource_sample sample = { .time_ns = now_ns, .pid = watched->files.pid };
	struct process_memory memory;

	if (process_memory_read(&memory, &watched->files) < 0)
		return -ESRCH;
	sample.rss_bytes = memory.rss_bytes;
	sample.anonymous_bytes = memory.anonymous_bytes;
	sample.n_minor_faults = memory.n_minor_faults;
	sample.n_major_faults = memory.n_major_faults;
	if (with_details && can_afford_details(resources, now_ns, &memory))
		read_details(resources, watched, &sample);
	sample.n_voluntary_switches = watched->n_voluntary_switches;
	sample.n_involuntary_switches = watched->n_involuntary_switches;
	return marks_add_resource(&resources->profile->marks, &sample);
}

/* Returns what it cost without the details, or -ENOMEM. */
static int64_t take_round(struct resources *resources, uint64_t now_ns)
{
	const uint64_t start_cpu_ns = own_cpu_ns();
	const uint64_t old_spent_ns = resources->details_spent_ns;
	const struct watched_process *due = find_due(resources, now_ns);
	uint64_t cost_ns;

	for (size_t i = 0; i < resources->n_watched;) {
		struct watched_process *watched = &resources->watched[i];
		const bool is_due = watched == due;
		const int r = take_reading(resources, watched, now_ns, is_due);

		if (r == -ENOMEM)
			return r;
		if (r < 0) {
			process_memory_close(&watched->files);
			*watched = resources->watched[--resources->n_watched];
			due = is_due || due == &resources->watched[resources->n_watched] ? NULL
											 : due;
		} else {
			i++;
		}
	}
	cost_ns = own_cpu_ns() - start_cpu_ns;
	return (int64_t)(cost_ns - (resources->details_spent_ns - old_spent_ns));
}

/* Readings of which every other one goes, process by process. */
struct thinning {
	struct marks *marks;
	struct hash_index index; /* of the readings that stay, by process; the last one counts */
	uint32_t *lasts;	 /* by entry of the index: its last reading that stayed … */
	bool *is_single;	 /* … which waits for another to be compared with */
	size_t n_processes;
};

static size_t find_process(struct thinning *thinning, uint32_t pid)
{
	struct hash_cursor cursor = hash_index_cursor(&thinning->index, hash_u64(pid));
	uint32_t at;

	while ((at = hash_index_next(&thinning->index, &cursor)) != HASH_INDEX_NONE)
		if (thinning->marks->resources[thinning->lasts[at]].pid == pid)
			return at;
	return thinning->n_processes;
}

/* The first reading of each process stays, then one of each two. */
static int thin_reading(struct thinning *thinning, size_t *n_kept, size_t i)
{
	struct resource_sample *resources = thinning->marks->resources;
	const struct resource_sample sample = resources[i];
	const size_t at = find_process(thinning, sample.pid);

	if (at == thinning->n_processes) {
		if (hash_index_add(&thinning->index, hash_u64(sample.pid), (uint32_t)at) < 0)
			return -ENOMEM;
		thinning->n_processes++;
	} else if (thinning->is_single[at]) {
		struct resource_sample *last = &resources[thinning->lasts[at]];

		if (last->rss_bytes < sample.rss_bytes)
			*last = sample;
		thinning->is_single[at] = false;
		return 0;
	} else {
		thinning->is_single[at] = true;
	}
	resources[*n_kept] = sample;
	thinning->lasts[at] = (uint32_t)(*n_kept)++;
	return 0;
}

/* Half as many, without the peaks getting lower. */
static int thin_out(struct resources *resources)
{
	struct marks *marks = &resources->profile->marks;
	struct thinning thinning = {
		.marks = marks,
		.lasts = malloc(marks->n_resources * sizeof(*thinning.lasts)),
		.is_single = calloc(marks->n_resources, sizeof(*thinning.is_single)),
	};
	size_t n_kept = 0;
	int r = thinning.lasts && thinning.is_single ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < marks->n_resources; i++)
		r = thin_reading(&thinning, &n_kept, i);
	if (r == 0) {
		marks->n_resources = n_kept;
		marks->n_resources_rearranged++;
		resources->interval_ns *= 2;
	}
	free(thinning.lasts);
	free(thinning.is_single);
	hash_index_release(&thinning.index);
	return r;
}

int resources_take(struct resources *resources, uint64_t now_ns, bool is_final)
{
	const uint64_t early_ns = resources->interval_ns / 20;
	uint64_t n_expired;
	int64_t cost_ns;

	if (resources->fd >= 0)
		(void)!read(resources->fd, &n_expired, sizeof(n_expired));
	if (!is_final && now_ns + early_ns < resources->next_ns)
		return 0;
	if (!resources->start_ns)
		resources->start_ns = now_ns;
	find_processes(resources);
	cost_ns = take_round(resources, now_ns);
	if (cost_ns < 0)
		return (int)cost_ns;
	resources->next_ns = now_ns + resources->interval_ns;
	if ((uint64_t)cost_ns * REST_BY_COST > resources->interval_ns)
		resources->next_ns = now_ns + (uint64_t)cost_ns * REST_BY_COST;
	return resources->profile->marks.n_resources < RESOURCES_MAX_READINGS ? 0
									      : thin_out(resources);
}
