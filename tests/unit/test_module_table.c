/* Which mappings are one module. */
#include "unit.h"

#include "record/module_table.h"

static uint32_t map(struct module_table *table, uint32_t pid, const char *path, uint64_t inode)
{
	const struct sampler_mapping mapping = { .start = 0x7f0000000000,
						 .size_bytes = 0x1000,
						 .inode = inode,
						 .is_executable = true,
						 .path = path };
	struct address_space space = { 0 };
	const struct module_owner owner = { .pid = pid, .owner = pid };
	uint32_t module;

	assert_int_equal(module_table_map(table, &space, &owner, &mapping), 0);
	module = space.mappings[0].module;
	address_space_release(&space);
	return module;
}

/* The pids are above all that there can be, so that nothing is opened. */
enum { PID_A = 0x7ffffff0, PID_B };

static void module_table__keeps_anonymous_memory_of_processes_apart(void **state)
{
	struct module_table table;
	struct profile profile;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(module_table_init(&table, &profile), 0);
	assert_int_equal(map(&table, PID_A, "//anon", 0), map(&table, PID_A, "//anon", 0));
	assert_int_not_equal(map(&table, PID_A, "//anon", 0), map(&table, PID_B, "//anon", 0));
	module_table_release(&table);
	profile_release(&profile);
}

static void module_table__shares_files_between_processes(void **state)
{
	struct module_table table;
	struct profile profile;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(module_table_init(&table, &profile), 0);
	assert_int_equal(map(&table, PID_A, "/no/lib.so", 7), map(&table, PID_B, "/no/lib.so", 7));
	assert_int_not_equal(map(&table, PID_A, "/no/lib.so", 7),
			     map(&table, PID_A, "/no/lib.so", 8));
	module_table_release(&table);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(module_table__keeps_anonymous_memory_of_processes_apart),
		cmocka_unit_test(module_table__shares_files_between_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
