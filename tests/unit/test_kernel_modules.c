/* /proc/modules as it is, as it is without permission, and as it is not. */
#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "os/kernel_modules.h"

static void load(struct kernel_modules *modules, const char *text)
{
	char path[] = "/tmp/tsprof-modules-XXXXXX";
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(kernel_modules_load(modules, path), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(unlink(path), 0);
}

static const char *name_at(const struct kernel_modules *modules, uint64_t ip)
{
	const struct kernel_module *found = kernel_modules_find(modules, ip);

	return found ? found->name : "none";
}

static void kernel_modules_find__knows_which_module_an_ip_is_in(void **state)
{
	struct kernel_modules modules;

	(void)state;
	load(&modules, "xfs 4096 1 - Live 0xffffffffc0b00000 (E)\n"
		       "ext4 8192 2 mbcache,jbd2, Live 0xffffffffc0a00000\n"
		       "not a line\n");
	assert_int_equal(modules.n_modules, 2);
	assert_string_equal(name_at(&modules, 0xffffffffc09fffff), "none");
	assert_string_equal(name_at(&modules, 0xffffffffc0a00000), "[ext4]");
	assert_string_equal(name_at(&modules, 0xffffffffc0a01fff), "[ext4]");
	assert_string_equal(name_at(&modules, 0xffffffffc0a02000), "none");
	assert_string_equal(name_at(&modules, 0xffffffffc0b00001), "[xfs]");
	kernel_modules_release(&modules);
}

static void kernel_modules_load__is_empty_where_addresses_are_hidden(void **state)
{
	struct kernel_modules modules;

	(void)state;
	load(&modules, "ext4 8192 2 - Live 0x0000000000000000\n");
	assert_int_equal(modules.n_modules, 0);
	kernel_modules_release(&modules);
	assert_int_equal(kernel_modules_load(&modules, "/nonexistent"), 0);
	assert_int_equal(modules.n_modules, 0);
	assert_string_equal(name_at(&modules, 1), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_modules_find__knows_which_module_an_ip_is_in),
		cmocka_unit_test(kernel_modules_load__is_empty_where_addresses_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
