/* Forks, execs, names and numbers that come back. */
#include "unit.h"

#include "record/process_table.h"

struct fixture {
	struct profile profile;
	struct process_table table;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_int_equal(profile_init(&fixture->profile), 0);
	process_table_init(&fixture->table, &fixture->profile);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	process_table_release(&fixture->table);
	profile_release(&fixture->profile);
	free(fixture);
	return 0;
}

static uint32_t entry_of(struct fixture *fixture, uint32_t pid, uint32_t tid)
{
	struct live_thread *thread = process_table_thread(&fixture->table, pid, tid);
	uint32_t entry;

	assert_non_null(thread);
	assert_int_equal(process_table_entry(&fixture->table, thread, &entry), 0);
	return entry;
}

static const char *name_of(const struct fixture *fixture, uint32_t entry)
{
	return interner_get(&fixture->profile.strings, fixture->profile.threads[entry].name);
}

static const char *process_name_of(const struct fixture *fixture, uint32_t entry)
{
	return interner_get(&fixture->profile.strings,
			    fixture->profile.threads[entry].process_name);
}

static void map_something(struct fixture *fixture, uint32_t pid)
{
	const struct mapping mapping = { .start = 0x1000, .end = 0x2000, .module = 1 };
	struct live_process *process = process_table_process(&fixture->table, pid);

	assert_non_null(process);
	assert_int_equal(address_space_map(&process->unwind.space, &mapping), 0);
}

static size_t n_mappings_of(struct fixture *fixture, uint32_t pid)
{
	return process_table_process(&fixture->table, pid)->unwind.space.n_mappings;
}

static void fork__copies_name_and_mappings(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "sh", true), 0);
	map_something(fixture, 10);
	assert_int_equal(process_table_fork(&fixture->table, 20, 20, 10, 10, 5), 0);
	assert_int_equal(n_mappings_of(fixture, 20), 1);
	assert_string_equal(name_of(fixture, entry_of(fixture, 20, 20)), "sh");
	map_something(fixture, 10);
	assert_true(process_table_process(&fixture->table, 20)->is_known);
}

static void exec__forgets_the_old_program(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "sh", true), 0);
	map_something(fixture, 10);
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "xz", true), 0);
	assert_int_equal(n_mappings_of(fixture, 10), 0);
	assert_string_equal(process_name_of(fixture, entry_of(fixture, 10, 10)), "xz");
}

static void thread__has_its_own_name_and_its_process_s(void **state)
{
	struct fixture *fixture = *state;
	uint32_t entry;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "app", true), 0);
	assert_int_equal(process_table_fork(&fixture->table, 10, 11, 10, 10, 5), 0);
	assert_int_equal(process_table_comm(&fixture->table, 10, 11, "worker", false), 0);
	entry = entry_of(fixture, 10, 11);
	assert_string_equal(name_of(fixture, entry), "worker");
	assert_string_equal(process_name_of(fixture, entry), "app");
	assert_int_equal(fixture->profile.threads[entry].start_ns, 5);
}

static void renaming__starts_an_entry_and_comes_back_to_it(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "a", true), 0);
	first = entry_of(fixture, 10, 10);
	assert_int_equal(entry_of(fixture, 10, 10), first);
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "b", false), 0);
	assert_int_not_equal(entry_of(fixture, 10, 10), first);
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "a", false), 0);
	assert_int_equal(entry_of(fixture, 10, 10), first);
	assert_int_equal(fixture->profile.n_threads, 2);
}

static void exit__of_the_last_thread_frees_the_mappings(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "app", true), 0);
	assert_int_equal(process_table_fork(&fixture->table, 10, 11, 10, 10, 5), 0);
	map_something(fixture, 10);
	assert_int_equal(process_table_exit(&fixture->table, 10, 10, 6), 0);
	assert_int_equal(n_mappings_of(fixture, 10), 1);
	assert_int_equal(process_table_exit(&fixture->table, 10, 11, 7), 0);
	assert_int_equal(n_mappings_of(fixture, 10), 0);
}

static void number__used_again_is_another_thread(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first;

	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "sh", true), 0);
	assert_int_equal(process_table_fork(&fixture->table, 20, 20, 10, 10, 5), 0);
	first = entry_of(fixture, 20, 20);
	assert_int_equal(process_table_exit(&fixture->table, 20, 20, 6), 0);
	assert_int_equal(process_table_fork(&fixture->table, 20, 20, 10, 10, 9), 0);
	assert_int_not_equal(entry_of(fixture, 20, 20), first);
	assert_int_equal(fixture->profile.threads[first].end_ns, 6);
}

static void number__of_a_thread_can_come_back_in_another_process(void **state)
{
	struct fixture *fixture = *state;
	uint32_t entry;

	assert_int_equal(process_table_fork(&fixture->table, 10, 11, 10, 10, 5), 0);
	assert_int_equal(process_table_exit(&fixture->table, 10, 11, 6), 0);
	assert_int_equal(process_table_fork(&fixture->table, 30, 11, 30, 30, 7), 0);
	entry = entry_of(fixture, 30, 11);
	assert_int_equal(fixture->profile.threads[entry].pid, 30);
}

static void path__shares_what_the_last_stack_had(void **state)
{
	static const uint32_t first[] = { 1, 2, 3 };
	static const uint32_t second[] = { 1, 2, 4, 5 };
	struct stack_trie trie;
	struct stack_path path = { 0 };
	uint32_t node;
	uint32_t again;

	(void)state;
	assert_int_equal(stack_trie_init(&trie), 0);
	assert_int_equal(stack_path_follow(&path, &trie, first, 3, &node), 0);
	assert_int_equal(stack_path_follow(&path, &trie, second, 4, &again), 0);
	assert_int_equal(trie.n_nodes, 1 + 5);
	assert_int_equal(stack_path_follow(&path, &trie, first, 3, &again), 0);
	assert_int_equal(again, node);
	assert_int_equal(stack_path_follow(&path, &trie, first, 0, &again), 0);
	assert_int_equal(again, 0);
	stack_path_release(&path);
	stack_trie_release(&trie);
}

static void exec__is_the_end_of_one_entry_and_the_start_of_another(void **state)
{
	struct fixture *fixture = *state;
	uint32_t before, after;

	assert_int_equal(process_table_fork(&fixture->table, 20, 20, 10, 10, 5), 0);
	before = entry_of(fixture, 20, 20);
	fixture->table.now_ns = 8;
	assert_int_equal(process_table_comm(&fixture->table, 20, 20, "xz", true), 0);
	after = entry_of(fixture, 20, 20);
	assert_int_equal(process_table_exit(&fixture->table, 20, 20, 9), 0);
	assert_int_equal(fixture->profile.threads[before].start_ns, 5);
	assert_int_equal(fixture->profile.threads[before].end_ns, 8);
	assert_int_equal(fixture->profile.threads[after].start_ns, 8);
	assert_int_equal(fixture->profile.threads[after].end_ns, 9);
	assert_int_equal(fixture->profile.threads[before].parent_pid, 10);
	assert_int_equal(fixture->profile.threads[after].parent_pid, 10);
}

static void renaming__ends_an_entry_until_the_name_is_back(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first, second;

	fixture->table.now_ns = 4;
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "a", true), 0);
	first = entry_of(fixture, 10, 10);
	fixture->table.now_ns = 6;
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "b", false), 0);
	second = entry_of(fixture, 10, 10);
	assert_int_equal(fixture->profile.threads[first].end_ns, 6);
	assert_int_equal(fixture->profile.threads[second].end_ns, 0);
	fixture->table.now_ns = 7;
	assert_int_equal(process_table_comm(&fixture->table, 10, 10, "a", false), 0);
	assert_int_equal(entry_of(fixture, 10, 10), first);
	assert_int_equal(fixture->profile.threads[first].end_ns, 0);
	assert_int_equal(fixture->profile.threads[second].end_ns, 7);
}

static void entry__made_after_the_end_has_it(void **state)
{
	struct fixture *fixture = *state;
	uint32_t entry;

	assert_int_equal(process_table_fork(&fixture->table, 20, 20, 10, 10, 5), 0);
	assert_int_equal(process_table_exit(&fixture->table, 20, 20, 9), 0);
	entry = entry_of(fixture, 20, 20);
	assert_int_equal(fixture->profile.threads[entry].end_ns, 9);
}

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(fork__copies_name_and_mappings),
		TABLE_TEST(exec__forgets_the_old_program),
		TABLE_TEST(thread__has_its_own_name_and_its_process_s),
		TABLE_TEST(renaming__starts_an_entry_and_comes_back_to_it),
		TABLE_TEST(exit__of_the_last_thread_frees_the_mappings),
		TABLE_TEST(number__used_again_is_another_thread),
		TABLE_TEST(number__of_a_thread_can_come_back_in_another_process),
		TABLE_TEST(exec__is_the_end_of_one_entry_and_the_start_of_another),
		TABLE_TEST(renaming__ends_an_entry_until_the_name_is_back),
		TABLE_TEST(entry__made_after_the_end_has_it),
		cmocka_unit_test(path__shares_what_the_last_stack_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
