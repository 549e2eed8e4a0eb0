/* Maps that appear, grow and go, of this process itself. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "record/jit_table.h"

enum { OWNER = 3, NEXT_OWNER = 5 };

static const char *map_path(void)
{
	static char path[64];

	(void)snprintf(path, sizeof(path), "/tmp/perf-%ld.map", (long)getpid());
	return path;
}

static void append(const char *text)
{
	FILE *map = fopen(map_path(), "a");

	assert_non_null(map);
	assert_true(fputs(text, map) >= 0);
	assert_int_equal(fclose(map), 0);
}

static int remove_map(void **state)
{
	(void)state;
	(void)unlink(map_path());
	return 0;
}

/* The name that the owner's symbols have for an ip in the end. */
static const char *name_at(const struct jit_table *table, uint32_t owner, uint64_t ip)
{
	const struct jit_symbol *found;
	const struct symbolizer_jit jit = jit_table_find(table, owner);

	if (!jit.symbols)
		return "no symbols";
	assert_int_equal(jit_symbols_resolve(jit.symbols, &ip, 1, jit.until_ns, &found), 0);
	return found ? interner_get(&jit.symbols->strings, found->name) : "none";
}

static void poll_now(struct jit_table *table)
{
	enum jit_change change;

	assert_int_equal(jit_table_poll(table, OWNER, UINT64_MAX, &change), 0);
	assert_int_equal(change, JIT_SAME);
}

static void jit_table__reads_a_map_while_it_grows(void **state)
{
	struct jit_table table;

	(void)state;
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	append("1000 10 early\n20");
	poll_now(&table);
	append("00 10 late\n3000 10 no newline");
	assert_int_equal(jit_table_end(&table, OWNER), 0);
	assert_string_equal(name_at(&table, OWNER, 0x1008), "early");
	assert_string_equal(name_at(&table, OWNER, 0x2008), "late");
	assert_string_equal(name_at(&table, OWNER, 0x3008), "no newline");
	assert_string_equal(name_at(&table, OWNER, 0x4000), "none");
	assert_string_equal(name_at(&table, OWNER + 1, 0x1008), "no symbols");
	jit_table_release(&table);
}

static void jit_table__keeps_what_a_removed_map_said(void **state)
{
	struct jit_table table;

	(void)state;
	append("1000 10 early\n");
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	append("2000 10 late\n");
	assert_int_equal(unlink(map_path()), 0);
	poll_now(&table);
	append("1000 10 of another file\n");
	assert_int_equal(jit_table_end(&table, OWNER), 0);
	assert_string_equal(name_at(&table, OWNER, 0x2008), "late");
	assert_string_equal(name_at(&table, OWNER, 0x1008), "of another file");
	jit_table_release(&table);
}

static void jit_table__takes_a_cut_map_from_its_start(void **state)
{
	struct jit_table table;

	(void)state;
	append("1000 10 a rather long name\n");
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	assert_int_equal(truncate(map_path(), 0), 0);
	append("2000 10 b\n");
	assert_int_equal(jit_table_end(&table, OWNER), 0);
	assert_string_equal(name_at(&table, OWNER, 0x1008), "a rather long name");
	assert_string_equal(name_at(&table, OWNER, 0x2008), "b");
	jit_table_release(&table);
}

/* A map from before this process is that of another one with its number. */
static void jit_table__passes_over_a_map_older_than_its_process(void **state)
{
	const struct timespec hour_ago[2] = { { .tv_sec = time(NULL) - 3600 },
					      { .tv_sec = time(NULL) - 3600 } };
	struct jit_table table;

	(void)state;
	append("1000 10 stale\n");
	assert_int_equal(utimensat(AT_FDCWD, map_path(), hour_ago, 0), 0);
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	assert_int_equal(jit_table_end(&table, OWNER), 0);
	assert_string_equal(name_at(&table, OWNER, 0x1008), "none");
	jit_table_release(&table);
}

static void jit_table__does_not_wait_for_a_pipe(void **state)
{
	struct jit_table table;

	(void)state;
	assert_int_equal(mkfifo(map_path(), 0600), 0);
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	assert_int_equal(jit_table_end(&table, OWNER), 0);
	assert_string_equal(name_at(&table, OWNER, 0x1008), "none");
	jit_table_release(&table);
}

static void jit_table__shares_a_program_between_its_owners(void **state)
{
	struct jit_table table;

	(void)state;
	append("1000 10 f\n");
	jit_table_init(&table);
	assert_int_equal(jit_table_add(&table, OWNER, (uint32_t)getpid()), 0);
	assert_int_equal(jit_table_continue(&table, OWNER, NEXT_OWNER), 0);
	assert_int_equal(table.n_programs, 1);
	assert_int_equal(jit_table_end_all(&table), 0);
	assert_int_equal(table.n_open, 0);
	assert_string_equal(name_at(&table, NEXT_OWNER, 0x1008), "f");
	jit_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(jit_table__reads_a_map_while_it_grows, remove_map),
		cmocka_unit_test_teardown(jit_table__keeps_what_a_removed_map_said, remove_map),
		cmocka_unit_test_teardown(jit_table__takes_a_cut_map_from_its_start, remove_map),
		cmocka_unit_test_teardown(jit_table__passes_over_a_map_older_than_its_process,
					  remove_map),
		cmocka_unit_test_teardown(jit_table__does_not_wait_for_a_pipe, remove_map),
		cmocka_unit_test_teardown(jit_table__shares_a_program_between_its_owners,
					  remove_map),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
