/* What threads wait for, by the kernel functions on their stacks. */
#include "unit.h"

#include "record/wait_reasons.h"

static struct wait_clue clue_of(const char *name)
{
	return wait_reasons_clue(name, strlen(name));
}

static void wait_reasons__know_what_programs_wait_for(void **state)
{
	static const struct {
		const char *name;
		enum sample_state state;
	} known[] = {
		{ "do_nanosleep", SAMPLE_SLEEP },
		{ "futex_do_wait", SAMPLE_LOCK },
		{ "futex_wait_queue", SAMPLE_LOCK },
		{ "ep_poll", SAMPLE_POLL },
		{ "do_sys_poll", SAMPLE_POLL },
		{ "anon_pipe_read", SAMPLE_PIPE },
		{ "pipe_write", SAMPLE_PIPE },
		{ "unix_stream_read_generic", SAMPLE_SOCKET },
		{ "sk_wait_data", SAMPLE_SOCKET },
		{ "n_tty_read", SAMPLE_TERMINAL },
		{ "do_wait", SAMPLE_CHILD },
		{ "do_sigtimedwait", SAMPLE_SIGNAL },
		{ "io_schedule", SAMPLE_DISK },
		{ "folio_wait_bit_common", SAMPLE_DISK },
		{ "handle_mm_fault", SAMPLE_MEMORY },
		{ "__mutex_lock.constprop.0", SAMPLE_KERNEL },
		{ "sigsuspend.isra.0", SAMPLE_SIGNAL },
		{ ".isra.0", SAMPLE_WAITING },
		{ "vfs_read", SAMPLE_WAITING },
		{ "", SAMPLE_WAITING },
		{ "do_nanosleeper", SAMPLE_WAITING },
		{ "futex", SAMPLE_WAITING },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(known); i++)
		assert_int_equal(clue_of(known[i].name).state, known[i].state);
}

static void wait_reasons__know_the_scheduler(void **state)
{
	(void)state;
	assert_true(clue_of("schedule").is_scheduler);
	assert_true(clue_of("__schedule").is_scheduler);
	assert_true(clue_of("schedule_hrtimeout_range").is_scheduler);
	assert_false(clue_of("do_nanosleep").is_scheduler);
	assert_false(clue_of("scheduler_tick").is_scheduler);
}

/* A lock inside the kernel is on the way to many a wait, but not what was asked for. */
static void wait_reasons__take_a_weak_clue_for_what_it_is(void **state)
{
	(void)state;
	assert_true(clue_of("wait_for_completion").is_weak);
	assert_true(clue_of("rwsem_down_read_slowpath").is_weak);
	assert_false(clue_of("wait_for_vfork_done").is_weak);
}

static void wait_reasons__do_without_symbols(void **state)
{
	struct wait_reasons reasons = { 0 };
	const uint64_t ips[] = { 1, UINT64_MAX, 0 };
	size_t n_scheduler = 9;

	(void)state;
	reasons.by_symbol = calloc(1, 1);
	assert_int_equal(wait_reasons_find(&reasons, ips, N_ITEMS(ips), &n_scheduler),
			 SAMPLE_WAITING);
	assert_int_equal(n_scheduler, 0);
	wait_reasons_release(&reasons);
}

static void sample_states__have_words_of_their_own(void **state)
{
	(void)state;
	for (int i = 0; i < SAMPLE_N_STATES; i++)
		for (int k = 0; k < i; k++)
			assert_string_not_equal(sample_state_name((enum sample_state)i),
						sample_state_name((enum sample_state)k));
	assert_string_equal(sample_state_name((enum sample_state)99), "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait_reasons__know_what_programs_wait_for),
		cmocka_unit_test(wait_reasons__know_the_scheduler),
		cmocka_unit_test(wait_reasons__take_a_weak_clue_for_what_it_is),
		cmocka_unit_test(wait_reasons__do_without_symbols),
		cmocka_unit_test(sample_states__have_words_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
