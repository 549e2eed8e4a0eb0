/* The kernel's answers are a file here; what is asked of it is asked of the kernel. */
#include "unit.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "os/scheduling.h"

enum { LATE_MS = 100, IN_TIME_MS = 1, MANY = 1000000 };

static void set_waited(const struct scheduling *scheduling, unsigned int waited_ms)
{
	char text[64];
	const int n = snprintf(text, sizeof(text), "123 %u000000 7\n", waited_ms);

	assert_int_equal(pwrite(scheduling->fd, text, (size_t)n, 0), n);
}

static void set_runnable(const struct scheduling *scheduling, unsigned int n_threads)
{
	char text[64];
	const int n = snprintf(text, sizeof(text), "0.10 1.00 0.50 %u/2000000 77\n", n_threads);

	assert_int_equal(pwrite(scheduling->load_fd, text, (size_t)n, 0), n);
}

static bool may_be_first(void)
{
	const int old = getpriority(PRIO_PROCESS, 0);
	const bool may = setpriority(PRIO_PROCESS, 0, -20) == 0;

	(void)setpriority(PRIO_PROCESS, 0, old);
	return may;
}

static bool may_be_real_time(void)
{
	const struct sched_param usual = { .sched_priority = 0 };
	const struct sched_param first = { .sched_priority = 99 };
	const bool may = sched_setscheduler(0, SCHED_RR, &first) == 0;

	(void)sched_setscheduler(0, SCHED_OTHER, &usual);
	return may;
}

static void threads__come_first_and_are_as_before(void **state)
{
	struct scheduling scheduling;

	(void)state;
	if (!may_be_first()) {
		print_message("not here: a nice value below 0 is not permitted\n");
		skip();
	}
	assert_int_equal(setpriority(PRIO_PROCESS, 0, 3), 0);
	scheduling_raise(&scheduling);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), -20);
	scheduling_restore(&scheduling);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 3);
	assert_int_equal(setpriority(PRIO_PROCESS, 0, 0), 0);
}

static void threads__that_wait_for_long_become_urgent(void **state)
{
	FILE *statistics = tmpfile();
	FILE *load = tmpfile();
	struct scheduling scheduling = { .fd = fileno(statistics),
					 .load_fd = fileno(load),
					 .is_raised = true };
	struct sched_param got;

	(void)state;
	assert_non_null(statistics);
	if (!may_be_real_time()) {
		print_message("not here: real-time is not permitted\n");
		skip();
	}
	/* A hypervisor took its CPU away. */
	set_runnable(&scheduling, 1);
	set_waited(&scheduling, LATE_MS);
	scheduling_look(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	scheduling.waited_ns = 0;
	set_runnable(&scheduling, MANY);
	set_waited(&scheduling, IN_TIME_MS);
	scheduling_look(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	set_waited(&scheduling, LATE_MS);
	scheduling_look(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_RR | SCHED_RESET_ON_FORK);
	assert_int_equal(sched_getparam(0, &got), 0);
	assert_int_equal(got.sched_priority, 1);
	set_waited(&scheduling, LATE_MS + IN_TIME_MS);
	scheduling_look(&scheduling);
	assert_int_equal(sched_getparam(0, &got), 0);
	assert_int_equal(got.sched_priority, 1);
	for (unsigned int i = 2; i < 5; i++) {
		set_waited(&scheduling, i * LATE_MS);
		scheduling_look(&scheduling);
		assert_int_equal(sched_getparam(0, &got), 0);
		assert_int_equal(got.sched_priority, 99);
	}
	scheduling.fd = scheduling.load_fd = -1;
	scheduling_restore(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 0);
	(void)fclose(statistics);
	(void)fclose(load);
}

/* Somebody wanted another policy: nothing is changed, and nothing restored. */
static void threads__of_another_policy_are_let_be(void **state)
{
	const struct sched_param usual = { .sched_priority = 0 };
	struct scheduling scheduling;

	(void)state;
	assert_int_equal(sched_setscheduler(0, SCHED_BATCH, &usual), 0);
	scheduling_raise(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	scheduling_look(&scheduling);
	scheduling_restore(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_BATCH);
	assert_int_equal(sched_setscheduler(0, SCHED_OTHER, &usual), 0);
}

/* What is not permitted is not a failure: it runs as others do. */
static void threads__of_nobody_go_on(void **state)
{
	struct scheduling scheduling;

	(void)state;
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
		skip();
	scheduling_raise(&scheduling);
	scheduling_look(&scheduling);
	scheduling_restore(&scheduling);
	assert_int_equal(sched_getscheduler(0), SCHED_OTHER);
	assert_int_equal(getpriority(PRIO_PROCESS, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads__come_first_and_are_as_before),
		cmocka_unit_test(threads__that_wait_for_long_become_urgent),
		cmocka_unit_test(threads__of_another_policy_are_let_be),
		cmocka_unit_test(threads__of_nobody_go_on), /* the last: it gives root up */
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
