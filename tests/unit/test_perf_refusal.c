/* Who said no to perf_event_open, told from what harmless calls gave. */
#include "unit.h"

#include <errno.h>

#include "os/perf_refusal.h"

/* What a kernel that perf events were built into says to nonsense. */
static const struct perf_refusal_evidence kernel_says_no = {
	.code_of_nonsense = EINVAL, .code_of_itself = EACCES, .has_level = true, .level = 3
};

static struct perf_refusal judge(struct perf_refusal_evidence evidence, pid_t pid)
{
	return perf_refusal_judge(-EACCES, pid, &evidence);
}

static void assert_text(const struct perf_refusal *refusal, const char *cause, const char *remedy)
{
	char text[PERF_REFUSAL_TEXT_BYTES];
	const struct remedy *remedies = NULL;

	assert_non_null(strstr(perf_refusal_cause(text, refusal), cause));
	assert_true(perf_refusal_remedies(&remedies, refusal) >= 1);
	assert_true(perf_refusal_remedies(&remedies, refusal) <= PERF_REFUSAL_MAX_REMEDIES);
	assert_non_null(strstr(remedies[0].command, remedy));
}

static void refusal__by_the_level(void **state)
{
	const struct perf_refusal refusal = judge(kernel_says_no, 0);

	(void)state;
	assert_int_equal(refusal.kind, PERF_REFUSAL_LEVEL);
	assert_text(&refusal, "kernel.perf_event_paranoid is 3",
		    "sysctl kernel.perf_event_paranoid=1");
}

/* A filter answers even what every kernel finds invalid, whatever the level is. */
static void refusal__by_a_filter(void **state)
{
	static const int codes[] = { EPERM, EACCES, ENOSYS };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(codes); i++) {
		struct perf_refusal_evidence evidence = kernel_says_no;
		struct perf_refusal refusal;

		evidence.code_of_nonsense = codes[i];
		evidence.code_of_itself = codes[i];
		refusal = judge(evidence, 0);
		assert_int_equal(refusal.kind, PERF_REFUSAL_FILTER);
		assert_text(&refusal, "seccomp filter", "--cap-add PERFMON");
	}
}

static void refusal__by_a_kernel_without_events(void **state)
{
	const struct perf_refusal_evidence evidence = { .code_of_nonsense = ENOSYS,
							.code_of_itself = ENOSYS };
	const struct perf_refusal refusal = judge(evidence, 0);

	(void)state;
	assert_int_equal(refusal.kind, PERF_REFUSAL_NO_EVENTS);
	assert_text(&refusal, "CONFIG_PERF_EVENTS", "PERF_EVENTS");
}

static void refusal__of_a_target_where_itself_is_permitted(void **state)
{
	struct perf_refusal_evidence evidence = kernel_says_no;
	struct perf_refusal refusal;

	(void)state;
	evidence.code_of_itself = 0;
	evidence.level = 2;
	assert_int_equal(judge(evidence, 4711).kind, PERF_REFUSAL_TARGET);
	refusal = judge(evidence, -1);
	assert_int_equal(refusal.kind, PERF_REFUSAL_ALL);
	assert_text(&refusal, "kernel.perf_event_paranoid is 2",
		    "sysctl kernel.perf_event_paranoid=0");
}

static void refusal__without_a_reason(void **state)
{
	struct perf_refusal_evidence evidence = kernel_says_no;
	struct perf_refusal refusal;

	(void)state;
	evidence.level = 1;
	refusal = judge(evidence, 0);
	assert_int_equal(refusal.kind, PERF_REFUSAL_OTHER);
	assert_text(&refusal, "although kernel.perf_event_paranoid is 1", "ausearch");
}

static void refusal__is_none_when_nothing_failed(void **state)
{
	const struct perf_refusal refusal = perf_refusal_judge(0, 0, &kernel_says_no);
	const struct remedy *remedies = NULL;

	(void)state;
	assert_int_equal(refusal.kind, PERF_REFUSAL_NONE);
	assert_int_equal(perf_refusal_remedies(&remedies, &refusal), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refusal__by_the_level),
		cmocka_unit_test(refusal__by_a_filter),
		cmocka_unit_test(refusal__by_a_kernel_without_events),
		cmocka_unit_test(refusal__of_a_target_where_itself_is_permitted),
		cmocka_unit_test(refusal__without_a_reason),
		cmocka_unit_test(refusal__is_none_when_nothing_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
