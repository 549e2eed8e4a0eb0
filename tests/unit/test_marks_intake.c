/* What programs write into their rings, and what the recorder makes of it; some are hostile. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "lib/marks_wire.h"
#include "record/marks_intake.h"

enum { N_SLOTS = 3, RING_BYTES = MARKS_RING_MIN_BYTES, N_HOSTILE_ROUNDS = 300 };

static const struct marks_store_options options = { .n_snapshots = 3 };

/* A program's memory as it sees it, and the recorder that it reports to. */
static struct fixture {
	struct profile profile;
	struct process_table processes;
	struct marks_intake marks;
	uint8_t *bytes;
	size_t size_bytes;
	uint32_t pid; /* one that lives: of those that end nothing more is read */
	uint64_t start_ns;
	uint64_t random;
} f;

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct marks_segment *segment(void)
{
	return (struct marks_segment *)(void *)f.bytes;
}

static struct marks_slot *slot_of(uint32_t i)
{
	return (struct marks_slot *)(void *)(f.bytes + marks_slots_offset()) + i;
}

static uint8_t *ring_of(uint32_t i)
{
	return f.bytes + marks_rings_offset(N_SLOTS) + (size_t)i * RING_BYTES;
}

static void add_site(uint32_t id, uint32_t kind, const char *name)
{
	struct marks_site *site = (struct marks_site *)(void *)(f.bytes + marks_sites_offset()) +
				  (id - 1);

	(void)snprintf(site->name, sizeof(site->name), "%s", name);
	atomic_store(&site->kind, kind);
}

enum { OUTER = 1, INNER = 2, LOADED = 3, QUEUE = 4, STATE = 5 };

static int set_up(void **state)
{
	struct marks_memory memory;
	const int fd = memfd_create("marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	f = (struct fixture){ .size_bytes = marks_segment_bytes(N_SLOTS, RING_BYTES),
			      .pid = (uint32_t)getpid() };
	if (fd < 0 || ftruncate(fd, (off_t)f.size_bytes) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0 ||
	    marks_memory_map(&memory, fd, N_SLOTS, RING_BYTES, NULL) < 0)
		return -1;
	f.bytes = mmap(NULL, f.size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	f.start_ns = now_ns() - 1000000000;
	if (f.bytes == MAP_FAILED || profile_init(&f.profile) < 0)
		return -1;
	f.profile.info.start_ns = f.start_ns;
	process_table_init(&f.processes, &f.profile);
	segment()->clock = MARKS_CLOCK_MONOTONIC;
	add_site(OUTER, TSPROF_KIND_SCOPE, "outer");
	add_site(INNER, TSPROF_KIND_SCOPE, "inner");
	add_site(LOADED, TSPROF_KIND_MILESTONE, "loaded");
	add_site(QUEUE, TSPROF_KIND_COUNTER, "queue");
	add_site(STATE, TSPROF_KIND_SNAPSHOT, "state");
	return marks_intake_init(&f.marks, &f.profile, &f.processes, &options, NULL) < 0 ||
			       marks_intake_add(&f.marks, f.pid, 1, 0, &memory) < 0
		       ? -1
		       : 0;
}

static int tear_down(void **state)
{
	(void)state;
	marks_intake_release(&f.marks);
	process_table_release(&f.processes);
	profile_release(&f.profile);
	return munmap(f.bytes, f.size_bytes);
}

/* As thread f.pid + i, `us` microseconds after the start. */
static void put_bytes(uint32_t i, uint32_t what, uint32_t site, uint64_t us, const void *bytes,
		      uint32_t size)
{
	struct marks_slot *slot = slot_of(i);
	const struct tsprof_record_ record = {
		.time = f.start_ns + us * 1000,
		.site = site,
		.what = what | size << MARKS_WHAT_BITS,
	};
	uint8_t *at = ring_of(i) + slot->head % RING_BYTES;

	slot->tid = f.pid + i;
	atomic_store(&slot->state, MARKS_SLOT_USED);
	memcpy(at, &record, sizeof(record));
	if (size)
		memcpy(at + sizeof(record), bytes, size);
	__atomic_store_n(&slot->head, slot->head + sizeof(record) + ((size + 15U) & ~15U),
			 __ATOMIC_RELEASE);
}

static void put(uint32_t i, uint32_t what, uint32_t site, uint64_t us)
{
	put_bytes(i, what, site, us, NULL, 0);
}

static void put_text(uint32_t i, uint32_t what, const char *text)
{
	put_bytes(i, what, 0, 0, text, (uint32_t)strlen(text));
}

static void drain(bool is_final)
{
	/* The sampler has told everything. */
	marks_intake_look(&f.marks, UINT64_MAX, false);
	assert_int_equal(marks_intake_drain(&f.marks, is_final), 0);
}

static const struct scope_node *node_of(const char *name)
{
	const struct marks *marks = &f.profile.marks;

	for (size_t i = 1; i < marks->scopes.n_nodes; i++) {
		const struct mark_site *site = &marks->sites[marks->scopes.nodes[i].site];

		if (strcmp(interner_get(&f.profile.strings, site->name), name) == 0)
			return &marks->scopes.nodes[i];
	}
	fail_msg("no scope %s", name);
	return NULL;
}

static const struct marks_quality *quality(void)
{
	return &f.profile.marks.quality;
}

static void marks_intake__makes_statistics_of_scopes(void **state)
{
	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	put(0, TSPROF_WHAT_BEGIN, INNER, 200);
	put(0, TSPROF_WHAT_END, INNER, 250);
	drain(false);
	put(0, TSPROF_WHAT_BEGIN, INNER, 300);
	put(0, TSPROF_WHAT_END, INNER, 400);
	put(0, TSPROF_WHAT_END, OUTER, 500);
	drain(true);
	assert_int_equal(node_of("outer")->total_ns, 400000);
	assert_int_equal(node_of("outer")->self_ns, 250000);
	assert_int_equal(node_of("inner")->total_ns, 150000);
	assert_int_equal(node_of("inner")->durations_ns.n_values, 2);
	assert_int_equal(f.profile.marks.n_calls, 3);
	assert_int_equal(f.profile.threads[f.profile.marks.calls[0].thread].tid, f.pid);
	assert_int_equal(quality()->n_records, 6);
	assert_int_equal(quality()->n_bad, 0);
}

static uint32_t scope_at(uint32_t i, uint64_t us)
{
	struct live_thread *live = process_table_thread(&f.processes, f.pid, f.pid + i);

	return marks_intake_scope(&f.marks, live, f.start_ns + us * 1000);
}

/* Before what is asked was drained, and after. */
static void marks_intake__knows_the_scope_of_a_sample(void **state)
{
	uint32_t outer;
	uint32_t inner;

	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	put(0, TSPROF_WHAT_BEGIN, INNER, 200);
	put(0, TSPROF_WHAT_END, INNER, 300);
	put(0, TSPROF_WHAT_END, OUTER, 400);
	marks_intake_look(&f.marks, f.start_ns, false);
	assert_int_equal(scope_at(0, 99), 0);
	outer = scope_at(0, 150);
	inner = scope_at(0, 250);
	assert_int_equal(f.profile.marks.scopes.nodes[inner].parent, outer);
	assert_ptr_equal(&f.profile.marks.scopes.nodes[outer], node_of("outer"));
	assert_int_equal(scope_at(1, 250), 0);
	assert_int_equal(marks_intake_drain(&f.marks, false), 0);
	assert_int_equal(scope_at(0, 299), inner);
	assert_int_equal(scope_at(0, 300), outer);
	assert_int_equal(scope_at(0, 401), 0);
	assert_int_equal(quality()->n_late_samples, 0);
}

static void marks_intake__counts_questions_that_come_too_late(void **state)
{
	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	drain(false);
	put(0, TSPROF_WHAT_END, OUTER, 200000);
	put(0, TSPROF_WHAT_BEGIN, OUTER, 300000);
	drain(false);
	(void)scope_at(0, 150000);
	assert_int_equal(quality()->n_late_samples, 1);
}

static void marks_intake__takes_time_as_it_can_be(void **state)
{
	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 500000);
	put(0, TSPROF_WHAT_END, OUTER, 100000);
	assert_int_equal(quality()->n_bad, 0);
	put(0, TSPROF_WHAT_BEGIN, INNER, UINT32_MAX);
	put(0, TSPROF_WHAT_END, INNER, UINT32_MAX);
	drain(true);
	assert_int_equal(node_of("outer")->total_ns, 0);
	assert_int_equal(node_of("inner")->total_ns, 0);
	assert_int_equal(quality()->n_bad, 3);
}

static void marks_intake__leaves_open_what_never_ends(void **state)
{
	(void)state;
	put(0, TSPROF_WHAT_END, INNER, 50);
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	put_text(0, TSPROF_WHAT_ARGUMENTS, "i=1");
	put(0, TSPROF_WHAT_BEGIN, INNER, 200);
	drain(true);
	assert_int_equal(f.profile.marks.scopes.n_unmatched_ends, 1);
	assert_int_equal(node_of("outer")->n_open, 1);
	assert_int_equal(node_of("inner")->n_open, 1);
	assert_int_equal(f.profile.marks.n_calls, 2);
	assert_int_equal(f.profile.marks.calls[0].flags, SCOPE_CALL_OPEN);
	assert_string_equal(interner_get(&f.profile.strings, f.profile.marks.calls[0].arguments),
			    "i=1");
}

/* The file is appended to: what is in the profile must not change any more. */
static void marks_intake__waits_for_the_data_of_a_milestone(void **state)
{
	(void)state;
	/* From the future, so that it is just now: it is given some milliseconds. */
	put(0, TSPROF_WHAT_MILESTONE, LOADED, UINT32_MAX);
	drain(false);
	assert_int_equal(f.profile.marks.n_milestones, 0);
	put_text(0, TSPROF_WHAT_DATA, "rows=5");
	put(0, TSPROF_WHAT_MILESTONE, LOADED, 500);
	drain(true);
	assert_int_equal(f.profile.marks.n_milestones, 2);
	assert_string_equal(interner_get(&f.profile.strings, f.profile.marks.milestones[0].data),
			    "rows=5");
	assert_int_equal(f.profile.marks.milestones[1].data, 0);
}

static const char *scope_name_of(uint32_t node)
{
	const struct marks *marks = &f.profile.marks;

	return node ? interner_get(&f.profile.strings,
				   marks->sites[marks->scopes.nodes[node].site].name)
		    : "";
}

static void marks_intake__knows_the_scope_of_every_mark(void **state)
{
	const double value = 1;

	(void)state;
	put(0, TSPROF_WHAT_MILESTONE, LOADED, 10);
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	put_bytes(0, TSPROF_WHAT_COUNTER, QUEUE, 110, &value, sizeof(value));
	put(0, TSPROF_WHAT_BEGIN, INNER, 200);
	put(0, TSPROF_WHAT_MILESTONE, LOADED, 210);
	put(0, TSPROF_WHAT_END, INNER, 300);
	put_bytes(0, TSPROF_WHAT_SNAPSHOT, STATE, 310, "x", 1);
	put(0, TSPROF_WHAT_END, OUTER, 400);
	put_bytes(0, TSPROF_WHAT_COUNTER, QUEUE, 410, &value, sizeof(value));
	put(1, TSPROF_WHAT_MILESTONE, LOADED, 250);
	drain(true);
	assert_int_equal(f.profile.marks.n_milestones, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct milestone *milestone = &f.profile.marks.milestones[i];
		const bool is_inside = milestone->time_ns == f.start_ns + 210 * 1000;

		assert_string_equal(scope_name_of(milestone->scope), is_inside ? "inner" : "");
	}
	assert_string_equal(scope_name_of(f.profile.marks.counters[0].scope), "outer");
	assert_int_equal(f.profile.marks.counters[1].scope, 0);
	assert_string_equal(scope_name_of(f.profile.marks.snapshots[0].scope), "outer");
}

static void marks_intake__keeps_the_slowest_and_the_failed(void **state)
{
	uint64_t us = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		put(0, TSPROF_WHAT_BEGIN, OUTER, us);
		if (i == 3)
			put_text(0, TSPROF_WHAT_ERROR, "no memory");
		us += 1 + (i * 7919) % 1000; /* a different duration each */
		put(0, TSPROF_WHAT_END, OUTER, us);
	}
	drain(true);
	assert_int_equal(f.profile.marks.n_calls, MARK_CALLS_SLOWEST + 1);
	for (size_t i = 0; i < MARK_CALLS_SLOWEST; i++)
		assert_in_range(f.profile.marks.calls[i].duration_ns, 991000, 1000000);
	assert_int_equal(f.profile.marks.calls[MARK_CALLS_SLOWEST].flags, SCOPE_CALL_ERROR);
	assert_int_equal(node_of("outer")->n_errors, 1);
	assert_int_equal(node_of("outer")->durations_ns.n_values, 1000);
}

static void marks_intake__keeps_values_and_snapshots_within_bounds(void **state)
{
	const uint32_t n_values = 40000;

	(void)state;
	for (uint32_t i = 0; i < n_values; i++) {
		const double value = i;

		put_bytes(0, TSPROF_WHAT_COUNTER, QUEUE, i, &value, sizeof(value));
		if (i % 1000 == 0)
			drain(false);
	}
	for (uint32_t i = 0; i < 10; i++)
		put_bytes(0, TSPROF_WHAT_SNAPSHOT, STATE, n_values + i, &i, sizeof(i));
	drain(true);
	assert_in_range(f.profile.marks.n_counters, MARK_COUNTERS_SITE_VALUES / 2,
			MARK_COUNTERS_SITE_VALUES + 1);
	assert_int_equal(f.profile.marks.n_counters + quality()->n_counters_dropped, n_values);
	assert_true(f.profile.marks.counters[f.profile.marks.n_counters - 1].value == n_values - 1);
	assert_int_equal(f.profile.marks.n_snapshots, 3);
	assert_int_equal(quality()->n_snapshots_dropped, 7);
	assert_int_equal(f.profile.marks.bytes[0], 7);
}

static void marks_intake__follows_scopes_through_a_pause(void **state)
{
	const double value = 1;

	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100);
	drain(false);
	marks_store_set_paused(&f.marks.store, true, f.start_ns + 150 * 1000);
	put(0, TSPROF_WHAT_BEGIN, INNER, 200);
	put(0, TSPROF_WHAT_MILESTONE, LOADED, 210);
	put_bytes(0, TSPROF_WHAT_COUNTER, QUEUE, 220, &value, sizeof(value));
	drain(false);
	marks_store_set_paused(&f.marks.store, false, f.start_ns + 300 * 1000);
	put(0, TSPROF_WHAT_END, INNER, 400);
	put(0, TSPROF_WHAT_BEGIN, INNER, 500);
	put(0, TSPROF_WHAT_END, INNER, 600);
	put(0, TSPROF_WHAT_END, OUTER, 700);
	drain(true);
	assert_int_equal(node_of("inner")->total_ns, 100000);
	assert_int_equal(node_of("outer")->durations_ns.n_values, 0);
	assert_int_equal(f.profile.marks.scopes.n_unmatched_ends, 0);
	assert_int_equal(f.profile.marks.n_milestones, 1);
	assert_int_equal(f.profile.marks.n_counters, 0);
}

static uint64_t next_random(void)
{
	f.random = f.random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return f.random >> 16;
}

/* Whatever is in the rings: all of it is counted, none of it is believed. */
static void marks_intake__survives_random_bytes(void **state)
{
	(void)state;
	for (int round = 0; round < N_HOSTILE_ROUNDS; round++) {
		const uint32_t i = (uint32_t)round % N_SLOTS;
		struct marks_slot *slot = slot_of(i);

		atomic_store(&slot->state, (uint32_t)next_random() % 4);
		slot->tid = (uint32_t)next_random();
		slot->base = next_random();
		for (size_t at = 0; at < 64 * 1024; at++)
			ring_of(i)[(at + slot->head) % RING_BYTES] = (uint8_t)next_random();
		__atomic_store_n(&slot->head,
				 round % 7 ? slot->head + next_random() % 65536 : next_random(),
				 __ATOMIC_RELEASE);
		drain(false);
	}
	assert_true(quality()->n_bad > N_HOSTILE_ROUNDS / 2);
	drain(true);
}

/* Records that make sense one by one, in an order that does not. */
static void marks_intake__survives_random_records(void **state)
{
	char text[4000];

	(void)state;
	memset(text, 'x', sizeof(text));
	for (uint32_t i = MARKS_MAX_SITES; i > MARKS_MAX_SITES / 2; i--)
		add_site(i, (uint32_t)next_random() % 6, "random");
	for (int round = 0; round < N_HOSTILE_ROUNDS; round++) {
		for (int i = 0; i < 100; i++)
			put_bytes((uint32_t)next_random() % N_SLOTS, (uint32_t)next_random() % 16,
				  (uint32_t)next_random() % (MARKS_MAX_SITES + 2),
				  next_random() % 2000000, text,
				  (uint32_t)(next_random() % 8 ? 0 : next_random() % 512));
		for (uint32_t i = 0; i < N_SLOTS; i++)
			if (slot_of(i)->head % RING_BYTES > RING_BYTES - 100 * 600)
				__atomic_store_n(&slot_of(i)->head,
						 (slot_of(i)->head | (RING_BYTES - 1)) + 1,
						 __ATOMIC_RELEASE);
		drain(false);
	}
	drain(true);
	assert_true(f.profile.marks.scopes.n_nodes <= SCOPE_TREE_MAX_NODES);
}

static void marks_intake__forgets_threads_that_end(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		put(0, TSPROF_WHAT_BEGIN, OUTER, i * 10);
		put(0, TSPROF_WHAT_END, OUTER, i * 10 + 5);
		slot_of(0)->tid = f.pid + i;
		atomic_store(&slot_of(0)->state, MARKS_SLOT_ENDED);
		drain(false);
		assert_int_equal(atomic_load(&slot_of(0)->state), MARKS_SLOT_FREE);
	}
	assert_null(f.marks.ended);
	assert_int_equal(f.processes.n_threads, 1000);
	assert_int_equal(node_of("outer")->durations_ns.n_values, 1000);
}

/* Those that are as usual are taken together; none of these is. */
static void marks_intake__looks_at_each_of_many_scopes(void **state)
{
	const uint64_t usual_ns = 10000;
	uint64_t now_ns;

	(void)state;
	put(0, TSPROF_WHAT_BEGIN, OUTER, 100000);
	put(0, TSPROF_WHAT_MILESTONE, LOADED, 100005);
	put(0, TSPROF_WHAT_END, OUTER, 100010);
	drain(false);
	put(0, TSPROF_WHAT_BEGIN, OUTER, 200000);
	put(0, TSPROF_WHAT_BEGIN, LOADED, 200001);
	put(0, TSPROF_WHAT_END, OUTER, 100000);
	put(0, TSPROF_WHAT_BEGIN, OUTER, 300000);
	put(0, TSPROF_WHAT_END, OUTER, UINT32_MAX);
	drain(false);
	now_ns = f.marks.reader.limit_ns;
	assert_int_equal(quality()->n_records, 8);
	assert_int_equal(quality()->n_bad, 3);
	assert_int_equal(node_of("outer")->durations_ns.n_values, 3);
	assert_int_equal(node_of("outer")->total_ns,
			 usual_ns + 0 + (now_ns - f.start_ns - 300000000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(marks_intake__makes_statistics_of_scopes),
		TEST(marks_intake__knows_the_scope_of_a_sample),
		TEST(marks_intake__counts_questions_that_come_too_late),
		TEST(marks_intake__takes_time_as_it_can_be),
		TEST(marks_intake__leaves_open_what_never_ends),
		TEST(marks_intake__waits_for_the_data_of_a_milestone),
		TEST(marks_intake__knows_the_scope_of_every_mark),
		TEST(marks_intake__keeps_the_slowest_and_the_failed),
		TEST(marks_intake__keeps_values_and_snapshots_within_bounds),
		TEST(marks_intake__follows_scopes_through_a_pause),
		TEST(marks_intake__survives_random_bytes),
		TEST(marks_intake__survives_random_records),
		TEST(marks_intake__forgets_threads_that_end),
		TEST(marks_intake__looks_at_each_of_many_scopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
