/* The files of a machine, and what is made of missing and odd ones. */
#include "unit.h"

#include <linux/capability.h>

#include "fake_root.h"
#include "os/machine_settings.h"

static const char *no_environment(const char *name)
{
	(void)name;
	return NULL;
}

static const char *some_environment(const char *name)
{
	if (strcmp(name, "DEBUGINFOD_URLS") == 0)
		return "https://debuginfod.example/";
	return strcmp(name, "KUBERNETES_SERVICE_HOST") == 0 ? "10.0.0.1" : NULL;
}

static int set_up(void **state)
{
	static struct fake_root root;

	fake_root_make(&root);
	*state = &root;
	return 0;
}

static int tear_down(void **state)
{
	fake_root_remove(*state);
	return 0;
}

static struct machine_settings read_settings(const struct fake_root *root)
{
	const struct machine_source source = { .root = root->path, .environment = no_environment };
	struct machine_settings settings;

	machine_settings_read(&settings, &source);
	return settings;
}

static void settings__of_an_empty_machine_are_unknown(void **state)
{
	const struct machine_settings settings = read_settings(*state);

	assert_false(settings.paranoid.is_known);
	assert_false(settings.seccomp_mode.is_known);
	assert_false(settings.has_capabilities);
	assert_false(settings.is_in_user_namespace);
	assert_string_equal(settings.container, "");
	assert_string_equal(settings.kernel_release, "");
	assert_int_equal(settings.kernel_build_id_bytes, 0);
	assert_int_equal(settings.kallsyms, KALLSYMS_ABSENT);
	assert_false(settings.has_debug_files);
	assert_false(settings.has_tracefs);
	assert_false(machine_settings_may(&settings, CAP_PERFMON));
}

static void settings__are_the_numbers_of_proc_sys(void **state)
{
	const struct fake_root *root = *state;
	struct machine_settings settings;

	fake_root_add_text(root, "/proc/sys/kernel/perf_event_paranoid", "-1\n");
	fake_root_add_text(root, "/proc/sys/kernel/perf_event_mlock_kb", "516\n");
	fake_root_add_text(root, "/proc/sys/kernel/perf_event_max_sample_rate", "nonsense\n");
	fake_root_add_text(root, "/proc/sys/kernel/yama/ptrace_scope", "");
	fake_root_add_text(root, "/proc/sys/kernel/osrelease", "6.1.0-test\n");
	settings = read_settings(root);
	assert_true(settings.paranoid.is_known);
	assert_int_equal(settings.paranoid.value, -1);
	assert_int_equal(settings.mlock_kb.value, 516);
	assert_false(settings.max_rate_hz.is_known);
	assert_false(settings.ptrace_scope.is_known);
	assert_string_equal(settings.kernel_release, "6.1.0-test");
}

static void settings__have_the_effective_capabilities(void **state)
{
	const struct fake_root *root = *state;
	struct machine_settings settings;

	fake_root_add_text(root, "/proc/self/status",
			   "Name:\tCapEff\nCapPrm:\t0000000000000000\nCapEff:\t0000004000000000\n"
			   "CapBnd:\t000001ffffffffff\nSeccomp:\t2\nSeccomp_filters:\t1\n");
	settings = read_settings(root);
	assert_true(settings.has_capabilities);
	assert_int_equal(settings.capabilities, UINT64_C(1) << CAP_PERFMON);
	assert_int_equal(settings.bounding_set, UINT64_C(0x1ffffffffff));
	assert_int_equal(settings.seccomp_mode.value, 2);
	assert_true(machine_settings_may(&settings, CAP_PERFMON));
	assert_false(machine_settings_may(&settings, CAP_SYS_PTRACE));
}

static void settings__count_sys_admin_for_what_was_carved_out_of_it(void **state)
{
	const struct machine_settings settings = { .capabilities = UINT64_C(1) << CAP_SYS_ADMIN };

	(void)state;
	assert_true(machine_settings_may(&settings, CAP_PERFMON));
	assert_true(machine_settings_may(&settings, CAP_CHECKPOINT_RESTORE));
	assert_false(machine_settings_may(&settings, CAP_IPC_LOCK));
}

static void settings__do_not_count_capabilities_of_a_user_namespace(void **state)
{
	const struct fake_root *root = *state;
	struct machine_settings settings;

	fake_root_add_text(root, "/proc/self/status",
			   "CapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n");
	fake_root_add_link(root, "/proc/self/ns/user", "user:[4026532001]");
	fake_root_add_link(root, "/proc/self/ns/pid", "pid:[4026531836]");
	settings = read_settings(root);
	assert_true(settings.is_in_user_namespace);
	assert_false(settings.is_in_pid_namespace);
	assert_false(machine_settings_may(&settings, CAP_PERFMON));
}

static void settings__know_containers_by_their_signs(void **state)
{
	static const struct {
		const char *file;
		const char *text;
		const char *name;
	} signs[] = { /* each beats the ones before it */
		      { "/proc/1/environ", "TERM=xterm\0container=oci", "" },
		      { "/run/systemd/container", "systemd-nspawn\n", "systemd-nspawn" },
		      { "/proc/1/cgroup", "0::/lxc/7\n", "lxc" },
		      { "/.dockerenv", "", "docker" },
		      { "/run/.containerenv", "engine=\"podman\"\n", "podman" },
		      { "/proc/1/cgroup", "0::/kubepods.slice/x\n", "kubernetes" }
	};
	const struct fake_root *root = *state;
	struct machine_settings settings;

	for (size_t i = 0; i < N_ITEMS(signs); i++) {
		fake_root_add_text(root, signs[i].file, signs[i].text);
		settings = read_settings(root);
		assert_string_equal(settings.container, signs[i].name);
	}
}

static void settings__read_past_the_zeros_of_environ(void **state)
{
	static const char environ_text[] = "TERM=xterm\0container=oci";
	const struct fake_root *root = *state;

	fake_root_add(root, "/proc/1/environ", environ_text, sizeof(environ_text));
	assert_string_equal(read_settings(root).container, "container");
}

static void settings__take_the_environment(void **state)
{
	const struct fake_root *root = *state;
	const struct machine_source source = { .root = root->path,
					       .environment = some_environment };
	struct machine_settings settings;

	machine_settings_read(&settings, &source);
	assert_string_equal(settings.container, "kubernetes");
	assert_string_equal(settings.debuginfod_urls, "https://debuginfod.example/");
}

static void settings__tell_hidden_from_shown_addresses(void **state)
{
	const struct fake_root *root = *state;

	fake_root_add_text(root, "/proc/kallsyms",
			   "0000000000000000 A first\n0000000000000000 T second\n");
	assert_int_equal(read_settings(root).kallsyms, KALLSYMS_HIDDEN);
	fake_root_add_text(root, "/proc/kallsyms",
			   "0000000000000000 A first\nffffffff81000000 T second\n");
	assert_int_equal(read_settings(root).kallsyms, KALLSYMS_SHOWN);
	fake_root_add_text(root, "/proc/kallsyms", "");
	assert_int_equal(read_settings(root).kallsyms, KALLSYMS_ABSENT);
}

/* Two notes, the second one the build-id. */
static const uint8_t kernel_notes[] = { 4, 0, 0,   0,	3,   0, 0,    0,    9,	  0,
					0, 0, 'X', 'e', 'n', 0, 1,    2,    3,	  0, /* padded */
					4, 0, 0,   0,	4,   0, 0,    0,    3,	  0,
					0, 0, 'G', 'N', 'U', 0, 0xab, 0xcd, 0xef, 0x01 };

static void settings__find_the_kernels_build_id_and_debug_file(void **state)
{
	static const uint8_t expected[] = { 0xab, 0xcd, 0xef, 0x01 };
	const struct fake_root *root = *state;
	struct machine_settings settings;

	fake_root_add(root, "/sys/kernel/notes", kernel_notes, sizeof(kernel_notes));
	settings = read_settings(root);
	assert_int_equal(settings.kernel_build_id_bytes, sizeof(expected));
	assert_memory_equal(settings.kernel_build_id, expected, sizeof(expected));
	assert_false(settings.has_kernel_debug_files);
	fake_root_add_text(root, "/usr/lib/debug/.build-id/ab/cdef01.debug", "ELF");
	settings = read_settings(root);
	assert_true(settings.has_kernel_debug_files);
	assert_true(settings.has_debug_files);
}

/* However it is cut, no byte behind the end is looked at (for the sanitizers to see). */
static void settings__survive_notes_cut_anywhere(void **state)
{
	const struct fake_root *root = *state;

	for (size_t size = 0; size < sizeof(kernel_notes); size++) {
		fake_root_add(root, "/sys/kernel/notes", kernel_notes, size);
		assert_int_equal(read_settings(root).kernel_build_id_bytes, 0);
	}
}

static void settings__refuse_a_note_of_absurd_size(void **state)
{
	uint8_t notes[sizeof(kernel_notes)];
	const struct fake_root *root = *state;

	memcpy(notes, kernel_notes, sizeof(notes));
	memset(notes + 24, 0xff, 4);
	fake_root_add(root, "/sys/kernel/notes", notes, sizeof(notes));
	assert_int_equal(read_settings(root).kernel_build_id_bytes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(settings__of_an_empty_machine_are_unknown),
		TEST(settings__are_the_numbers_of_proc_sys),
		TEST(settings__have_the_effective_capabilities),
		TEST(settings__count_sys_admin_for_what_was_carved_out_of_it),
		TEST(settings__do_not_count_capabilities_of_a_user_namespace),
		TEST(settings__know_containers_by_their_signs),
		TEST(settings__read_past_the_zeros_of_environ),
		TEST(settings__take_the_environment),
		TEST(settings__tell_hidden_from_shown_addresses),
		TEST(settings__find_the_kernels_build_id_and_debug_file),
		TEST(settings__survive_notes_cut_anywhere),
		TEST(settings__refuse_a_note_of_absurd_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
