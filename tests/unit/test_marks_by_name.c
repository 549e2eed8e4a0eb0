/* The library's functions, and scopes with costs: what they leave in a segment. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/allocated_bytes.h"
#include "lib/marks_client.h"
#include "marked_segment.h"
#include "os/marks_memory.h"
#include "tsprof_library.h"

enum { N_SLOTS = 16, RING_BYTES = MARKS_RING_MIN_BYTES, N_THREADS = 8, MORE_NAMES = 2500 };

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

static bool take(size_t i, struct marks_record *record)
{
	return marked_segment_take(&marked, i, record);
}

static struct marks_record take_one(uint32_t what)
{
	struct marks_record record = { 0 };

	assert_true(take(0, &record));
	assert_int_equal(record.what, what);
	return record;
}

static void assert_nothing(void)
{
	struct marks_record record;

	assert_false(take(0, &record));
}

static struct marks_site site_of(uint32_t id)
{
	struct marks_site site;

	assert_true(marks_memory_site(&marked.memory, id, &site));
	return site;
}

static void assert_text(const struct marks_record *record, const char *text)
{
	assert_int_equal(record->payload_bytes, strlen(text));
	assert_memory_equal(marked.payload, text, strlen(text));
}

static void names__are_copied_and_found_again(void **state)
{
	char name[] = "load";
	struct marks_record first, second;

	(void)state;
	errno = ENOENT;
	assert_true(tsprof_is_on());
	tsprof_scope_begin(name);
	name[0] = 'r';
	tsprof_scope_end("load");
	tsprof_scope_begin(name);
	assert_int_equal(errno, ENOENT);
	first = take_one(TSPROF_WHAT_BEGIN);
	assert_string_equal(site_of(first.site).name, "load");
	assert_int_equal(site_of(first.site).kind, TSPROF_KIND_SCOPE);
	assert_int_equal(take_one(TSPROF_WHAT_END).site, first.site);
	second = take_one(TSPROF_WHAT_BEGIN);
	assert_string_equal(site_of(second.site).name, "road");
}

static void one_name__is_another_site_for_each_kind(void **state)
{
	struct marks_record milestone, scope;

	(void)state;
	tsprof_mark("both", NULL);
	tsprof_scope_begin("both");
	milestone = take_one(TSPROF_WHAT_MILESTONE);
	scope = take_one(TSPROF_WHAT_BEGIN);
	assert_int_not_equal(milestone.site, scope.site);
	assert_int_equal(site_of(milestone.site).kind, TSPROF_KIND_MILESTONE);
	assert_nothing();
}

static void marks__carry_what_they_were_given(void **state)
{
	struct marks_record record;
	double value;

	(void)state;
	tsprof_mark("loaded", "rows=7");
	tsprof_scope_arguments("a=1");
	tsprof_scope_failed(NULL);
	tsprof_counter("queue", -2.5);
	tsprof_snapshot("state", "\0\1", 2);
	tsprof_snapshot_text("text", "hello");
	(void)take_one(TSPROF_WHAT_MILESTONE);
	record = take_one(TSPROF_WHAT_DATA);
	assert_text(&record, "rows=7");
	record = take_one(TSPROF_WHAT_ARGUMENTS);
	assert_text(&record, "a=1");
	record = take_one(TSPROF_WHAT_ERROR);
	assert_text(&record, "");
	(void)take_one(TSPROF_WHAT_COUNTER);
	memcpy(&value, marked.payload, sizeof(value));
	assert_true(value == -2.5);
	record = take_one(TSPROF_WHAT_SNAPSHOT);
	assert_int_equal(record.payload_bytes, 2);
	record = take_one(TSPROF_WHAT_TEXT_SNAPSHOT);
	assert_text(&record, "hello");
}

static void hostile_names__are_names(void **state)
{
	static char longest[10000];
	struct marks_record record;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	tsprof_mark(NULL, NULL);
	tsprof_mark("", NULL);
	tsprof_mark(longest, longest);
	tsprof_mark("\xff\xfe", NULL);
	record = take_one(TSPROF_WHAT_MILESTONE);
	assert_string_equal(site_of(record.site).name, "");
	assert_int_equal(take_one(TSPROF_WHAT_MILESTONE).site, record.site);
	record = take_one(TSPROF_WHAT_MILESTONE);
	assert_int_equal(strlen(site_of(record.site).name), TSPROF_NAME_MAX_BYTES);
	record = take_one(TSPROF_WHAT_DATA);
	assert_int_equal(record.payload_bytes, TSPROF_TEXT_MAX_BYTES);
	assert_true(record.is_cut);
	record = take_one(TSPROF_WHAT_MILESTONE);
	assert_string_equal(site_of(record.site).name, "\xff\xfe");
}

static void *mark_same_names(void *unused)
{
	char name[32];

	for (int round = 0; round < 3; round++)
		for (int i = 0; i < 100; i++) {
			(void)snprintf(name, sizeof(name), "same %d", i);
			tsprof_scope_begin(name);
		}
	return unused;
}

/* The site of the one mark that there is, in whatever slot. */
static uint32_t take_site(void)
{
	struct marks_record record = { 0 };

	for (size_t i = 0; i < N_SLOTS && !take(i, &record); i++)
		;
	return record.site;
}

/* Threads that meet at a new name may each make a site of it: the name is what counts. */
static void names_of_several_threads__are_theirs(void **state)
{
	uint32_t n_of_name[100] = { 0 };
	uint32_t once;
	pthread_t threads[N_THREADS];
	size_t n_taken = 0;

	(void)state;
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mark_same_names, NULL), 0);
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (size_t i = 0; i < N_SLOTS; i++) {
		struct marks_record record;

		while (take(i, &record)) {
			const struct marks_site site = site_of(record.site);
			unsigned long n;

			assert_int_equal(strncmp(site.name, "same ", 5), 0);
			n = strtoul(site.name + 5, NULL, 10);
			assert_true(n < N_ITEMS(n_of_name));
			n_of_name[n]++;
			n_taken++;
		}
	}
	assert_int_equal(n_taken, N_THREADS * 300);
	for (size_t i = 0; i < N_ITEMS(n_of_name); i++)
		assert_int_equal(n_of_name[i], N_THREADS * 3);
	/* From then on it is one. */
	tsprof_scope_begin("same 7");
	once = take_site();
	assert_string_equal(site_of(once).name, "same 7");
	tsprof_scope_begin("same 7");
	assert_int_equal(take_site(), once);
}

/* Last of all, as the table stays full. */
static void names_beyond_the_table__are_the_others(void **state)
{
	struct marks_record record = { 0 };
	char name[32];

	(void)state;
	for (int i = 0; i < MORE_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "name %d", i);
		tsprof_mark(name, NULL);
		record = take_one(TSPROF_WHAT_MILESTONE);
	}
	assert_string_equal(site_of(record.site).name, "[other names]");
	tsprof_mark("name 0", NULL);
	record = take_one(TSPROF_WHAT_MILESTONE);
	assert_string_equal(site_of(record.site).name, "name 0");
}

static uint64_t n_allocated;
static bool is_counting;

/* In place of libtsprof-alloc.so. */
uint64_t tsprof_allocated_bytes_1(void)
{
	return is_counting ? n_allocated : ALLOCATED_BYTES_UNKNOWN;
}

static struct marks_costs take_costs(void)
{
	const uint32_t site = take_one(TSPROF_WHAT_BEGIN).site;
	struct marks_costs costs;
	struct marks_record record = take_one(TSPROF_WHAT_COSTS);

	assert_int_equal(record.site, site);
	assert_int_equal(record.payload_bytes, sizeof(costs));
	memcpy(&costs, marked.payload, sizeof(costs));
	assert_int_equal(take_one(TSPROF_WHAT_END).site, site);
	return costs;
}

static void full_scopes__tell_what_the_thread_cost(void **state)
{
	enum { N_PAGES = 20 };
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, N_PAGES * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct marks_costs costs;

	(void)state;
	assert_true(pages != MAP_FAILED);
	(void)madvise(pages, N_PAGES * page, MADV_NOHUGEPAGE);
	is_counting = true;
	{
		TSPROF_SCOPE_FULL("full");
		n_allocated += 300;
		for (size_t i = 0; i < N_PAGES; i++)
			((volatile char *)pages)[i * page] = 1;
	}
	costs = take_costs();
	assert_int_equal(costs.allocated_bytes, 300);
	assert_true(costs.n_faults >= N_PAGES && costs.n_faults < 10 * N_PAGES);
	assert_true(costs.cpu_ns > 0 && costs.cpu_ns < UINT64_C(10000000000));
	assert_int_equal(munmap(pages, N_PAGES * page), 0);
}

static void bytes_that_nobody_counts__are_unknown(void **state)
{
	(void)state;
	is_counting = false;
	{
		TSPROF_SCOPE_FULL("full");
	}
	assert_true(take_costs().allocated_bytes == ALLOCATED_BYTES_UNKNOWN);
	is_counting = false;
	{
		TSPROF_SCOPE_FULL("begun to count");
		is_counting = true;
	}
	assert_true(take_costs().allocated_bytes == ALLOCATED_BYTES_UNKNOWN);
}

static void *end_scope(void *context)
{
	struct tsprof_full_scope_ *scope = context;

	tsprof_link_.api->put_costs(scope->site, &scope->at_begin);
	return NULL;
}

static void another_thread__knows_no_costs(void **state)
{
	TSPROF_SITE(site, "moved");
	struct tsprof_full_scope_ scope = tsprof_full_begin_(&site);
	pthread_t thread;
	struct marks_record record;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, end_scope, &scope), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (size_t i = 0; i < N_SLOTS; i++)
		while (take(i, &record))
			assert_int_not_equal(record.what, TSPROF_WHAT_COSTS);
}

static void while_nothing_records__nothing_is_done(void **state)
{
	struct marks_record record;

	(void)state;
	marks_stop();
	assert_false(tsprof_is_on());
	tsprof_mark("off", "data");
	tsprof_scope_begin("off");
	tsprof_scope_failed("why");
	tsprof_counter("off", 1);
	tsprof_snapshot("off", "x", 1);
	assert_false(take(0, &record));
	assert_int_equal(tsprof_stop(), -ESRCH);
	assert_string_not_equal(tsprof_failure(), "");
	assert_int_equal(tsprof_pause(), -ESRCH);
	assert_int_equal(tsprof_resume(), -ESRCH);
	assert_int_equal(tsprof_start(NULL), -EINVAL);
	assert_int_equal(setenv("TSPROF", "/nowhere/tsprof", 1), 0);
	assert_int_equal(tsprof_start("never.tsprof"), -ENOENT);
	assert_non_null(strstr(tsprof_failure(), "TSPROF"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names__are_copied_and_found_again, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(one_name__is_another_site_for_each_kind, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(marks__carry_what_they_were_given, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(hostile_names__are_names, set_up, tear_down),
		cmocka_unit_test_setup_teardown(names_of_several_threads__are_theirs, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(full_scopes__tell_what_the_thread_cost, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(bytes_that_nobody_counts__are_unknown, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(another_thread__knows_no_costs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(while_nothing_records__nothing_is_done, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(names_beyond_the_table__are_the_others, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
