/* Following a thread's last walk, over stacks made by hand. */
#include "unit.h"

#include "unwind/walk_memo.h"

/* Frame 0 is the innermost: WORDS words each, the last the return address, the one before fp. */
enum { N = 50, WORDS = 4, TID = 7, GENERATION = 3 };

#define START 0x7f0000001000U
#define PAC (UINT64_C(0x5a) << 56)

static struct {
	uint64_t words[(N + 1) * WORDS];
	struct walk_memo memo;
	struct walk_step *steps;
	struct stack stack;
	enum arch arch;
} made;

static uint64_t sp_of(size_t i)
{
	return START + i * WORDS * 8;
}

static uint64_t pc_of(size_t i)
{
	return 0x401000 + i * 16;
}

static uint64_t fp_of(size_t i)
{
	return i % 3 ? sp_of(i) + 16 : 5;
}

static struct cfi_frame frame_of(size_t i)
{
	return (struct cfi_frame){ .pc = pc_of(i), .sp = sp_of(i), .fp = fp_of(i) };
}

static struct stack_dump dump_of(void)
{
	return (struct stack_dump){
		.bytes = (const uint8_t *)made.words,
		.start = START,
		.size_bytes = sizeof(made.words),
		.n_word_bytes = stack_dump_n_word_bytes(sizeof(made.words)),
		.asked_bytes = sizeof(made.words),
	};
}

static struct walk_trail begin(uint32_t tid)
{
	stack_clear(&made.stack, STACK_COMPLETE);
	return walk_trail_begin(&made.memo, made.steps, tid, GENERATION);
}

/* As the walk does it: the steps from frame `first` to before `end`. */
static void put_steps(struct walk_trail *trail, size_t first, size_t end)
{
	for (size_t i = first; i < end; i++) {
		struct stack *stack = &made.stack;
		struct cfi_frame frame = frame_of(i);

		stack->locations[stack->n_frames] = (uint32_t)i;
		stack->ips[stack->n_frames] = pc_of(i);
		walk_trail_add(trail, &frame, stack->n_frames++);
		if (i + 1 < N)
			walk_trail_link(trail, sp_of(i + 1) - 8,
					fp_of(i + 1) != fp_of(i) ? sp_of(i + 1) - 16 : 0);
	}
}

static int setup(void **state)
{
	struct walk_trail trail;
	const struct cfi_frame last = frame_of(N - 1);

	(void)state;
	made.arch = ARCH_X86_64;
	for (size_t i = 0; i < N; i++) {
		made.words[(i + 1) * WORDS - 1] = pc_of(i + 1);
		made.words[(i + 1) * WORDS - 2] = fp_of(i + 1);
	}
	made.steps = malloc(WALK_MEMO_STEPS * sizeof(*made.steps));
	trail = begin(TID);
	put_steps(&trail, 0, N);
	walk_trail_end(&trail, &last);
	walk_trail_finish(&trail, &made.stack);
	return made.memo.n_steps == N ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	walk_memo_release(&made.memo);
	free(made.steps);
	return 0;
}

/* Meet the last walk at frame `first`; whether it was followed to the end. */
static bool follow(struct walk_trail *trail, size_t first, struct cfi_frame *ret_frame)
{
	const struct stack_dump dump = dump_of();

	*ret_frame = frame_of(first);
	walk_trail_look_ahead(trail, &dump);
	return walk_trail_skip(trail, &dump, made.arch, ret_frame, &made.stack);
}

static void assert_has_frames(size_t first, size_t end)
{
	stack_join(&made.stack);
	assert_int_equal(made.stack.n_frames, end - first);
	for (size_t i = first; i < end; i++) {
		assert_int_equal(made.stack.locations[i - first], i);
		assert_int_equal(made.stack.ips[i - first], pc_of(i));
	}
}

static void walk_memo__lends_what_goes_on_to_the_end(void **state)
{
	struct cfi_frame frame;

	(void)state;
	/* Each time something else is new, and the memo is the last walk's. */
	for (size_t first = 1; first < N; first++) {
		struct walk_trail trail = begin(TID);

		put_steps(&trail, 0, first);
		assert_true(follow(&trail, first, &frame));
		assert_int_equal(made.stack.n_frames, first);
		assert_int_equal(made.stack.n_outer, N - first);
		assert_int_equal(frame.sp, sp_of(N - 1));
		walk_trail_finish(&trail, &made.stack);
		assert_has_frames(0, N);
		assert_int_equal(made.memo.n_steps, N);
	}
}

static void walk_memo__stops_at_each_word_that_changed(void **state)
{
	(void)state;
	for (size_t i = 0; i + 1 < N; i++) {
		const bool has_fp = fp_of(i + 1) != fp_of(i);
		uint64_t *word = &made.words[(i + 1) * WORDS - 1 - (has_fp && i % 2)];
		struct walk_trail trail = begin(TID);
		struct cfi_frame frame;

		*word += 8;
		assert_false(follow(&trail, 0, &frame));
		*word -= 8;
		assert_int_equal(frame.sp, sp_of(i));
		assert_int_equal(frame.pc, pc_of(i));
		assert_int_equal(made.stack.n_outer, 0);
		assert_has_frames(0, i);
		/* From there on it is walked, and may come to the old one again. */
		put_steps(&trail, i, i + 1);
		assert_true(follow(&trail, i + 1, &frame));
		walk_trail_finish(&trail, &made.stack);
		assert_has_frames(0, N);
	}
}

static void walk_memo__copies_where_memory_ended_the_stack(void **state)
{
	struct walk_trail trail = begin(TID);
	struct cfi_frame frame;

	(void)state;
	made.memo.is_to_outermost = false;
	assert_false(follow(&trail, 2, &frame));
	assert_int_equal(frame.pc, pc_of(N - 1));
	assert_has_frames(2, N - 1);
}

static void walk_memo__needs_the_same_frame_of_the_same_thread(void **state)
{
	struct walk_trail trail = begin(TID);
	struct cfi_frame frame = frame_of(3);
	const struct stack_dump dump = dump_of();

	(void)state;
	frame.fp++;
	assert_false(walk_trail_skip(&trail, &dump, made.arch, &frame, &made.stack));
	frame = frame_of(4);
	frame.is_switched = true;
	assert_false(walk_trail_skip(&trail, &dump, made.arch, &frame, &made.stack));
	trail = begin(TID + 1);
	assert_false(follow(&trail, 3, &frame));
	assert_int_equal(made.stack.n_frames, 0);
}

static void walk_memo__keeps_to_the_limit_of_frames(void **state)
{
	struct cfi_frame frame;

	(void)state;
	for (uint32_t n_left = 1; n_left <= N; n_left++) {
		struct walk_trail trail = begin(TID);

		made.stack.n_frames = STACK_MAX_FRAMES - n_left;
		assert_int_equal(follow(&trail, 0, &frame), n_left == N);
		stack_join(&made.stack);
		assert_int_equal(made.stack.n_frames, STACK_MAX_FRAMES - (n_left == N ? 0 : 1));
	}
}

static void walk_memo__knows_return_addresses_under_their_codes(void **state)
{
	struct walk_trail trail = begin(TID);
	struct cfi_frame frame;

	(void)state;
	for (size_t i = 1; i < N; i++)
		made.words[i * WORDS - 1] |= PAC;
	assert_false(follow(&trail, 0, &frame));
	made.arch = ARCH_AARCH64;
	trail = begin(TID);
	assert_true(follow(&trail, 0, &frame));
	assert_has_frames(0, N);
}

/* A large stack is copied in two pieces. */
static void walk_memo__reads_both_ends_of_a_stack(void **state)
{
	const size_t n_first = 20 * WORDS * 8;
	struct stack_dump dump = dump_of();
	struct walk_trail trail = begin(TID);
	struct cfi_frame frame = frame_of(0);

	(void)state;
	dump.n_word_bytes = dump.n_paged_word_bytes = stack_dump_n_word_bytes(n_first);
	dump.size_bytes = n_first;
	assert_false(walk_trail_skip(&trail, &dump, made.arch, &frame, &made.stack));
	assert_int_equal(frame.sp, sp_of(20));
	dump.top = (const uint8_t *)made.words + n_first;
	dump.top_start = START + n_first;
	dump.n_top_word_bytes = stack_dump_n_word_bytes(sizeof(made.words) - n_first);
	trail = begin(TID);
	frame = frame_of(0);
	assert_true(walk_trail_skip(&trail, &dump, made.arch, &frame, &made.stack));
	assert_has_frames(0, N);
}

#define MEMO_TEST(name) cmocka_unit_test_setup_teardown(walk_memo__##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMO_TEST(lends_what_goes_on_to_the_end),
		MEMO_TEST(stops_at_each_word_that_changed),
		MEMO_TEST(copies_where_memory_ended_the_stack),
		MEMO_TEST(needs_the_same_frame_of_the_same_thread),
		MEMO_TEST(keeps_to_the_limit_of_frames),
		MEMO_TEST(knows_return_addresses_under_their_codes),
		MEMO_TEST(reads_both_ends_of_a_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
