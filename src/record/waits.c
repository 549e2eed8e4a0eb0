/*
 * A thread is known to wait (since when), to run, or neither: nothing was heard
 * of it since the recording started, so that it has waited since then when its
 * first record says that it came back, and has run when it left.
 */
#include "record/waits.h"

/* A thread cannot come and go as fast as two events tell of it. */
#define DOUBLED_NS UINT64_C(1000)

void waits_init(struct waits *waits, struct profile *profile, struct process_table *processes,
		uint64_t period_ns)
{
	*waits = (struct waits){ .profile = profile,
				 .processes = processes,
				 .period_ns = period_ns ? period_ns : 1 };
}

void waits_release(struct waits *waits)
{
	*waits = (struct waits){ 0 };
}

static int add_sample(struct waits *waits, const struct wait_place *place, uint64_t start_ns,
		      uint64_t weight_ns, uint64_t n_ticks)
{
	const struct sample sample = {
		.time_ns = start_ns,
		.weight_ns = weight_ns,
		.thread = place->entry,
		.node = place->node,
		.count = n_ticks,
		.end = place->end,
		.state = place->state,
		.scope = place->scope,
	};

	return profile_add_sample(waits->profile, &sample);
}

static int flush_sum(struct waits *waits, struct wait_sum *sum)
{
	int r = 0;

	if (sum->n_waits)
		r = add_sample(waits, &sum->place, sum->start_ns, sum->weight_ns, sum->n_ticks);
	sum->n_waits = 0;
	return r;
}

static int flush_sums(struct waits *waits, struct live_thread *thread)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < THREAD_WAIT_SUMS; i++)
		r = flush_sum(waits, &thread->wait.sums[i]);
	return r;
}

static bool is_same_place(const struct wait_place *a, const struct wait_place *b)
{
	return a->node == b->node && a->entry == b->entry && a->end == b->end &&
	       a->state == b->state && a->scope == b->scope;
}

/* A wait too short for a sample of its own. */
static int add_to_sum(struct waits *waits, struct live_thread *thread, uint64_t start_ns,
		      uint64_t weight_ns, uint64_t n_ticks)
{
	struct thread_wait *wait = &thread->wait;
	struct wait_sum *sum = NULL;
	int r = 0;

	for (size_t i = 0; i < THREAD_WAIT_SUMS && !sum; i++)
		if (wait->sums[i].n_waits && is_same_place(&wait->sums[i].place, &wait->place))
			sum = &wait->sums[i];
	if (!sum) {
		sum = &wait->sums[wait->next_sum];
		wait->next_sum = (uint8_t)((wait->next_sum + 1) % THREAD_WAIT_SUMS);
		r = flush_sum(waits, sum);
	} else if (start_ns - sum->start_ns >= WAITS_SUM_NS) {
		r = flush_sum(waits, sum);
	}
	if (r < 0)
		return r;
	if (!sum->n_waits)
		*sum = (struct wait_sum){ .place = wait->place, .start_ns = start_ns };
	sum->weight_ns += weight_ns;
	sum->n_ticks += n_ticks;
	sum->n_waits++;
	return 0;
}

static uint64_t paused_ns(const struct waits *waits, uint64_t start_ns, uint64_t end_ns)
{
	uint64_t sum_ns = 0;

	for (size_t i = 0; i < waits->n_pauses; i++) {
		const struct wait_pause *pause = &waits->pauses[i];
		const uint64_t from_ns = pause->start_ns > start_ns ? pause->start_ns : start_ns;
		const uint64_t to_ns = pause->end_ns < end_ns ? pause->end_ns : end_ns;

		if (to_ns > from_ns)
			sum_ns += to_ns - from_ns;
	}
	return sum_ns;
}

static void count_wait(struct quality *quality, const struct wait_place *place, uint64_t weight_ns)
{
	quality->n_waits++;
	quality->waited_ns += weight_ns;
	if (place->end == STACK_COMPLETE || place->end == STACK_KERNEL_ONLY)
		return;
	quality->n_waits_bare++;
	quality->waited_bare_ns += weight_ns;
}

/* Stands for stacks that are not known. */
static int find_bare_node(struct waits *waits)
{
	struct profile *profile = waits->profile;
	uint32_t location;
	int r;

	if (waits->bare_node)
		return 0;
	r = profile_add_truncation(profile, &location, STACK_NOT_TAKEN, MODULE_PSEUDO);
	return r < 0 ? r : stack_trie_add(&profile->stacks, &waits->bare_node, 0, location);
}

/* The thread waited in its place until now. */
static int end_wait(struct waits *waits, struct live_thread *thread, uint64_t time_ns)
{
	struct thread_wait *wait = &thread->wait;
	const uint64_t first_ns = waits->profile->info.start_ns;
	const uint64_t start_ns = wait->since_ns > first_ns ? wait->since_ns : first_ns;
	const uint64_t end_ns = time_ns > start_ns ? time_ns : start_ns;
	const uint64_t weight_ns = end_ns - start_ns - paused_ns(waits, start_ns, end_ns);
	uint64_t n_ticks;
	int r = 0;

	wait->is_waiting = false;
	wait->since_ns = end_ns;
	if (!weight_ns)
		return 0;
	if (!wait->has_stack) {
		r = find_bare_node(waits);
		wait->place.node = waits->bare_node;
		wait->place.end = STACK_NOT_TAKEN;
	}
	if (r == 0)
		r = process_table_entry(waits->processes, thread, &wait->place.entry);
	if (r < 0)
		return r;
	wait->left_over_ns += weight_ns;
	n_ticks = wait->left_over_ns / waits->period_ns;
	wait->left_over_ns %= waits->period_ns;
	count_wait(&waits->profile->quality, &wait->place, weight_ns);
	if (weight_ns < waits->period_ns)
		return add_to_sum(waits, thread, start_ns, weight_ns, n_ticks);
	return add_sample(waits, &wait->place, start_ns, weight_ns, n_ticks);
}

static void begin_wait(struct live_thread *thread, uint64_t time_ns, bool is_preempted)
{
	struct thread_wait *wait = &thread->wait;

	wait->is_seen = true;
	wait->is_waiting = true;
	wait->has_stack = wait->is_leaving;
	wait->is_leaving = false;
	wait->since_ns = time_ns;
	if (is_preempted)
		wait->place.state = SAMPLE_PREEMPTED;
	else if (!wait->has_stack)
		wait->place.state = SAMPLE_WAITING;
}

/* Nothing was heard of it: it has waited since the start, for what /proc said then. */
static void begin_unseen(struct waits *waits, struct live_thread *thread)
{
	begin_wait(thread, waits->profile->info.start_ns, false);
	if (thread->wait.first_reason)
		thread->wait.place.state = thread->wait.first_reason;
}

void waits_take_stack(struct live_thread *thread, uint32_t node, enum stack_end end,
		      enum sample_state reason)
{
	thread->wait.is_leaving = true;
	thread->wait.place.node = node;
	thread->wait.place.end = (uint16_t)end;
	thread->wait.place.state = (uint8_t)reason;
}

/*
 * A thread that was started while its process was attached to can have two
 * events that tell the same.
 */
static bool is_doubled(const struct thread_wait *wait, bool is_waiting, uint64_t time_ns)
{
	return wait->is_seen && wait->is_waiting == is_waiting &&
	       time_ns - wait->since_ns < DOUBLED_NS;
}

int waits_leave(struct waits *waits, struct live_thread *thread, uint64_t time_ns,
		bool is_preempted)
{
	if (is_doubled(&thread->wait, true, time_ns))
		return 0;
	/* When it came back was lost, and with it how long it waited. */
	if (thread->wait.is_waiting)
		waits->profile->quality.n_lost_switches++;
	begin_wait(thread, time_ns, is_preempted);
	return 0;
}

int waits_return(struct waits *waits, struct live_thread *thread, uint64_t time_ns)
{
	struct thread_wait *wait = &thread->wait;
	int r = 0;

	if (is_doubled(wait, false, time_ns))
		return 0;
	if (!wait->is_seen)
		begin_unseen(waits, thread);
	if (wait->is_waiting)
		r = end_wait(waits, thread, time_ns);
	else
		waits->profile->quality.n_lost_switches++;
	wait->is_leaving = false;
	return r;
}

int waits_see_running(struct waits *waits, struct live_thread *thread, uint64_t time_ns)
{
	if (!waits->is_on)
		return 0;
	thread->wait.is_seen = true;
	if (!thread->wait.is_waiting)
		return 0;
	waits->profile->quality.n_lost_switches++;
	return end_wait(waits, thread, time_ns);
}

int waits_start_thread(struct waits *waits, struct live_thread *thread, uint64_t time_ns)
{
	const int r = flush_sums(waits, thread);

	thread->wait = (struct thread_wait){ 0 };
	begin_wait(thread, time_ns, true);
	return r;
}

int waits_end_thread(struct waits *waits, struct live_thread *thread)
{
	/* Nothing ends without running: that it came back was lost. */
	if (thread->wait.is_waiting)
		waits->profile->quality.n_lost_switches++;
	thread->wait.is_waiting = false;
	return flush_sums(waits, thread);
}

void waits_pause(struct waits *waits, uint64_t time_ns)
{
	if (waits->n_pauses < WAITS_MAX_PAUSES)
		waits->pauses[waits->n_pauses++] = (struct wait_pause){ time_ns, UINT64_MAX };
}

void waits_resume(struct waits *waits, uint64_t time_ns)
{
	if (waits->n_pauses)
		waits->pauses[waits->n_pauses - 1].end_ns = time_ns;
}

int waits_finish(struct waits *waits, uint64_t time_ns)
{
	struct process_table *processes = waits->processes;
	int r = 0;

	if (!waits->is_on)
		return 0;
	for (size_t i = 0; r == 0 && i < processes->n_threads; i++) {
		struct live_thread *thread = processes->threads[i];

		if (!thread->is_alive)
			continue;
		if (!thread->wait.is_seen)
			begin_unseen(waits, thread);
		if (thread->wait.is_waiting)
			r = end_wait(waits, thread, time_ns);
		if (r == 0)
			r = flush_sums(waits, thread);
	}
	return r;
}
