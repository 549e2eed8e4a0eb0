/*
 * A helper that reads the program's memory reads all that it is asked for or nothing.
 * Where it is known how far a thread's stack is in use, that is asked for at once, or, when that
 * has failed, page by page; else page by page until one is not there.  Room in a ring has to be
 * reserved by constants, so there are some for different lengths.  What is reserved and given up
 * takes its room in the ring nevertheless.
 */
#include "os/bpf_stack_copy.h"

#include <linux/bpf.h>
#include <stdbool.h>

enum {
	PAGE_BYTES = RAW_SAMPLE_PAGE_BYTES,
	PAGE_ORDER = 12,
	RECORD_BYTES = sizeof(struct bpf_stack_record),
	ABSENT_AT = offsetof(struct bpf_stack_record, absent),

	/* On the program's stack. */
	WORD_SLOT = BPF_STACK_OWN_SLOTS - 8,
	END_SLOT = BPF_STACK_OWN_SLOTS - 16,   /* where the thread's stack ends */
	LIMIT_SLOT = BPF_STACK_OWN_SLOTS - 24, /* below it pages that are not there are left out */
	LENGTH_SLOT = BPF_STACK_OWN_SLOTS - 32,
	VALUE_SLOT = BPF_STACK_OWN_SLOTS - 40, /* what the table has of the thread */
	PAGED_SLOT = BPF_STACK_OWN_SLOTS - 48, /* whether it says so */

	/*
	 * Where the end is not known.  Each page costs half a microsecond, and most that come
	 * behind the last one of a stack are not there.  Where some are behind one that is not,
	 * there may be more of these.
	 */
	UNKNOWN_LIMIT_BYTES = 8 * PAGE_BYTES,
	SPARSE_LIMIT_BITS = 17, /* so many bytes are beyond all that is copied by this */

	/* Of a thread that the recorder has not seen yet, and that is deep. */
	NEW_BYTES = 131072,
};

_Static_assert(1 << PAGE_ORDER == PAGE_BYTES, "what pages are counted by");
_Static_assert(BPF_STACK_MOST_BYTES / PAGE_BYTES + 1 < RAW_SAMPLE_PAGES_MAX, "a bit for each");

static void jump_here(struct bpf_code *code, const struct bpf_stack_jumps *jumps)
{
	for (size_t i = 0; i < jumps->n; i++)
		bpf_code_jump_here(code, jumps->from[i]);
}

static void leave_if_zero(struct bpf_code *code, struct bpf_stack_jumps *leaving)
{
	leaving->from[leaving->n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
}

void bpf_stack_add_ring(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving)
{
	bpf_code_map(code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->list_fd);
	bpf_code_move(code, BPF_REG_2, BPF_REG_10, BPF_STACK_CPU_SLOT);
	bpf_code_call(code, BPF_FUNC_map_lookup_elem);
	leave_if_zero(code, leaving);
	bpf_code_move(code, BPF_REG_9, BPF_REG_0, 0);
}

/* A note on the CPU's line, with r1 its address: the verifier does not follow what is there. */
static void add_note(struct bpf_code *code, size_t at, int32_t value)
{
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_LINE_SLOT);
	bpf_code_number(code, BPF_REG_2, value);
	bpf_code_store(code, BPF_REG_1, (int)at, BPF_REG_2, sizeof(uint64_t));
}

/* r9: a record with room for that many bytes. */
static void add_reserve(struct bpf_code *code, uint32_t bytes, struct bpf_stack_jumps *leaving)
{
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, (int32_t)(RECORD_BYTES + bytes));
	bpf_code_number(code, BPF_REG_3, 0);
	bpf_code_call(code, BPF_FUNC_ringbuf_reserve);
	leave_if_zero(code, leaving);
	bpf_code_move(code, BPF_REG_9, BPF_REG_0, 0);
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, is_paged), BPF_REG_1, 4);
	for (size_t i = 0; i < RAW_SAMPLE_PAGE_WORDS; i++)
		bpf_code_store(code, BPF_REG_9, (int)(ABSENT_AT + i * sizeof(uint64_t)), BPF_REG_1,
			       sizeof(uint64_t));
}

/* The record in r9; there is the ring again then. */
static void add_give_up(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving)
{
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
	bpf_code_call(code, BPF_FUNC_ringbuf_discard);
	bpf_stack_add_ring(code, options, leaving);
}

static const uint32_t lengths[] = { 2048,   4096,   8192,   12288,  16384,
				    24576,  32768,  49152,  65536,  98304,
				    131072, 196608, 262144, 393216, BPF_STACK_MOST_BYTES };

/* Of what is copied page by page; each takes the kernel's verifier as long as it has pages. */
static const uint32_t paged_lengths[] = {
	16384, 32768, 65536, 131072, 262144, BPF_STACK_MOST_BYTES
};

enum {
	N_LENGTHS = sizeof(lengths) / sizeof(lengths[0]),
	N_PAGED_LENGTHS = sizeof(paged_lengths) / sizeof(paged_lengths[0]),
};

/* `r2` bytes from where r7 others end; r0 is 0 if they are there. */
static void add_read(struct bpf_code *code)
{
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, RECORD_BYTES);
	bpf_code_combine(code, BPF_ADD, BPF_REG_1, BPF_REG_7);
	bpf_code_move(code, BPF_REG_3, BPF_REG_8, 0);
	bpf_code_combine(code, BPF_ADD, BPF_REG_3, BPF_REG_7);
	bpf_code_call(code, BPF_FUNC_probe_read_user);
}

/*
 * Note the page behind r7 bytes by its number, counted from that of the stack pointer, if it is not
 * there, which r0 says.  Without a branch: the kernel's verifier follows each.
 */
static void add_absent(struct bpf_code *code)
{
	bpf_code_compute(code, BPF_RSH, BPF_REG_0, 63); /* an errno is negative */
	bpf_code_move(code, BPF_REG_1, BPF_REG_7, PAGE_BYTES - 1);
	bpf_code_compute(code, BPF_RSH, BPF_REG_1, PAGE_ORDER);
	bpf_code_move(code, BPF_REG_3, BPF_REG_1, 0);
	bpf_code_compute(code, BPF_RSH, BPF_REG_3, 6);
	bpf_code_compute(code, BPF_LSH, BPF_REG_3, 3);
	bpf_code_combine(code, BPF_ADD, BPF_REG_3, BPF_REG_9);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, RAW_SAMPLE_PAGE_BITS - 1);
	bpf_code_combine(code, BPF_LSH, BPF_REG_0, BPF_REG_1);
	bpf_code_load(code, BPF_REG_1, BPF_REG_3, ABSENT_AT);
	bpf_code_combine(code, BPF_OR, BPF_REG_1, BPF_REG_0);
	bpf_code_store(code, BPF_REG_3, ABSENT_AT, BPF_REG_1, sizeof(uint64_t));
}

/*
 * A page is there; with an absent one below it the limit is taken off.  The first word of bits
 * has all pages up to the limit.  Without a branch, as add_absent.
 */
static void add_lift(struct bpf_code *code)
{
	bpf_code_load(code, BPF_REG_1, BPF_REG_9, ABSENT_AT);
	bpf_code_number(code, BPF_REG_2, 0);
	bpf_code_combine(code, BPF_SUB, BPF_REG_2, BPF_REG_1);
	bpf_code_combine(code, BPF_OR, BPF_REG_1, BPF_REG_2);
	bpf_code_compute(code, BPF_RSH, BPF_REG_1, 63);
	bpf_code_compute(code, BPF_LSH, BPF_REG_1, SPARSE_LIMIT_BITS);
	bpf_code_load(code, BPF_REG_2, BPF_REG_9, offsetof(struct bpf_stack_record, limit));
	bpf_code_combine(code, BPF_OR, BPF_REG_2, BPF_REG_1);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, limit), BPF_REG_2, 8);
}

/*
 * r7: how much was copied, page by page, the part of a page that the stack begins in first.  As
 * much as LENGTH_SLOT says, at most `most_bytes`, and what is behind it in its last page.  What
 * the loop goes by is in the record, as the kernel's verifier follows what is on the program's
 * stack on each way out of it.
 */
static void add_pages(struct bpf_code *code, uint32_t most_bytes, bool has_limit)
{
	struct bpf_stack_jumps done = { .n = 0 };
	size_t again, is_there, is_absent;

	bpf_code_number(code, BPF_REG_1, 1);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, is_paged), BPF_REG_1, 4);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, LENGTH_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, length), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, LIMIT_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, limit), BPF_REG_1, 8);
	bpf_code_number(code, BPF_REG_7, 0);
	bpf_code_move(code, BPF_REG_1, BPF_REG_8, 0);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, PAGE_BYTES - 1);
	bpf_code_number(code, BPF_REG_2, PAGE_BYTES);
	bpf_code_combine(code, BPF_SUB, BPF_REG_2, BPF_REG_1);
	bpf_code_store(code, BPF_REG_10, WORD_SLOT, BPF_REG_2, sizeof(uint64_t));
	add_read(code);
	add_absent(code);
	bpf_code_load(code, BPF_REG_7, BPF_REG_10, WORD_SLOT);
	again = code->n_insns;
	done.from[done.n++] = bpf_code_jump(code, BPF_JGE, BPF_REG_7, (int32_t)most_bytes);
	bpf_code_load(code, BPF_REG_1, BPF_REG_9, offsetof(struct bpf_stack_record, length));
	done.from[done.n++] = bpf_code_jump_by(code, BPF_JGE, BPF_REG_7, BPF_REG_1);
	bpf_code_number(code, BPF_REG_2, PAGE_BYTES);
	add_read(code);
	if (has_limit) {
		is_there = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
		bpf_code_load(code, BPF_REG_1, BPF_REG_9, offsetof(struct bpf_stack_record, limit));
		done.from[done.n++] = bpf_code_jump_by(code, BPF_JLE, BPF_REG_1, BPF_REG_7);
		is_absent = bpf_code_go(code);
		bpf_code_jump_here(code, is_there);
		add_lift(code);
		bpf_code_jump_here(code, is_absent);
	}
	add_absent(code);
	bpf_code_compute(code, BPF_ADD, BPF_REG_7, PAGE_BYTES);
	bpf_code_go_back(code, again);
	jump_here(code, &done);
}

/* LENGTH_SLOT: how much is in use.  Where it is too much it goes on behind this. */
static void add_known_pages(struct bpf_code *code, const struct bpf_stack_options *options,
			    struct bpf_stack_jumps *leaving, struct bpf_stack_jumps *done)
{
	for (size_t i = 0; i < N_PAGED_LENGTHS; i++) {
		size_t too_long;

		bpf_code_load(code, BPF_REG_7, BPF_REG_10, LENGTH_SLOT);
		too_long = bpf_code_jump(code, BPF_JGT, BPF_REG_7, (int32_t)paged_lengths[i]);
		add_reserve(code, paged_lengths[i] + PAGE_BYTES, leaving);
		add_pages(code, paged_lengths[i], false);
		bpf_code_load(code, BPF_REG_7, BPF_REG_10, LENGTH_SLOT);
		bpf_code_number(code, BPF_REG_1, 1);
		done->from[done->n++] = bpf_code_go(code);
		bpf_code_jump_here(code, too_long);
		if (paged_lengths[i] >= options->most_bytes)
			break;
	}
	leaving->from[leaving->n++] = bpf_code_go(code);
}

/* r7: how much is in use.  Where copying it fails, that is noted, and it goes on behind this. */
static void add_at_once(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving, struct bpf_stack_jumps *done)
{
	struct bpf_stack_jumps failed = { .n = 0 };

	for (size_t i = 0; i < N_LENGTHS; i++) {
		const size_t too_long = bpf_code_jump(code, BPF_JGT, BPF_REG_7,
						      (int32_t)lengths[i]);

		add_reserve(code, lengths[i], leaving);
		bpf_code_move(code, BPF_REG_1, BPF_REG_9, RECORD_BYTES);
		bpf_code_move(code, BPF_REG_2, BPF_REG_7, 0);
		bpf_code_move(code, BPF_REG_3, BPF_REG_8, 0);
		bpf_code_call(code, BPF_FUNC_probe_read_user);
		failed.from[failed.n++] = bpf_code_jump(code, BPF_JNE, BPF_REG_0, 0);
		bpf_code_number(code, BPF_REG_1, 1);
		done->from[done->n++] = bpf_code_go(code);
		bpf_code_jump_here(code, too_long);
		if (lengths[i] >= options->most_bytes)
			break;
	}
	leaving->from[leaving->n++] = bpf_code_go(code);
	jump_here(code, &failed);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, VALUE_SLOT);
	bpf_code_load(code, BPF_REG_2, BPF_REG_1, 0);
	bpf_code_compute(code, BPF_OR, BPF_REG_2, (int32_t)BPF_STACK_IS_PAGED);
	bpf_code_store(code, BPF_REG_1, 0, BPF_REG_2, sizeof(uint64_t));
	add_give_up(code, options, leaving);
}

/*
 * r7: how much is in use; all of it is copied.  Jumps to `done`, or goes on where it is too
 * much or the thread is on another stack.  `is_new`: its end is not known.
 */
static void add_known(struct bpf_code *code, const struct bpf_stack_options *options,
		      struct bpf_stack_jumps *leaving, struct bpf_stack_jumps *done,
		      struct bpf_stack_jumps *is_new)
{
	size_t is_outside, is_far, fits, is_paged, is_given_up;

	add_note(code, offsetof(struct bpf_stack_cpu, is_new), 1);
	bpf_code_map(code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->table_fd);
	bpf_code_move(code, BPF_REG_2, BPF_REG_10, BPF_STACK_TID_SLOT);
	bpf_code_call(code, BPF_FUNC_map_lookup_elem);
	is_new->from[is_new->n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
	bpf_code_store(code, BPF_REG_10, VALUE_SLOT, BPF_REG_0, sizeof(uint64_t));
	add_note(code, offsetof(struct bpf_stack_cpu, is_new), 0);
	bpf_code_load(code, BPF_REG_7, BPF_REG_0, 0);
	bpf_code_move(code, BPF_REG_1, BPF_REG_7, 0);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, (int32_t)BPF_STACK_IS_PAGED);
	bpf_code_store(code, BPF_REG_10, PAGED_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_compute(code, BPF_AND, BPF_REG_7, ~(int32_t)BPF_STACK_IS_PAGED);
	is_new->from[is_new->n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_7, 0);
	bpf_code_store(code, BPF_REG_10, END_SLOT, BPF_REG_7, sizeof(uint64_t));
	is_outside = bpf_code_jump_by(code, BPF_JLE, BPF_REG_7, BPF_REG_8);
	bpf_code_combine(code, BPF_SUB, BPF_REG_7, BPF_REG_8);
	bpf_code_store(code, BPF_REG_10, LIMIT_SLOT, BPF_REG_7, sizeof(uint64_t));
	fits = bpf_code_jump(code, BPF_JLE, BPF_REG_7, (int32_t)options->most_bytes);
	bpf_code_number(code, BPF_REG_7, (int32_t)options->asked_bytes);
	is_far = options->with_top ? bpf_code_go(code) : fits;
	bpf_code_jump_here(code, fits);
	bpf_code_store(code, BPF_REG_10, LENGTH_SLOT, BPF_REG_7, sizeof(uint64_t));
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, PAGED_SLOT);
	is_paged = bpf_code_jump(code, BPF_JNE, BPF_REG_1, 0);
	add_at_once(code, options, leaving, done);
	is_given_up = bpf_code_go(code);
	bpf_code_jump_here(code, is_paged);
	add_known_pages(code, options, leaving, done);
	bpf_code_jump_here(code, is_given_up);
	bpf_code_jump_here(code, is_outside);
	if (options->with_top)
		bpf_code_jump_here(code, is_far);
}

static uint32_t n_whole_pages(uint32_t asked_bytes)
{
	return (asked_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

uint32_t bpf_stack_program_top_at(uint32_t asked_bytes)
{
	return RECORD_BYTES + (n_whole_pages(asked_bytes) + 1) * PAGE_BYTES;
}

/* So much of the end, and what else is in the page where that begins. */
static const int32_t top_lengths[] = { 15 * PAGE_BYTES, 6 * PAGE_BYTES, 2 * PAGE_BYTES,
				       PAGE_BYTES,	1024,		256 };

_Static_assert(16 * PAGE_BYTES <= BPF_STACK_TOP_BYTES, "room for the longest");

/* The outermost end, which is known: less of it where a page is not there. */
static void add_top(struct bpf_code *code, const struct bpf_stack_options *options)
{
	struct bpf_stack_jumps done = { .n = 0 };

	for (size_t i = 0; i < sizeof(top_lengths) / sizeof(top_lengths[0]); i++) {
		bpf_code_load(code, BPF_REG_3, BPF_REG_10, END_SLOT);
		bpf_code_move(code, BPF_REG_2, BPF_REG_3, -top_lengths[i]);
		bpf_code_compute(code, BPF_AND, BPF_REG_2, PAGE_BYTES - 1);
		bpf_code_compute(code, BPF_ADD, BPF_REG_2, top_lengths[i]);
		bpf_code_combine(code, BPF_SUB, BPF_REG_3, BPF_REG_2);
		bpf_code_store(code, BPF_REG_10, BPF_STACK_TOP_SLOT, BPF_REG_3, sizeof(uint64_t));
		bpf_code_store(code, BPF_REG_10, BPF_STACK_TOP_BYTES_SLOT, BPF_REG_2,
			       sizeof(uint64_t));
		bpf_code_move(code, BPF_REG_1, BPF_REG_9,
			      (int32_t)bpf_stack_program_top_at(options->asked_bytes));
		bpf_code_call(code, BPF_FUNC_probe_read_user);
		done.from[done.n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
	}
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_TOP_BYTES_SLOT, BPF_REG_1, sizeof(uint64_t));
	jump_here(code, &done);
}

/*
 * r7: how much of a thread is there that the table has nothing of, and that is deep.  Where the
 * first page is that is not there, the stack is taken to end, until a walk has shown where it does;
 * of one that is deeper still that is not known, and the recorder is woken to find it.
 * Unless the recorder is late, and the ring nearly full: where there are many of them, those that
 * are cut are better than those that are lost.
 */
static void add_new(struct bpf_code *code, const struct bpf_stack_options *options,
		    struct bpf_stack_jumps *leaving)
{
	size_t is_known, is_late, is_short, is_shorter, has_gaps;

	is_short = bpf_code_jump(code, BPF_JLT, BPF_REG_7, (int32_t)options->asked_bytes);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_LINE_SLOT);
	bpf_code_load(code, BPF_REG_1, BPF_REG_1, offsetof(struct bpf_stack_cpu, is_new));
	is_known = bpf_code_jump(code, BPF_JEQ, BPF_REG_1, 0);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_WAITING_SLOT);
	is_late = bpf_code_jump(code, BPF_JGT, BPF_REG_1, 3 * (int32_t)options->wake_up_bytes);
	add_give_up(code, options, leaving);
	add_reserve(code, NEW_BYTES + PAGE_BYTES, leaving);
	bpf_code_number(code, BPF_REG_1, NEW_BYTES);
	bpf_code_store(code, BPF_REG_10, LENGTH_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_number(code, BPF_REG_1, (int32_t)options->asked_bytes);
	bpf_code_store(code, BPF_REG_10, LIMIT_SLOT, BPF_REG_1, sizeof(uint64_t));
	add_pages(code, NEW_BYTES, true);
	bpf_code_number(code, BPF_REG_2, 0);
	for (size_t i = 0; i < RAW_SAMPLE_PAGE_WORDS; i++) {
		bpf_code_load(code, BPF_REG_1, BPF_REG_9, (int)(ABSENT_AT + i * sizeof(uint64_t)));
		bpf_code_combine(code, BPF_OR, BPF_REG_2, BPF_REG_1);
	}
	has_gaps = bpf_code_jump(code, BPF_JNE, BPF_REG_2, 0);
	bpf_code_move(code, BPF_REG_1, BPF_REG_8, 0);
	bpf_code_combine(code, BPF_ADD, BPF_REG_1, BPF_REG_7);
	is_shorter = bpf_code_jump(code, BPF_JLT, BPF_REG_7, NEW_BYTES);
	bpf_code_number(code, BPF_REG_1, (int32_t)options->wake_up_bytes);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_WAITING_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_jump_here(code, is_shorter);
	bpf_code_store(code, BPF_REG_10, END_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_map(code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->table_fd);
	bpf_code_move(code, BPF_REG_2, BPF_REG_10, BPF_STACK_TID_SLOT);
	bpf_code_move(code, BPF_REG_3, BPF_REG_10, END_SLOT);
	bpf_code_number(code, BPF_REG_4, BPF_NOEXIST);
	bpf_code_call(code, BPF_FUNC_map_update_elem);
	bpf_code_jump_here(code, has_gaps);
	bpf_code_jump_here(code, is_short);
	bpf_code_jump_here(code, is_known);
	bpf_code_jump_here(code, is_late);
}

/*
 * r7: as much as is there, up to what was asked for, and the outermost end besides, where that is
 * known.
 */
static void add_innermost(struct bpf_code *code, const struct bpf_stack_options *options,
			  bool with_top, struct bpf_stack_jumps *leaving)
{
	const uint32_t room_bytes = bpf_stack_program_top_at(options->asked_bytes) - RECORD_BYTES;
	const size_t is_of_kernel = bpf_code_jump(code, BPF_JEQ, BPF_REG_8, 0);
	size_t has_some;

	add_reserve(code, room_bytes + (with_top ? BPF_STACK_TOP_BYTES : 0), leaving);
	bpf_code_number(code, BPF_REG_1, (int32_t)options->asked_bytes);
	bpf_code_store(code, BPF_REG_10, LENGTH_SLOT, BPF_REG_1, sizeof(uint64_t));
	add_pages(code, n_whole_pages(options->asked_bytes) * PAGE_BYTES, true);
	if (with_top)
		add_top(code, options);
	else if (options->most_bytes >= NEW_BYTES)
		add_new(code, options, leaving);
	has_some = bpf_code_go(code);
	bpf_code_jump_here(code, is_of_kernel);
	add_reserve(code, 0, leaving);
	bpf_code_number(code, BPF_REG_7, 0);
	bpf_code_jump_here(code, has_some);
	bpf_code_number(code, BPF_REG_1, 0);
}

void bpf_stack_add_copy(struct bpf_code *code, const struct bpf_stack_options *options,
			struct bpf_stack_jumps *leaving)
{
	struct bpf_stack_jumps done = { .n = 0 };
	struct bpf_stack_jumps is_new = { .n = 0 };

	bpf_code_number(code, BPF_REG_1, UNKNOWN_LIMIT_BYTES);
	bpf_code_store(code, BPF_REG_10, LIMIT_SLOT, BPF_REG_1, sizeof(uint64_t));
	add_known(code, options, leaving, &done, &is_new);
	if (options->with_top) {
		add_innermost(code, options, true, leaving);
		done.from[done.n++] = bpf_code_go(code);
	}
	jump_here(code, &is_new);
	add_innermost(code, options, false, leaving);
	jump_here(code, &done);
}
