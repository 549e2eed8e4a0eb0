/* Which mappings are one module. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "record/module_file.h"
#include "record/module_table.h"

struct fixture {
	struct module_table table;
	struct profile profile;
};

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	assert_int_equal(profile_init(&fixture->profile), 0);
	assert_int_equal(module_table_init(&fixture->table, &fixture->profile), 0);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	module_table_release(&fixture->table);
	profile_release(&fixture->profile);
	free(fixture);
	return 0;
}

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
	struct module_table *table = &((struct fixture *)*state)->table;

	assert_int_equal(map(table, PID_A, "//anon", 0), map(table, PID_A, "//anon", 0));
	assert_int_not_equal(map(table, PID_A, "//anon", 0), map(table, PID_B, "//anon", 0));
}

/* Each process has it when its maps are read; that does not mean that it makes code. */
static void module_table__takes_the_kernels_pages_for_one(void **state)
{
	struct module_table *table = &((struct fixture *)*state)->table;
	uint32_t module;

	module = map(table, PID_A, "[vsyscall]", 0);
	assert_int_equal(map(table, PID_B, "[vsyscall]", 0), module);
	assert_int_equal(module_table_owner(table, module), 0);
	assert_int_not_equal(map(table, PID_A, "[uprobes]", 0), module);
	assert_true(module_table_owner(table, map(table, PID_A, "[heap]", 0)));
}

static void module_table__shares_files_between_processes(void **state)
{
	struct module_table *table = &((struct fixture *)*state)->table;

	assert_int_equal(map(table, PID_A, "/no/lib.so", 7), map(table, PID_B, "/no/lib.so", 7));
	assert_int_not_equal(map(table, PID_A, "/no/lib.so", 7),
			     map(table, PID_A, "/no/lib.so", 8));
}

/* Two file systems may give one inode number to two programs of the same path. */
static void module_file_open__does_not_take_our_file_for_another_of_its_path(void **state)
{
	struct sampler_mapping mapping = { .is_executable = true, .path = "/proc/self/exe" };
	char path[4096] = { 0 };
	struct elf_image image;
	struct stat status;

	(void)state;
	assert_true(readlink(mapping.path, path, sizeof(path) - 1) > 0);
	mapping.path = path;
	assert_int_equal(stat(path, &status), 0);
	mapping.inode = status.st_ino;
	mapping.device_major = major(status.st_dev);
	mapping.device_minor = minor(status.st_dev);
	assert_true(module_file_open(&image, PID_A, &mapping));
	elf_image_release(&image);
	mapping.device_minor++;
	assert_false(module_file_open(&image, PID_A, &mapping));
	mapping.device_minor--;
	mapping.inode++;
	assert_false(module_file_open(&image, PID_A, &mapping));
	mapping.inode = 0;
	assert_false(module_file_open(&image, PID_A, &mapping));
	/* In a process that lives its own root is looked into, where the inode has to do. */
	mapping.inode = status.st_ino;
	mapping.device_minor++;
	assert_true(module_file_open(&image, (uint32_t)getpid(), &mapping));
	elf_image_release(&image);
}

static void module_table__gives_memory_to_another_owner(void **state)
{
	const struct sampler_mapping anonymous = { .start = 0x1000,
						   .size_bytes = 0x1000,
						   .path = "//anon" };
	const struct sampler_mapping named = { .start = 0x3000,
					       .size_bytes = 0x1000,
					       .path = "[anon:v8]" };
	const struct module_owner first = { .pid = PID_A, .owner = 1 };
	const struct module_owner second = { .pid = PID_A, .owner = 2 };
	struct address_space space = { 0 };
	struct module_table *table = &((struct fixture *)*state)->table;
	uint32_t module;

	assert_int_equal(module_table_map(table, &space, &first, &anonymous), 0);
	assert_int_equal(module_table_map(table, &space, &first, &named), 0);
	module = space.mappings[0].module;
	assert_int_equal(space.mappings[1].module, module);
	assert_int_equal(module_table_owner(table, module), 1);
	assert_int_equal(module_table_hand_over(table, &space, &second), 0);
	assert_int_equal(space.n_mappings, 2);
	assert_int_not_equal(space.mappings[0].module, module);
	assert_int_equal(space.mappings[1].module, space.mappings[0].module);
	assert_int_equal(module_table_owner(table, space.mappings[0].module), 2);
	assert_int_equal(module_table_owner(table, table->kernel), 0);
	address_space_release(&space);
}

static void module_table__takes_shared_memory_that_is_no_program_for_memory(void **state)
{
	struct fixture *fixture = *state;
	uint32_t module;

	module = map(&fixture->table, PID_A, "/memfd:doublemapper (deleted)", 7);
	assert_int_equal(fixture->profile.modules[module].kind, MODULE_KIND_ANONYMOUS);
	assert_int_equal(map(&fixture->table, PID_A, "/memfd:doublemapper (deleted)", 7), module);
	assert_int_not_equal(map(&fixture->table, PID_B, "/memfd:doublemapper (deleted)", 7),
			     module);
	assert_int_equal(fixture->table.n_unreadable, 0);
}

#define TABLE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TABLE_TEST(module_table__keeps_anonymous_memory_of_processes_apart),
		TABLE_TEST(module_table__takes_the_kernels_pages_for_one),
		TABLE_TEST(module_table__shares_files_between_processes),
		cmocka_unit_test(module_file_open__does_not_take_our_file_for_another_of_its_path),
		TABLE_TEST(module_table__gives_memory_to_another_owner),
		TABLE_TEST(module_table__takes_shared_memory_that_is_no_program_for_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
