/* Doctor's text and JSON, whole, for machines that are made up. */
#include "unit.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>

#include "base/escape.h"
#include "cmd/doctor_output.h"
#include "cmd/wrapped_rows.h"

struct situation {
	struct machine_settings settings;
	struct machine_probes probes;
	struct machine_checks checks;
	struct machine_values values;
};

/* An ordinary user of Debian, whose kernel forbids perf events. */
static void make_debian(struct situation *debian)
{
	*debian = (struct situation){
		.settings = { .paranoid = { true, 3 },
			      .mlock_kb = { true, 516 },
			      .max_rate_hz = { true, 50000 },
			      .kptr_restrict = { true, 1 },
			      .ptrace_scope = { true, 1 },
			      .has_capabilities = true,
			      .bounding_set = UINT64_MAX,
			      .kernel_release = "6.1.0-debian",
			      .kernel_build_id = { 0xab, 0xcd },
			      .kernel_build_id_bytes = 2,
			      .kallsyms = KALLSYMS_HIDDEN,
			      .debuginfod_urls = "https://debuginfod.\033[31mexample/" },
		.probes = { .uid = 1000,
			    .n_cpus = 8,
			    .engine = "sigprof",
			    .is_fallback = true,
			    .has_sigprof = true,
			    .sigprof_stack_bytes = 65528,
			    .task_clock = -EACCES,
			    .task_clock_user = -EACCES,
			    .memlock_bytes = 8 << 20,
			    .n_descriptors = 1048576,
			    .refusal = { .kind = PERF_REFUSAL_LEVEL,
					 .code = -EACCES,
					 .has_level = true,
					 .level = 3 },
			    .cycles = -EACCES,
			    .all_processes = -EACCES,
			    .switches = -EACCES,
			    .bpf = -EPERM,
			    .tick_ns = 4000000 },
	};
	(void)error_set(&debian->probes.perf, -EACCES, "refused");
	(void)error_set(&debian->probes.functions, -EACCES,
			"the kernel lets only root put probes into functions");
	machine_checks_make(&debian->checks, &debian->settings, &debian->probes);
	machine_values_make(&debian->values, &debian->settings, &debian->probes);
}

/* The text against a file of the sources. */
static void assert_golden(const struct buffer *text, const char *name)
{
	char path[1000];
	char golden[16384];
	size_t size;
	FILE *file;

	(void)snprintf(path, sizeof(path), SRCDIR "/tests/unit/%s", name);
	file = fopen(path, "re");
	assert_non_null(file);
	size = fread(golden, 1, sizeof(golden) - 1, file);
	golden[size] = '\0';
	assert_int_equal(fclose(file), 0);
	if (strcmp(golden, buffer_string(text)) == 0)
		return;
	(void)snprintf(path, sizeof(path), "%s.actual", name);
	file = fopen(path, "we");
	assert_non_null(file);
	(void)fwrite(text->data, 1, text->size, file);
	(void)fclose(file);
	fail_msg("compare %s with tests/unit/%s", path, name);
}

static void doctor_text__of_a_machine_that_forbids_perf(void **state)
{
	struct situation debian;
	struct buffer text = BUFFER_INIT;

	(void)state;
	make_debian(&debian);
	doctor_output_text(&text, &debian.checks, &debian.values, 80);
	assert_golden(&text, "doctor_text.golden");
	buffer_release(&text);
}

static void doctor_text__of_a_machine_that_permits_nothing(void **state)
{
	struct situation debian;
	struct buffer text = BUFFER_INIT;

	(void)state;
	make_debian(&debian);
	debian.probes.engine = NULL;
	(void)error_set(&debian.probes.sigprof, -ENOENT, "no libtsprof.so beside tsprof");
	machine_checks_make(&debian.checks, &debian.settings, &debian.probes);
	doctor_output_text(&text, &debian.checks, &debian.values, 80);
	assert_ptr_equal(strstr(text.data, "tsprof record cannot work here: "), text.data);
	assert_non_null(strstr(text.data, "engine sigprof   no      no libtsprof.so"));
	assert_non_null(strstr(text.data, "    > export TSPROF_LIBRARY="));
	buffer_release(&text);
}

static void doctor_json__of_a_machine_that_forbids_perf(void **state)
{
	struct situation debian;
	struct buffer text = BUFFER_INIT;

	(void)state;
	make_debian(&debian);
	doctor_output_json(&text, &debian.checks, &debian.values);
	assert_golden(&text, "doctor_json.golden");
	buffer_release(&text);
}

/* What explains is never wider than the terminal, what is to be copied never broken. */
static void doctor_text__fits_every_width(void **state)
{
	struct situation debian;

	(void)state;
	make_debian(&debian);
	for (size_t columns = 40; columns < 200; columns++) {
		struct buffer text = BUFFER_INIT;
		char *line;
		char *rest;

		doctor_output_text(&text, &debian.checks, &debian.values, columns);
		for (line = strtok_r(text.data, "\n", &rest); line;
		     line = strtok_r(NULL, "\n", &rest))
			if (!strstr(line, "    > "))
				assert_in_range(utf8_columns(line), 0, columns);
		buffer_release(&text);
	}
}

static void wrapped_rows__break_between_words_and_inside_long_ones(void **state)
{
	static const struct wrapped_layout layout = { .n_columns = 2, .widths = { 4, 6 } };
	static const char *const cells[] = { "ab c defghij", "ééé ü\n" };
	struct buffer text = BUFFER_INIT;

	(void)state;
	wrapped_rows_add(&text, &layout, cells);
	assert_string_equal(text.data, "ab c  ééé ü\xef\xbf\xbd\ndefg\nhij\n");
	buffer_release(&text);
}

static void wrapped_rows__of_nothing_are_an_empty_line(void **state)
{
	static const struct wrapped_layout layout = { .n_columns = 2, .widths = { 1, 1 } };
	static const char *const cells[] = { "", "" };
	struct buffer text = BUFFER_INIT;

	(void)state;
	wrapped_rows_add(&text, &layout, cells);
	assert_string_equal(text.data, "\n");
	buffer_release(&text);
}

/* Wide characters in a column of one still come out. */
static void wrapped_rows__end_with_wide_characters(void **state)
{
	static const struct wrapped_layout layout = { .n_columns = 1, .widths = { 1 } };
	static const char *const cells[] = { "漢字" };
	struct buffer text = BUFFER_INIT;

	(void)state;
	wrapped_rows_add(&text, &layout, cells);
	assert_non_null(strstr(text.data, "漢"));
	assert_non_null(strstr(text.data, "字"));
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(doctor_text__of_a_machine_that_forbids_perf),
		cmocka_unit_test(doctor_text__of_a_machine_that_permits_nothing),
		cmocka_unit_test(doctor_json__of_a_machine_that_forbids_perf),
		cmocka_unit_test(doctor_text__fits_every_width),
		cmocka_unit_test(wrapped_rows__break_between_words_and_inside_long_ones),
		cmocka_unit_test(wrapped_rows__of_nothing_are_an_empty_line),
		cmocka_unit_test(wrapped_rows__end_with_wide_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
