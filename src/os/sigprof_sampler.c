/*
 * The engine "sigprof": a library in the sampled program writes its ticks into
 * shared memory, one ring for each thread (lib/sigprof_wire.h); this end reads
 * them every few milliseconds, merged by time.  A handler can be held up between
 * taking the time and publishing the record, so that only what is older than a
 * short lag is handed out.
 *
 * Weights: a sample stands for the CPU time of its thread since the sample
 * before, so that ticks which coalesced, were blocked or found the ring full stay
 * in the sum.
 */
#include "os/sampler.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/units.h"
#include "os/sigprof_launch.h"
#include "os/sigprof_records.h"
#include "os/sigprof_sessions.h"
#include "os/sigprof_triggers.h"

#define BUSY_INTERVAL_NS (10 * NS_PER_MS)
#define IDLE_INTERVAL_NS (50 * NS_PER_MS)

/* Threads that sleep are many, and asking each what it waits for is a cache miss. */
#define LOOK_INTERVAL_NS (200 * NS_PER_MS)

enum {
	MS_PER_S = 1000,
	RING_FITS_MS = 60, /* of full dumps: more than the longest interval */
	RING_MOST_BYTES = 32 << 20,
	N_IDLE_ROUNDS = 5,
};

struct sigprof_sampler {
	struct sampler base;
	struct sigprof_sessions sessions;
	struct sigprof_environment environment;
	int epoll_fd;
	int timer_fd;
	unsigned int n_idle;	       /* rounds without a record */
	uint64_t limit_ns;	       /* of this batch */
	struct sigprof_source **ready; /* those with a record before the limit */
	size_t n_ready, ready_capacity;
	struct sigprof_records records;
	bool has_held; /* `held` comes after what is queued */
	struct sampler_record held;
	/* Whose threads are asked whether they wait; NULL: all were. */
	struct sigprof_session *looked_at;
	size_t n_looked_at; /* of its slots */
	uint64_t next_look_ns;
	uint64_t n_lost;
};

static struct sigprof_sampler *sampler_of(struct sampler *base)
{
	return (struct sigprof_sampler *)base;
}

static void sigprof_close(struct sampler *base)
{
	struct sigprof_sampler *sampler = sampler_of(base);

	sigprof_sessions_close(&sampler->sessions);
	sigprof_environment_release(&sampler->environment);
	record_queue_release(&sampler->records.queue);
	if (sampler->timer_fd >= 0)
		(void)close(sampler->timer_fd);
	if (sampler->epoll_fd >= 0)
		(void)close(sampler->epoll_fd);
	free(sampler->ready);
	free(sampler->records.bytes);
	free(sampler);
}

static int sigprof_probe(const struct sampler_options *options, struct error *err)
{
	char library[PATH_MAX];
	int r;

	if (!options->event->is_time)
		return error_set(err, -EINVAL,
				 "the engine sigprof samples CPU time only, not %s (use --engine "
				 "perf)",
				 options->event->name);
	if (options->kernel == SAMPLER_KERNEL_REQUIRED)
		return error_set(err, -EINVAL,
				 "the engine sigprof has no kernel stacks (leave out --kernel)");
	r = sigprof_library_find(library, err);
	if (r == 0 && options->command)
		r = sigprof_check_command(options->command, err);
	return r;
}

static void set_facts(struct sampler_facts *facts, const struct sampler_options *options)
{
	const uint64_t most = SIGPROF_STACK_MAX_BYTES;
	const long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t needed;

	facts->has_kernel_time = sigprof_triggers_have_kernel(sigprof_triggers());
	facts->period_ns = perf_event_period_ns(options->rate_hz);
	facts->stack_bytes = options->stack_bytes && options->stack_bytes < most
				     ? options->stack_bytes
				     : most;
	/* Half of it for stacks that are deeper. */
	needed = 2 * options->rate_hz * facts->stack_bytes * RING_FITS_MS / MS_PER_S;
	facts->ring_bytes = SIGPROF_RING_MIN_BYTES;
	while (facts->ring_bytes < needed && facts->ring_bytes < RING_MOST_BYTES)
		facts->ring_bytes *= 2;
	facts->n_cpus = n_cpus > 0 ? (uint32_t)n_cpus : 1;
}

static int set_environment(struct sigprof_sampler *sampler, struct error *err)
{
	const struct sigprof_session_text text = {
		.socket_name = sampler->sessions.socket.name,
		.token = sampler->sessions.socket.token,
		.period_ns = sampler->base.facts.period_ns,
		.stack_bytes = sampler->base.facts.stack_bytes,
		.ring_bytes = sampler->base.facts.ring_bytes,
		.with_waits = sampler->records.with_waits,
		.triggers = sigprof_triggers(),
	};
	char library[PATH_MAX];
	int r = sigprof_library_find(library, err);

	return r < 0 ? r : sigprof_environment_init(&sampler->environment, library, &text, err);
}

static int set_interval(const struct sigprof_sampler *sampler, uint64_t interval_ns)
{
	const struct timespec interval = { .tv_nsec = (long)interval_ns };
	const struct itimerspec times = { .it_interval = interval, .it_value = interval };

	return timerfd_settime(sampler->timer_fd, 0, &times, NULL);
}

static int open_fds(struct sigprof_sampler *sampler, struct error *err)
{
	struct epoll_event interest = { .events = EPOLLIN };

	sampler->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sampler->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (sampler->epoll_fd < 0 || sampler->timer_fd < 0 ||
	    epoll_ctl(sampler->epoll_fd, EPOLL_CTL_ADD, sampler->timer_fd, &interest) < 0 ||
	    epoll_ctl(sampler->epoll_fd, EPOLL_CTL_ADD, sampler->sessions.socket.epoll_fd,
		      &interest) < 0 ||
	    set_interval(sampler, BUSY_INTERVAL_NS) < 0)
		return error_set_errno(err, -errno, "epoll");
	return 0;
}

static int sigprof_open(struct sampler **ret_sampler, const struct sampler_options *options,
			struct error *err)
{
	struct sigprof_sampler *sampler = calloc(1, sizeof(*sampler));
	int r;

	if (!sampler)
		return error_set_no_memory(err);
	sampler->base.engine = &sampler_engine_sigprof;
	sampler->epoll_fd = sampler->timer_fd = -1;
	sampler->records.sessions = &sampler->sessions;
	sampler->records.with_waits = options->with_switches;
	sampler->records.period_ns = perf_event_period_ns(options->rate_hz);
	sampler->records.bytes = malloc(SIGPROF_RECORD_MAX_BYTES);
	set_facts(&sampler->base.facts, options);
	r = sigprof_sessions_open(&sampler->sessions, err);
	if (r == 0)
		r = open_fds(sampler, err);
	if (r == 0)
		r = set_environment(sampler, err);
	if (r == 0 && !sampler->records.bytes)
		r = error_set_no_memory(err);
	if (r < 0) {
		sigprof_close(&sampler->base);
		return r;
	}
	*ret_sampler = &sampler->base;
	return 0;
}

static char *const *sigprof_environment(const struct sampler *base)
{
	return ((const struct sigprof_sampler *)base)->environment.strings;
}

/* The process will come by itself. */
static int sigprof_watch(struct sampler *base, pid_t pid, struct error *err)
{
	(void)base;
	(void)pid;
	(void)err;
	return 0;
}

static int sigprof_fd(const struct sampler *base)
{
	return ((const struct sigprof_sampler *)base)->epoll_fd;
}

static void count_lost(struct sigprof_sampler *sampler, struct sigprof_source *source)
{
	const struct sigprof_slot *slot = source->ring.slot;
	const uint32_t n_lost = atomic_load_explicit(&slot->n_lost, memory_order_relaxed);
	const uint32_t n_events = atomic_load_explicit(&slot->n_lost_events, memory_order_relaxed);
	const struct sampler_record lost = {
		.kind = SAMPLER_RECORD_LOST,
		.pid = source->session->pid,
		.time_ns = sampler->records.now_ns,
		.n_lost = n_events - source->n_lost_events,
	};

	sampler->n_lost += n_lost - source->n_lost;
	source->n_lost = n_lost;
	source->n_lost_events = n_events;
	if (lost.n_lost)
		sigprof_records_queue(&sampler->records, &lost);
}

/* True when there is a record; nobody writes in the future. */
static bool look(struct sigprof_sampler *sampler, struct sigprof_source *source)
{
	enum sigprof_ring_state state;

	while ((state = sigprof_ring_peek(&source->ring, &source->next)) == SIGPROF_RING_BAD)
		sampler->records.n_bad++;
	if (source->next.time_ns > sampler->records.now_ns)
		source->next.time_ns = sampler->records.now_ns;
	return state == SIGPROF_RING_RECORD;
}

static void add_ready(struct sigprof_sampler *sampler, struct sigprof_source *source)
{
	struct sigprof_source **grown = array_grown(sampler->ready, &sampler->ready_capacity,
						    sampler->n_ready + 1, sizeof(*grown));

	if (!grown)
		return; /* it stays where it is until the next batch */
	sampler->ready = grown;
	grown[sampler->n_ready++] = source;
}

/* A ring where nothing was written had no reason to lose anything: 1,000 idle threads are many. */
static void refresh_memory(struct sigprof_sampler *sampler, struct sigprof_session_memory *memory,
			   bool is_final)
{
	for (uint32_t i = 0; i < memory->memory.n_slots; i++) {
		struct sigprof_source *source = &memory->sources[i];
		const uint64_t old_head = source->ring.head;

		sigprof_ring_refresh(&source->ring);
		if (is_final || source->ring.head != old_head)
			count_lost(sampler, source);
		if (source->ring.head != source->ring.tail && look(sampler, source))
			add_ready(sampler, source);
		else if (sigprof_ring_recycle(&source->ring))
			source->tid = 0;
	}
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void sigprof_begin(struct sampler *base, bool is_final)
{
	struct sigprof_sampler *sampler = sampler_of(base);
	uint64_t n_expired;

	(void)!read(sampler->timer_fd, &n_expired, sizeof(n_expired));
	sigprof_sessions_update(&sampler->sessions);
	sampler->records.now_ns = monotonic_ns();
	sampler->limit_ns = is_final ? UINT64_MAX - 1 : sampler->records.now_ns - SAMPLER_LAG_NS;
	sampler->n_ready = 0;
	sampler->looked_at = NULL;
	if (sampler->records.with_waits &&
	    (is_final || sampler->records.now_ns >= sampler->next_look_ns)) {
		sampler->looked_at = sampler->sessions.first;
		sampler->n_looked_at = 0;
		sampler->next_look_ns = sampler->records.now_ns + LOOK_INTERVAL_NS;
	}
	for (struct sigprof_session *session = sampler->sessions.first; session;
	     session = session->next)
		for (size_t i = 0; i < session->n_memories; i++)
			refresh_memory(sampler, &session->memories[i],
				       is_final || session->is_over);
	if (sampler->n_ready) {
		if (sampler->n_idle >= N_IDLE_ROUNDS)
			(void)set_interval(sampler, BUSY_INTERVAL_NS);
		sampler->n_idle = 0;
	} else if (++sampler->n_idle == N_IDLE_ROUNDS) {
		(void)set_interval(sampler, IDLE_INTERVAL_NS);
	}
}

/* The ready source with the oldest record before the limit. */
static struct sigprof_source *oldest_source(struct sigprof_sampler *sampler, size_t *ret_at)
{
	struct sigprof_source *oldest = NULL;
	uint64_t time_ns = sampler->limit_ns + 1;

	for (size_t i = 0; i < sampler->n_ready; i++) {
		if (sampler->ready[i]->next.time_ns < time_ns) {
			oldest = sampler->ready[i];
			time_ns = oldest->next.time_ns;
			*ret_at = i;
		}
	}
	return oldest;
}

static bool is_drained(const struct sigprof_session *session)
{
	for (size_t i = 0; i < session->n_memories; i++) {
		const struct sigprof_session_memory *memory = &session->memories[i];

		for (uint32_t j = 0; j < memory->memory.n_slots; j++)
			if (memory->sources[j].ring.head != memory->sources[j].ring.tail)
				return false;
	}
	return true;
}

static void end_sessions(struct sigprof_sampler *sampler)
{
	struct sigprof_session *next;

	for (struct sigprof_session *session = sampler->sessions.first; session; session = next) {
		next = session->next;
		if (!session->is_over || !is_drained(session))
			continue;
		if (session->has_ended)
			sigprof_records_exit(&sampler->records, session);
		sigprof_sessions_remove(&sampler->sessions, session);
	}
}

/* The next slot of all; NULL at the end. */
static struct sigprof_source *next_looked_at(struct sigprof_sampler *sampler)
{
	struct sigprof_session *session;

	while ((session = sampler->looked_at)) {
		size_t i = sampler->n_looked_at++;

		for (size_t j = 0; j < session->n_memories; j++) {
			const struct sigprof_session_memory *memory = &session->memories[j];

			if (i < memory->memory.n_slots)
				return &memory->sources[i];
			i -= memory->memory.n_slots;
		}
		sampler->looked_at = session->next;
		sampler->n_looked_at = 0;
	}
	return NULL;
}

/* Who has waited for long is looked at when all that was written is taken. */
static bool look_at_waits(struct sigprof_sampler *sampler, struct sampler_record *record)
{
	struct sigprof_source *source;

	while ((source = next_looked_at(sampler))) {
		if (!sigprof_records_look(&sampler->records, source,
					  sampler->base.facts.stack_bytes, record, &sampler->held))
			continue;
		sampler->has_held = true;
		return true;
	}
	return false;
}

static bool sigprof_next(struct sampler *base, struct sampler_record *record)
{
	struct sigprof_sampler *sampler = sampler_of(base);
	struct sigprof_source *source;
	size_t at = 0;

	if (record_queue_take(&sampler->records.queue, record))
		return true;
	if (sampler->has_held) {
		*record = sampler->held;
		sampler->has_held = false;
		return true;
	}
	source = oldest_source(sampler, &at);
	if (!source && look_at_waits(sampler, record))
		return true;
	if (!source) {
		sampler->n_ready = 0;
		end_sessions(sampler);
		return record_queue_take(&sampler->records.queue, record);
	}
	sigprof_records_take(&sampler->records, source, record);
	if (!look(sampler, source))
		sampler->ready[at] = sampler->ready[--sampler->n_ready];
	if (sampler->records.queue.n_taken < sampler->records.queue.n_records) {
		sampler->held = *record;
		sampler->has_held = true;
		return record_queue_take(&sampler->records.queue, record);
	}
	return true;
}

static void sigprof_walked(struct sampler *base, bool is_complete, uint64_t needed_bytes)
{
	(void)needed_bytes;
	if (!is_complete)
		sigprof_records_cut(&sampler_of(base)->records);
}

static void sigprof_stop(struct sampler *base)
{
	sigprof_sessions_stop(&sampler_of(base)->sessions);
}

static uint64_t sigprof_counted_ns(const struct sampler *base)
{
	return ((const struct sigprof_sampler *)base)->records.counted_ns;
}

static uint64_t sigprof_n_lost(const struct sampler *base)
{
	return ((const struct sigprof_sampler *)base)->n_lost;
}

static uint32_t n_threads_not_sampled(const struct sigprof_sampler *sampler)
{
	uint32_t n_threads = sampler->sessions.n_threads_gone;

	for (const struct sigprof_session *session = sampler->sessions.first; session;
	     session = session->next)
		n_threads += sigprof_session_n_not_sampled(session);
	return n_threads;
}

static char *sigprof_remark(const struct sampler *base)
{
	const struct sigprof_sampler *sampler = (const struct sigprof_sampler *)base;
	const struct sigprof_records *records = &sampler->records;
	const uint32_t n_threads = n_threads_not_sampled(sampler);
	char *remark = NULL;
	int n = 0;

	if (!sampler->sessions.n_seen)
		n = asprintf(&remark,
			     "the command did not load %s: it is statically linked, changes user, "
			     "or was started without its environment (use --engine perf)",
			     "libtsprof.so");
	else if (records->coarse_ns)
		n = asprintf(
			&remark,
			"ticks came %.0f times a second instead of %.0f, with the kernel's own "
			"timer: threads that run between its ticks are not seen, and those in "
			"step with it are misjudged (tsprof doctor tells what would allow more)",
			(double)records->n_coarse * (double)NS_PER_S / (double)records->coarse_ns,
			(double)NS_PER_S / (double)records->period_ns);
	else if (n_threads)
		n = asprintf(&remark,
			     "%" PRIu32
			     " threads could not be sampled: the kernel gave them neither "
			     "an event nor a timer (see ulimit -i)",
			     n_threads);
	return n < 0 ? NULL : remark;
}

const struct sampler_engine sampler_engine_sigprof = {
	.name = "sigprof",
	.probe = sigprof_probe,
	.open = sigprof_open,
	.environment = sigprof_environment,
	.watch = sigprof_watch,
	.fd = sigprof_fd,
	.begin = sigprof_begin,
	.next = sigprof_next,
	.walked = sigprof_walked,
	.stop = sigprof_stop,
	.counted_ns = sigprof_counted_ns,
	.n_lost = sigprof_n_lost,
	.remark = sigprof_remark,
	.close = sigprof_close,
};
