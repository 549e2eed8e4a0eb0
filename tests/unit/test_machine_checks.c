/* What the facts of a machine mean, level by level and situation by situation. */
#include "unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "record/capability_advice.h"
#include "record/machine_checks.h"

#define BIT(number) (UINT64_C(1) << (number))

/* An ordinary user on a machine that allows everything. */
static struct machine_settings generous_settings(void)
{
	return (struct machine_settings){
		.paranoid = { true, -1 },
		.mlock_kb = { true, 516 },
		.max_rate_hz = { true, 100000 },
		.kptr_restrict = { true, 0 },
		.has_capabilities = true,
		.bounding_set = UINT64_MAX,
		.kallsyms = KALLSYMS_SHOWN,
		.has_debug_files = true,
	};
}

static struct machine_probes generous_probes(void)
{
	return (struct machine_probes){
		.uid = 1000,
		.n_cpus = 4,
		.engine = "perf",
		.has_kernel = true,
		.ring_bytes = 16 << 20,
		.stack_bytes = 65528,
		.tick_ns = 4000000,
	};
}

struct situation {
	struct machine_settings settings;
	struct machine_probes probes;
	struct machine_checks checks;
};

static struct situation generous(void)
{
	return (struct situation){ .settings = generous_settings(), .probes = generous_probes() };
}

static void refuse(struct situation *situation, enum perf_refusal_kind kind, int64_t level)
{
	situation->settings.paranoid.value = level;
	situation->probes.engine = NULL;
	(void)error_set(&situation->probes.perf, -EACCES, "refused");
	situation->probes.refusal = (struct perf_refusal){
		.kind = kind, .code = -EACCES, .has_level = true, .level = level
	};
	situation->probes.all_processes = -EACCES;
	situation->probes.cycles = -EACCES;
}

static const struct machine_check *check(struct situation *situation, const char *key)
{
	machine_checks_make(&situation->checks, &situation->settings, &situation->probes);
	for (size_t i = 0; i < situation->checks.n_items; i++)
		if (strcmp(situation->checks.items[i].key, key) == 0)
			return &situation->checks.items[i];
	fail_msg("no check %s", key);
	return NULL;
}

static void assert_remedy(const struct machine_check *item, const char *command)
{
	for (size_t i = 0; i < item->n_remedies; i++)
		if (strcmp(item->remedies[i].command, command) == 0)
			return;
	fail_msg("%s has no remedy '%s' but '%s'", item->key, command, item->remedies[0].command);
}

static void checks__are_all_passed_where_all_is_allowed(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.settings.capabilities = BIT(CAP_SYS_PTRACE) | BIT(CAP_CHECKPOINT_RESTORE);
	assert_int_equal(check(&situation, "perf")->verdict, MACHINE_YES);
	for (size_t i = 0; i < situation.checks.n_items; i++) {
		assert_int_equal(situation.checks.items[i].verdict, MACHINE_YES);
		assert_int_equal(situation.checks.items[i].n_remedies, 0);
	}
	assert_string_equal(situation.checks.engine, "perf");
	assert_string_equal(situation.checks.all_capabilities, "");
}

static void level_2__costs_kernel_time_names_and_waits(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.settings.paranoid.value = 2;
	situation.settings.kallsyms = KALLSYMS_HIDDEN;
	situation.probes.has_kernel = false;
	situation.probes.switch_stacks = -EACCES;
	situation.probes.has_sigprof = true;
	assert_remedy(check(&situation, "waiting"), "sudo sysctl kernel.perf_event_paranoid=1");
	assert_int_equal(check(&situation, "waiting")->verdict, MACHINE_PARTLY);
	(void)error_set(&situation.probes.sigprof, -ENOENT, "no library");
	assert_int_equal(check(&situation, "waiting")->verdict, MACHINE_NO);
	situation.probes.sigprof = (struct error){ 0 };
	assert_int_equal(check(&situation, "perf")->verdict, MACHINE_YES);
	assert_int_equal(check(&situation, "kernel_time")->verdict, MACHINE_NO);
	assert_remedy(check(&situation, "kernel_time"), "sudo sysctl kernel.perf_event_paranoid=1");
	assert_remedy(check(&situation, "kernel_time"),
		      "sudo setcap cap_perfmon+ep $(command -v tsprof)");
	assert_remedy(check(&situation, "kernel_names"),
		      "sudo sysctl kernel.perf_event_paranoid=1");
	assert_string_equal(situation.checks.all_capabilities,
			    "sudo setcap cap_perfmon,cap_sys_ptrace,cap_syslog,"
			    "cap_checkpoint_restore+ep $(command -v tsprof)");
}

static void level_1__costs_the_view_of_all_processes(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.settings.paranoid.value = 1;
	situation.probes.all_processes = -EACCES;
	situation.probes.refusal.has_level = true;
	situation.probes.refusal.level = 1;
	assert_int_equal(check(&situation, "kernel_time")->verdict, MACHINE_YES);
	assert_int_equal(check(&situation, "all_processes")->verdict, MACHINE_NO);
	assert_remedy(check(&situation, "all_processes"),
		      "sudo sysctl kernel.perf_event_paranoid=0");
}

static void levels_above_2__leave_nothing_without_another_engine(void **state)
{
	(void)state;
	for (int64_t level = 3; level <= 4; level++) {
		struct situation situation = generous();
		char expected[64];

		refuse(&situation, PERF_REFUSAL_LEVEL, level);
		(void)snprintf(expected, sizeof(expected), "kernel.perf_event_paranoid is %d",
			       (int)level);
		assert_int_equal(check(&situation, "perf")->verdict, MACHINE_NO);
		assert_non_null(strstr(check(&situation, "perf")->why, expected));
		assert_remedy(check(&situation, "perf"),
			      "sudo sysctl kernel.perf_event_paranoid=1");
		assert_null(situation.checks.engine);
		assert_non_null(strstr(situation.checks.reason, expected));
		assert_int_equal(check(&situation, "kernel_time")->n_remedies, 0);
	}
}

static void sigprof__is_taken_for_the_reason_that_perf_is_not(void **state)
{
	struct situation situation = generous();

	(void)state;
	refuse(&situation, PERF_REFUSAL_FILTER, 2);
	situation.probes.engine = "sigprof";
	situation.probes.has_sigprof = true;
	assert_int_equal(check(&situation, "sigprof")->verdict, MACHINE_YES);
	assert_string_equal(situation.checks.engine, "sigprof");
	assert_non_null(strstr(situation.checks.reason, "seccomp"));
}

static void root__needs_no_sudo(void **state)
{
	struct situation situation = generous();

	(void)state;
	refuse(&situation, PERF_REFUSAL_LEVEL, 3);
	situation.probes.uid = 0;
	assert_remedy(check(&situation, "perf"), "sysctl kernel.perf_event_paranoid=1");
}

static void user_namespace__gets_no_advice_on_capabilities(void **state)
{
	struct situation situation = generous();

	(void)state;
	refuse(&situation, PERF_REFUSAL_LEVEL, 3);
	situation.probes.uid = 0;
	situation.settings.is_in_user_namespace = true;
	situation.settings.capabilities = UINT64_MAX;
	assert_remedy(check(&situation, "perf"), "sudo sysctl kernel.perf_event_paranoid=1");
	assert_non_null(strstr(check(&situation, "perf")->remedies[0].gain, "on the host"));
	for (size_t i = 0; i < situation.checks.n_items; i++)
		assert_null(strstr(situation.checks.items[i].remedies[0].command, "cap_"));
	assert_string_equal(situation.checks.all_capabilities, "");
	assert_int_equal(check(&situation, "replaced_files")->verdict, MACHINE_NO);
}

static void container__gets_its_own_commands(void **state)
{
	static const struct {
		const char *container;
		const char *filter;
		const char *capability;
	} cases[] = {
		{ "docker", "docker run --cap-add PERFMON ...",
		  "docker run --cap-add CHECKPOINT_RESTORE ..." },
		{ "podman", "podman run --cap-add PERFMON --cap-add SYS_ADMIN ...",
		  "podman run --cap-add CHECKPOINT_RESTORE ..." },
		{ "kubernetes", "securityContext: {capabilities: {add: [PERFMON]}}",
		  "securityContext: {capabilities: {add: [CHECKPOINT_RESTORE]}}" },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct situation situation = generous();

		refuse(&situation, PERF_REFUSAL_FILTER, 2);
		situation.settings.bounding_set = 0xa80425fb; /* docker's default */
		(void)snprintf(situation.settings.container, sizeof(situation.settings.container),
			       "%s", cases[i].container);
		assert_remedy(check(&situation, "perf"), cases[i].filter);
		assert_remedy(check(&situation, "replaced_files"), cases[i].capability);
	}
}

static void kptr_restrict__has_the_remedy_of_its_value(void **state)
{
	static const struct {
		int64_t restricted;
		const char *command;
		size_t n_remedies;
	} cases[] = {
		{ 0, "sudo sysctl kernel.perf_event_paranoid=1", 2 },
		{ 1, "sudo sysctl kernel.kptr_restrict=0 kernel.perf_event_paranoid=1", 2 },
		{ 2, "sudo sysctl kernel.kptr_restrict=0 kernel.perf_event_paranoid=1", 1 },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct situation situation = generous();

		situation.settings.paranoid.value = 2;
		situation.settings.kallsyms = KALLSYMS_HIDDEN;
		situation.settings.kptr_restrict.value = cases[i].restricted;
		assert_remedy(check(&situation, "kernel_names"), cases[i].command);
		assert_int_equal(check(&situation, "kernel_names")->n_remedies,
				 cases[i].n_remedies);
	}
}

/* 8 KiB of each stack: whole ones need rings 8 times as large. */
static void rings__that_are_small_cut_stacks(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.probes.ring_bytes = 256 << 10;
	situation.probes.stack_bytes = 8192;
	assert_int_equal(check(&situation, "whole_stacks")->verdict, MACHINE_PARTLY);
	assert_remedy(check(&situation, "whole_stacks"),
		      "sudo sysctl kernel.perf_event_mlock_kb=2176");
	assert_int_equal(situation.checks.n_items > 0, 1);
	assert_string_equal(situation.checks.engine, "perf");
}

/* Sizes that no sampler should give: there has to be an end to the search for larger ones. */
static void rings__of_any_size_are_judged(void **state)
{
	static const uint64_t sizes[][2] = { { 0, 8 }, { 4096, 65520 }, { 8, 16 }, { 1, 1 } };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(sizes); i++) {
		struct situation situation = generous();

		situation.probes.ring_bytes = sizes[i][0];
		situation.probes.stack_bytes = sizes[i][1];
		assert_int_equal(check(&situation, "whole_stacks")->verdict, MACHINE_PARTLY);
	}
}

static void rate__below_the_usual_one_is_a_limit(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.settings.max_rate_hz.value = 996;
	assert_int_equal(check(&situation, "rate")->verdict, MACHINE_PARTLY);
	assert_remedy(check(&situation, "rate"),
		      "sudo sysctl kernel.perf_event_max_sample_rate=100000");
	situation.settings.max_rate_hz.value = 997;
	assert_int_equal(check(&situation, "rate")->verdict, MACHINE_YES);
}

static void descriptors__that_run_out_have_a_remedy(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.probes.engine = NULL;
	(void)error_set(&situation.probes.perf, -EMFILE, "too many open files");
	assert_string_equal(check(&situation, "perf")->why, "too many open files");
	assert_remedy(check(&situation, "perf"), "sudo prlimit --nofile=65536 --pid $$");
}

/* A loop that no tick of 250 Hz falls into is not seen: the user has to know the rate. */
static void rate__without_perf_events_is_that_of_the_tick(void **state)
{
	struct situation situation = generous();

	(void)state;
	refuse(&situation, PERF_REFUSAL_LEVEL, 3);
	situation.probes.task_clock = -EACCES;
	situation.probes.task_clock_user = -EACCES;
	assert_int_equal(check(&situation, "rate")->verdict, MACHINE_PARTLY);
	assert_non_null(strstr(check(&situation, "rate")->why, "no more than 250 Hz"));
	situation.probes.tick_ns = 1000000;
	assert_int_equal(check(&situation, "rate")->verdict, MACHINE_YES);
	situation.probes.tick_ns = 0;
	assert_int_equal(check(&situation, "rate")->verdict, MACHINE_PARTLY);
}

static void cycles__that_are_not_there_are_not_refused(void **state)
{
	struct situation situation = generous();

	(void)state;
	situation.probes.cycles = -ENOENT;
	assert_non_null(strstr(check(&situation, "hardware_events")->why, "PMU"));
	situation.probes.cycles = -EBUSY;
	assert_non_null(strstr(check(&situation, "hardware_events")->why, "refused"));
}

static void capabilities__keep_what_the_program_has(void **state)
{
	struct machine_settings settings = generous_settings();
	char command[MACHINE_COMMAND_BYTES];

	(void)state;
	settings.capabilities = BIT(CAP_PERFMON) | BIT(CAP_NET_RAW);
	assert_true(capability_advice_command(command, sizeof(command), BIT(CAP_SYSLOG), &settings,
					      false));
	assert_string_equal(command, "sudo setcap cap_perfmon,cap_syslog+ep $(command -v tsprof)");
}

/* Kernels of Ubuntu want CAP_SYS_ADMIN at levels above 2. */
static void capabilities__that_did_not_help_are_not_advised(void **state)
{
	struct situation situation = generous();

	(void)state;
	refuse(&situation, PERF_REFUSAL_LEVEL, 4);
	situation.settings.capabilities = BIT(CAP_PERFMON);
	assert_remedy(check(&situation, "perf"), "sudo sysctl kernel.perf_event_paranoid=1");
	assert_int_equal(check(&situation, "perf")->n_remedies, 1);
}

static void capabilities__are_read_from_a_command(void **state)
{
	(void)state;
	assert_int_equal(capability_advice_mask("sudo setcap cap_perfmon,cap_sys_ptrace+ep x"),
			 BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE));
	assert_int_equal(capability_advice_mask("echo cap_perfmon"), 0);
	assert_int_equal(capability_advice_mask("setcap cap_syslogger+ep x"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(checks__are_all_passed_where_all_is_allowed),
		cmocka_unit_test(level_2__costs_kernel_time_names_and_waits),
		cmocka_unit_test(level_1__costs_the_view_of_all_processes),
		cmocka_unit_test(levels_above_2__leave_nothing_without_another_engine),
		cmocka_unit_test(sigprof__is_taken_for_the_reason_that_perf_is_not),
		cmocka_unit_test(root__needs_no_sudo),
		cmocka_unit_test(user_namespace__gets_no_advice_on_capabilities),
		cmocka_unit_test(container__gets_its_own_commands),
		cmocka_unit_test(kptr_restrict__has_the_remedy_of_its_value),
		cmocka_unit_test(rings__that_are_small_cut_stacks),
		cmocka_unit_test(rings__of_any_size_are_judged),
		cmocka_unit_test(rate__below_the_usual_one_is_a_limit),
		cmocka_unit_test(descriptors__that_run_out_have_a_remedy),
		cmocka_unit_test(rate__without_perf_events_is_that_of_the_tick),
		cmocka_unit_test(cycles__that_are_not_there_are_not_refused),
		cmocka_unit_test(capabilities__keep_what_the_program_has),
		cmocka_unit_test(capabilities__that_did_not_help_are_not_advised),
		cmocka_unit_test(capabilities__are_read_from_a_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
