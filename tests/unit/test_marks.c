/* What the macros of tsprof.h leave in a segment, read as the recorder would. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/marks_client.h"
#include "marked_segment.h"
#include "os/marks_memory.h"
#include "tsprof.h"

enum { N_SLOTS = 4, RING_BYTES = MARKS_RING_MIN_BYTES };

static struct marked_segment marked;

static int set_up(void **state)
{
	(void)state;
	return marked_segment_start(&marked, N_SLOTS);
}

static int tear_down(void **state)
{
	(void)state;
	return marked_segment_stop(&marked);
}

static struct marks_slot *slot_of(size_t i)
{
	return marked.rings[i].slot;
}

static struct marks_site site_of(uint32_t id)
{
	struct marks_site site;

	assert_true(marks_memory_site(&marked.memory, id, &site));
	return site;
}

static void assert_site_name(uint32_t id, const char *name)
{
	const struct marks_site site = site_of(id);

	assert_string_equal(site.name, name);
}

static bool take(size_t i, struct marks_record *record)
{
	return marked_segment_take(&marked, i, record);
}

static struct marks_record take_one(size_t i, uint32_t what)
{
	struct marks_record record = { 0 };

	assert_true(take(i, &record));
	assert_int_equal(record.what, what);
	return record;
}

static int early_return(int x)
{
	TSPROF_SCOPE_CATEGORY("outer", "io");
	if (x)
		return x;
	TSPROF_FUNCTION;
	return 0;
}

static void scopes__end_with_their_blocks(void **state)
{
	struct marks_record begin, end;
	struct marks_site site;

	(void)state;
	assert_int_equal(early_return(3), 3);
	assert_int_equal(early_return(0), 0);
	begin = take_one(0, TSPROF_WHAT_BEGIN);
	assert_site_name(begin.site, "outer");
	site = site_of(begin.site);
	assert_string_equal(site.category, "io");
	assert_int_equal(site.kind, TSPROF_KIND_SCOPE);
	assert_non_null(strstr(site.file, "test_marks.c"));
	end = take_one(0, TSPROF_WHAT_END);
	assert_int_equal(end.site, begin.site);
	assert_true(end.time >= begin.time);
	assert_int_equal(take_one(0, TSPROF_WHAT_BEGIN).site, begin.site);
	begin = take_one(0, TSPROF_WHAT_BEGIN);
	assert_site_name(begin.site, "early_return");
	assert_int_equal(take_one(0, TSPROF_WHAT_END).site, begin.site);
	(void)take_one(0, TSPROF_WHAT_END);
	assert_false(take(0, &begin));
}

static void marks__carry_their_data(void **state)
{
	static const char bytes[] = { 0, 1, 2, 3, 4 };
	struct marks_record record;
	double value;

	(void)state;
	errno = ENOENT;
	TSPROF_MILESTONE_DATA("loaded", "rows=%d %s", 7, strerror(errno));
	TSPROF_COUNTER("queue", 42);
	TSPROF_SNAPSHOT("state", bytes, sizeof(bytes));
	TSPROF_SNAPSHOT_TEXT("text", "%s", "hello");
	tsprof_scope_error("bad %s", "luck");
	assert_int_equal(errno, ENOENT);
	record = take_one(0, TSPROF_WHAT_MILESTONE);
	assert_site_name(record.site, "loaded");
	record = take_one(0, TSPROF_WHAT_DATA);
	assert_int_equal(record.payload_bytes, strlen("rows=7 No such file or directory"));
	assert_memory_equal(marked.payload, "rows=7 No such file or directory", 32);
	record = take_one(0, TSPROF_WHAT_COUNTER);
	memcpy(&value, marked.payload, sizeof(value));
	assert_true(value > 41.9 && value < 42.1);
	record = take_one(0, TSPROF_WHAT_SNAPSHOT);
	assert_int_equal(record.payload_bytes, sizeof(bytes));
	assert_memory_equal(marked.payload, bytes, sizeof(bytes));
	record = take_one(0, TSPROF_WHAT_TEXT_SNAPSHOT);
	assert_memory_equal(marked.payload, "hello", 5);
	record = take_one(0, TSPROF_WHAT_ERROR);
	assert_int_equal(record.site, 0);
	assert_memory_equal(marked.payload, "bad luck", 8);
}

static void payloads__have_limits(void **state)
{
	char *large = calloc(1, TSPROF_SNAPSHOT_MAX_BYTES + 1);
	struct marks_record record;

	(void)state;
	assert_non_null(large);
	memset(large, 'x', TSPROF_SNAPSHOT_MAX_BYTES);
	TSPROF_SNAPSHOT("large", large, (size_t)1 << 30 > 0 ? TSPROF_SNAPSHOT_MAX_BYTES + 1 : 0);
	TSPROF_SNAPSHOT("none", NULL, 100);
	TSPROF_SNAPSHOT_TEXT("long", "%s", large);
	record = take_one(0, TSPROF_WHAT_SNAPSHOT);
	assert_true(record.is_cut);
	assert_int_equal(record.payload_bytes, TSPROF_SNAPSHOT_MAX_BYTES);
	record = take_one(0, TSPROF_WHAT_SNAPSHOT);
	assert_int_equal(record.payload_bytes, 0);
	record = take_one(0, TSPROF_WHAT_TEXT_SNAPSHOT);
	assert_true(record.is_cut);
	assert_int_equal(record.payload_bytes, TSPROF_TEXT_MAX_BYTES);
	free(large);
}

static void ring__that_is_full_drops_and_counts_but_keeps_errors(void **state)
{
	uint64_t n_taken = 0;
	uint64_t n_errors = 0;
	struct marks_record record;

	(void)state;
	for (int i = 0; i < RING_BYTES / 16 + 100; i++)
		TSPROF_MILESTONE("many");
	for (int i = 0; i < 50; i++)
		tsprof_scope_error("error %d", i);
	while (take(0, &record)) {
		n_taken += record.what == TSPROF_WHAT_MILESTONE;
		n_errors += record.what == TSPROF_WHAT_ERROR;
	}
	assert_int_equal(n_errors, 50);
	assert_int_equal(n_taken + atomic_load(&slot_of(0)->n_lost), RING_BYTES / 16 + 100);
	assert_true(n_taken * 16 >= RING_BYTES - 2 * MARKS_RING_RESERVED_BYTES);
	/* And with room there is a future. */
	TSPROF_MILESTONE("later");
	record = take_one(0, TSPROF_WHAT_MILESTONE);
	assert_site_name(record.site, "later");
}

static void ring__that_is_emptied_loses_nothing_and_stays_small(void **state)
{
	uint64_t largest = 0;
	struct marks_record record;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++) {
		TSPROF_COUNTER("i", i);
		if (i % 7 == 0)
			TSPROF_MILESTONE("seventh");
		if (i % 100)
			continue;
		while (take(0, &record))
			;
		if (slot_of(0)->head - slot_of(0)->base > largest)
			largest = slot_of(0)->head - slot_of(0)->base;
	}
	assert_int_equal(atomic_load(&slot_of(0)->n_lost), 0);
	assert_true(largest <= 3 * MARKS_RING_RESERVED_BYTES);
}

static void *mark_on_thread(void *unused)
{
	TSPROF_SCOPE("thread");
	return unused;
}

static void threads__have_slots_of_their_own_and_give_them_back(void **state)
{
	struct marks_record record;

	(void)state;
	TSPROF_MILESTONE("main");
	for (size_t round = 0; round < 3; round++) {
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, mark_on_thread, NULL), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		record = take_one(1, TSPROF_WHAT_BEGIN);
		assert_site_name(record.site, "thread");
		(void)take_one(1, TSPROF_WHAT_END);
		assert_int_equal(atomic_load(&slot_of(1)->state), MARKS_SLOT_ENDED);
		assert_true(marks_ring_recycle(&marked.rings[1]));
	}
	assert_true(take(0, &record));
}

static void threads__without_a_slot_are_counted(void **state)
{
	pthread_t thread;

	(void)state;
	for (size_t i = 0; i < N_SLOTS; i++)
		atomic_store(&slot_of(i)->state, MARKS_SLOT_USED);
	assert_int_equal(pthread_create(&thread, NULL, mark_on_thread, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(atomic_load(&marked.segment->n_without_slot), 2);
}

static void sites__beyond_the_table_share_the_last_of_their_kind(void **state)
{
	struct tsprof_site one = { .name = "one", .kind = TSPROF_KIND_SCOPE };
	struct tsprof_site two = { .name = "two", .kind = TSPROF_KIND_SCOPE };
	struct tsprof_site milestone = { .name = "three", .kind = TSPROF_KIND_MILESTONE };
	uint32_t id;

	(void)state;
	for (size_t i = 0; i < MARKS_MAX_SITES; i++) {
		struct tsprof_site site = { .name = "filler",
					    .line = (uint32_t)i,
					    .kind = TSPROF_KIND_SCOPE };

		(void)marks_site_id(&site);
	}
	id = marks_site_id(&one);
	assert_in_range(id, MARKS_MAX_SITES - MARKS_OTHER_SITES + 1, MARKS_MAX_SITES);
	assert_int_equal(marks_site_id(&two), id);
	assert_int_equal(marks_site_id(&one), id);
	assert_site_name(id, "[other sites]");
	assert_int_equal(site_of(id).kind, TSPROF_KIND_SCOPE);
	assert_int_not_equal(marks_site_id(&milestone), id);
	assert_int_equal(site_of(marks_site_id(&milestone)).kind, TSPROF_KIND_MILESTONE);
	assert_int_equal(site_of(id).kind, TSPROF_KIND_SCOPE);
	assert_true(atomic_load(&marked.segment->n_sites) > MARKS_MAX_SITES);
}

static void sites__have_odd_names(void **state)
{
	static const char shared[] = "/a/very/long/path/";
	char path[400];
	char name[1000];
	struct tsprof_site odd = { .name = NULL, .file = path, .kind = TSPROF_KIND_SCOPE };
	struct tsprof_site long_name = { .name = name, .kind = TSPROF_KIND_SCOPE };
	struct marks_site site;

	(void)state;
	memset(path, 'p', sizeof(path));
	memcpy(path, shared, strlen(shared));
	memcpy(path + sizeof(path) - 5, "/x.c", 5);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	site = site_of(marks_site_id(&odd));
	assert_string_equal(site.name, "");
	assert_string_equal(site.file + strlen(site.file) - 4, "/x.c");
	site = site_of(marks_site_id(&long_name));
	assert_int_equal(strlen(site.name), TSPROF_NAME_MAX_BYTES);
}

static void scope__sampled_is_recorded_once_in_so_often(void **state)
{
	struct marks_record record;
	int n = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		TSPROF_SCOPE_SAMPLED("hot", 10);
	}
	while (take(0, &record))
		n++;
	assert_int_equal(n, 20);
}

static void marks__are_off_when_stopped(void **state)
{
	TSPROF_SITE(site, "site");

	(void)state;
	TSPROF_MILESTONE("on");
	marks_stop();
	TSPROF_MILESTONE("off");
	tsprof_begin(&site);
	tsprof_end(&site);
	assert_int_equal(slot_of(0)->head, 16);
	assert_int_equal(site.id, 0);
}

static void mark_again(void)
{
	TSPROF_MILESTONE("again");
}

static void sites__are_known_to_the_next_segment(void **state)
{
	struct marks_record record;

	mark_again();
	record = take_one(0, TSPROF_WHAT_MILESTONE);
	assert_site_name(record.site, "again");
	assert_int_equal(tear_down(state), 0);
	mark_again();
	assert_int_equal(set_up(state), 0);
	mark_again();
	record = take_one(0, TSPROF_WHAT_MILESTONE);
	assert_site_name(record.site, "again");
}

static void fork__leaves_the_ring_to_the_parent(void **state)
{
	struct marks_record record;
	int status = -1;
	pid_t pid;

	(void)state;
	mark_again();
	pid = fork();
	if (pid == 0) {
		mark_again();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	mark_again();
	(void)take_one(0, TSPROF_WHAT_MILESTONE);
	(void)take_one(0, TSPROF_WHAT_MILESTONE);
	assert_false(take(0, &record));
}

/* Whatever a program writes, taking ends, and nothing outside is read (ASan). */
static void memory__may_hold_anything(void **state)
{
	uint64_t seed = 11;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct marks_ring *ring = &marked.rings[round % N_SLOTS];
		uint64_t *words = (uint64_t *)(uintptr_t)ring->data;
		struct marks_record record;
		struct marks_site site;
		int n = 0;

		for (size_t i = 0; i < RING_BYTES / 8; i += 1 + seed % 3) {
			seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
			words[i] = seed >> (seed >> 58);
		}
		ring->slot->head = ring->tail +
				   (round % 3 ? seed >> 40 : seed % RING_BYTES / 16 * 16);
		marks_ring_refresh(ring);
		while (marks_ring_next(ring, &record, marked.payload) == MARKS_RING_RECORD &&
		       n <= RING_BYTES / 16)
			n++;
		assert_true(n <= RING_BYTES / 16);
		memset((char *)marked.segment + marks_sites_offset(), (int)(seed >> 56), 512);
		if (marks_memory_site(&marked.memory, 1, &site))
			assert_true(strlen(site.name) < sizeof(site.name));
		assert_false(marks_memory_site(&marked.memory, MARKS_MAX_SITES + 1, &site));
		assert_false(marks_memory_site(&marked.memory, 0, &site));
	}
}

static void map__refuses_what_could_go_away(void **state)
{
	const int fd = memfd_create("marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct marks_memory other = { 0 };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)marks_segment_bytes(1, RING_BYTES)), 0);
	assert_int_equal(marks_memory_map(&other, fd, 1, RING_BYTES, NULL), -EINVAL);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_int_equal(marks_memory_map(&other, fd, 2, RING_BYTES, NULL), -EINVAL);
	assert_int_equal(marks_memory_map(&other, fd, 1, RING_BYTES + 16, NULL), -EINVAL);
	assert_int_equal(marks_memory_map(&other, fd, 1, RING_BYTES, NULL), 0);
	marks_memory_unmap(&other);
	(void)close(fd);
}

static void start__refuses_sizes_without_sense(void **state)
{
	struct marks_segment small = { .n_slots = 1, .ring_bytes = MARKS_RING_MIN_BYTES };

	(void)state;
	assert_false(marks_start(&small, sizeof(small)));
	small.ring_bytes = MARKS_RING_MIN_BYTES + 16;
	assert_false(marks_start(&small, SIZE_MAX));
	small = (struct marks_segment){ .ring_bytes = MARKS_RING_MIN_BYTES };
	assert_false(marks_start(&small, SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scopes__end_with_their_blocks, set_up, tear_down),
		cmocka_unit_test_setup_teardown(marks__carry_their_data, set_up, tear_down),
		cmocka_unit_test_setup_teardown(payloads__have_limits, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			ring__that_is_full_drops_and_counts_but_keeps_errors, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ring__that_is_emptied_loses_nothing_and_stays_small,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads__have_slots_of_their_own_and_give_them_back,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(threads__without_a_slot_are_counted, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(sites__have_odd_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scope__sampled_is_recorded_once_in_so_often, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(marks__are_off_when_stopped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sites__are_known_to_the_next_segment, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(fork__leaves_the_ring_to_the_parent, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(memory__may_hold_anything, set_up, tear_down),
		cmocka_unit_test(map__refuses_what_could_go_away),
		cmocka_unit_test_setup_teardown(start__refuses_sizes_without_sense, set_up,
						tear_down),
		/* The last: it leaves no place for further sites. */
		cmocka_unit_test_setup_teardown(
			sites__beyond_the_table_share_the_last_of_their_kind, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
