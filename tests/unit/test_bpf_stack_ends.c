/* Where stacks end, as walks show it or /proc. */
#include "bpf_stacks_fixture.h"

#include <pthread.h>
#include <unistd.h>

#include "os/stack_end.h"

static void walk_of(struct stacks_fixture *fixture, uint32_t size_bytes, bool is_limited,
		    bool is_complete, uint64_t needed_bytes)
{
	const uint64_t time_ns = (fixture->head + 1) * 1000000;
	struct bpf_stack_record record = record_at(time_ns);
	struct raw_sample sample = sample_at(time_ns);

	record.is_limited = is_limited;
	record.size_bytes = size_bytes;
	put(fixture, record, size_bytes, 1);
	assert_true(match(fixture, &sample));
	bpf_stacks_learn(&fixture->stacks, is_complete, needed_bytes);
}

/* A copy that is not limited has more than is needed. */
static void walk(struct stacks_fixture *fixture, bool is_limited, bool is_complete,
		 uint64_t needed_bytes)
{
	walk_of(fixture,
		is_limited ? (uint32_t)(fixture->stacks.ends[0].told - SP)
			   : (uint32_t)needed_bytes + 2 * MARGIN_BYTES,
		is_limited, is_complete, needed_bytes);
}

/* In place of what was copied last: so much of a stack, and its outermost end or not. */
static void set_last(struct bpf_stacks *stacks, const void *sp, uint64_t copied_bytes, bool has_top)
{
	stacks->tid = (uint32_t)gettid();
	stacks->sp = (uintptr_t)sp;
	stacks->copied_bytes = copied_bytes;
	stacks->is_limited = stacks->is_known = false;
	stacks->has_top = has_top;
}

static void ends__are_learnt_from_complete_walks(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, false, 40);
	assert_int_equal(stacks->n_ends, 0);
	walk(fixture, false, true, 41);
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	walk(fixture, true, true, 24); /* not as deep, and all was there */
	walk_of(fixture, ASKED_BYTES, true, false, ASKED_BYTES); /* deeper than is copied */
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* It needed more: the next walk tells. */
static void ends__are_doubted_when_a_walk_is_cut(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, true, 48);
	for (int i = 0; i < 50; i++) {
		walk(fixture, true, false, 8);
		assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
		walk(fixture, true, false, 4096);
		if (i < 10)
			assert_int_equal(stacks->ends[0].told, 0);
		walk(fixture, false, true, 48);
		assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	}
	/* That often it was not the end's fault. */
	walk(fixture, true, false, 4096);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* … but without it less is copied. */
static void ends__come_back_when_they_are_needed(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, true, 512);
	walk(fixture, true, false, 4096);
	assert_int_equal(stacks->ends[0].told, 0);
	walk_of(fixture, 64, false, false, 4096);
	assert_int_equal(stacks->ends[0].told, 0);
	walk_of(fixture, 64, false, false, 128);
	assert_int_equal(stacks->ends[0].told, SP + 512 + MARGIN_BYTES);
}

/* … and not by copies that were made before the end was told. */
static void ends__are_not_doubted_for_others(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk(fixture, false, true, 48);
	walk_of(fixture, 64, true, false, 8);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	assert_int_equal(stacks->ends[0].n_doubts, 0);
}

/* The program took the first page that is not there for the end of a new thread's stack. */
static void ends__of_the_program_are_looked_up_when_a_walk_is_cut(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;
	char here = 0;

	set_last(stacks, &here, 64, false);
	stacks->is_limited = stacks->is_known = true;
	bpf_stacks_learn(stacks, false, 72);
	assert_int_equal(stacks->ends[0].told,
			 stack_end_find((uint32_t)gettid(), (uintptr_t)&here));
}

static void ends__of_the_same_stack_are_one(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	for (uint64_t i = 1; i < 20; i++)
		walk(fixture, false, true, i % 2 ? 64 : 80);
	assert_int_equal(stacks->ends[0].told, SP + 80 + MARGIN_BYTES);
}

/* A thread with many stacks: each time another would be told. */
static void ends__that_move_are_given_up(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	fixture->stacks.asked_bytes = fixture->stacks.most_bytes = 65536;
	for (uint64_t i = 1; i < 7; i++)
		walk(fixture, false, true, 8192 * i);
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told, 0);
}

/* A stack that begins at the very end of its mapping: all of the copy at once would fail. */
static void ends__reach_no_further_than_what_was_there(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;

	walk_of(fixture, 64, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 64);
	walk(fixture, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
	walk_of(fixture, 64, false, true, 48);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* The table forgets, so that it is told once more after a while. */
static void ends__that_are_not_used_are_told_again(void **state)
{
	struct stacks_fixture *fixture = *state;
	const struct bpf_stacks *stacks = &fixture->stacks;
	int n_unused = 0;

	walk(fixture, false, true, 48);
	do {
		walk(fixture, false, true, 48);
		assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
		n_unused++;
	} while (stacks->ends[0].n_unused);
	assert_in_range(n_unused, 2, 100);
	walk(fixture, true, true, 48);
	assert_int_equal(stacks->ends[0].n_unused, 0);
}

static void ends__are_looked_up_for_what_is_never_complete(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;
	char here = 0;

	set_last(stacks, &here, 64, false);
	bpf_stacks_learn(stacks, false, 48); /* for another reason than its length */
	assert_int_equal(stacks->n_ends, 0);
	bpf_stacks_learn(stacks, false, 72);
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told,
			 stack_end_find((uint32_t)gettid(), (uintptr_t)&here));
	/* Once: what has not helped does not help again. */
	stacks->ends[0].address = stacks->ends[0].told = 0;
	bpf_stacks_learn(stacks, false, 72);
	assert_int_equal(stacks->ends[0].told, 0);
}

static void ends__of_programs_are_told_before_their_first_walk(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;

	bpf_stacks_expect(stacks, (uint32_t)getpid());
	assert_int_equal(stacks->n_ends, 1);
	assert_int_equal(stacks->ends[0].told, stack_end_of_program((uint32_t)getpid()));
	stacks->has_tids = false;
	bpf_stacks_expect(stacks, 1);
	assert_int_equal(stacks->n_ends, 1);
}

/* The program numbers threads otherwise than /proc does. */
static void ends__are_not_looked_up_in_other_namespaces(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;
	char here = 0;

	stacks->has_tids = false;
	set_last(stacks, &here, 64, false);
	bpf_stacks_learn(stacks, false, 72);
	assert_int_equal(stacks->ends[0].address, 0);
	assert_int_equal(stacks->ends[0].told, BPF_STACKS_NEVER_TOLD);
}

/* Else the program takes the thread for a new one at each tick. */
static void ends__that_are_nowhere_are_told(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;

	set_last(stacks, NULL, 64, false);
	bpf_stacks_learn(stacks, false, 72);
	assert_int_equal(stacks->ends[0].told, 0);
}

static void stacks__are_copied_at_once_again(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;
	struct bpf_stack_record record = record_at(1000000);
	struct raw_sample sample;

	walk(fixture, false, true, 48);
	record.is_limited = 1;
	for (uint32_t i = 0; i < 40; i++) {
		record.time_ns += 1000000;
		record.is_paged = i % 4 > 0;
		record.absent[0] = i % 4 == 1;
		put(fixture, record, 64, 1);
		sample = sample_at(record.time_ns);
		assert_true(match(fixture, &sample));
		bpf_stacks_learn(stacks, true, 48);
		if (i < 4)
			assert_int_equal(stacks->ends[0].n_gapless, i < 2 ? 0 : i - 1);
	}
	/* Where they come and go it is not tried for ever. */
	assert_int_equal(stacks->ends[0].n_gapless, 16);
	assert_int_equal(stacks->ends[0].told, SP + 48 + MARGIN_BYTES);
}

/* The thread's number was another's before: what was told lies where nothing is. */
static void ends__where_nothing_is_are_learnt_anew(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stack_record record = record_at(1000000);
	struct raw_sample sample = sample_at(1000000);

	fixture->stacks.asked_bytes = fixture->stacks.most_bytes = 65536;
	walk(fixture, false, true, 16384);
	record.is_limited = record.is_paged = 1;
	record.time_ns = sample.time_ns = fixture->head * 1000000;
	record.size_bytes = 16384;
	record.absent[0] = 2 | 4 | 8;
	put(fixture, record, 16384, 1);
	assert_true(match(fixture, &sample));
	assert_int_equal(sample.stack_size_bytes, RAW_SAMPLE_PAGE_BYTES);
	bpf_stacks_learn(&fixture->stacks, true, 48);
	assert_int_equal(fixture->stacks.ends[0].told, SP + 48 + MARGIN_BYTES);
}

static void ends__that_were_copied_are_known(void **state)
{
	struct stacks_fixture *fixture = *state;
	struct bpf_stacks *stacks = &fixture->stacks;
	char here = 0;

	set_last(stacks, &here, 64, true);
	bpf_stacks_learn(stacks, true, 1 << 20);
	bpf_stacks_learn(stacks, false, 1 << 20);
	assert_int_equal(stacks->n_ends, 0);
	/* It was not needed: the thread has another stack now. */
	bpf_stacks_learn(stacks, true, 8);
	assert_int_equal(stacks->ends[0].told, (uintptr_t)&here + 64);
}

static void stack_end_find__tells_where_arguments_are(void **state)
{
	char here = 0;
	const uint64_t end = stack_end_find((uint32_t)getpid(), (uintptr_t)&here);

	(void)state;
	assert_true(end > (uintptr_t)&here);
	/* argc and argv, then the environment (psABI 3.4.1). */
	assert_true(end < (uintptr_t)environ + 4096);
	assert_true(end > (uintptr_t)environ - 4096);
	assert_int_equal(stack_end_of_program((uint32_t)getpid()), end);
	assert_int_equal(stack_end_of_program(UINT32_MAX), 0);
}

static void *find_own(void *unused)
{
	pthread_attr_t attributes;
	size_t size;
	void *start;
	char here = 0;

	(void)unused;
	assert_int_equal(pthread_getattr_np(pthread_self(), &attributes), 0);
	assert_int_equal(pthread_attr_getstack(&attributes, &start, &size), 0);
	assert_int_equal(stack_end_find((uint32_t)gettid(), (uintptr_t)&here),
			 (uintptr_t)start + size);
	(void)pthread_attr_destroy(&attributes);
	return NULL;
}

static void stack_end_find__tells_where_mappings_end(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, find_own, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void stack_end_find__tells_nothing_of_what_is_not_there(void **state)
{
	char here = 0;

	(void)state;
	assert_int_equal(stack_end_find((uint32_t)getpid(), 1), 0);
	assert_int_equal(stack_end_find(UINT32_MAX, (uintptr_t)&here), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_RING(ends__are_learnt_from_complete_walks),
		WITH_RING(ends__are_doubted_when_a_walk_is_cut),
		WITH_RING(ends__come_back_when_they_are_needed),
		WITH_RING(ends__are_not_doubted_for_others),
		WITH_RING(ends__of_the_program_are_looked_up_when_a_walk_is_cut),
		WITH_RING(ends__of_the_same_stack_are_one),
		WITH_RING(ends__that_move_are_given_up),
		WITH_RING(ends__reach_no_further_than_what_was_there),
		WITH_RING(ends__that_are_not_used_are_told_again),
		WITH_RING(ends__are_looked_up_for_what_is_never_complete),
		WITH_RING(ends__of_programs_are_told_before_their_first_walk),
		WITH_RING(ends__are_not_looked_up_in_other_namespaces),
		WITH_RING(ends__that_are_nowhere_are_told),
		WITH_RING(ends__where_nothing_is_are_learnt_anew),
		WITH_RING(stacks__are_copied_at_once_again),
		WITH_RING(ends__that_were_copied_are_known),
		cmocka_unit_test(stack_end_find__tells_where_arguments_are),
		cmocka_unit_test(stack_end_find__tells_where_mappings_end),
		cmocka_unit_test(stack_end_find__tells_nothing_of_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
