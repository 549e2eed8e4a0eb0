/*
 * Registers: r6 is where the interrupted registers are, r7 this CPU's line and later how many
 * bytes, r8 the user's stack pointer, r9 the ring and later the record.
 *
 * A helper that reads the program's memory reads all that it is asked for or nothing.
 * Where it is known how far a thread's stack is in use, that is asked for at once; else,
 * or when that fails, page by page until one is not there.  Room in a ring has to be
 * reserved by constants, so there are some for different lengths.
 */
#include "os/bpf_stack_program.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <sys/user.h>

enum {
	PAGE_BYTES = RAW_SAMPLE_PAGE_BYTES,
	RECORD_BYTES = sizeof(struct bpf_stack_record),
	MAX_JUMPS = 32,
	CPU_SHIFT = 6,

	/* On the program's stack. */
	CPU_SLOT = -8,
	TIME_SLOT = -16,
	TID_SLOT = -24,
	IP_SLOT = -32,
	WAITING_SLOT = -40, /* bytes in the ring */
	WORD_SLOT = -48,
	REGISTERS_SLOT = -80,
	LINE_SLOT = -88, /* where this CPU's last tick is */
	WHOLE_SLOT = -96,
	END_SLOT = -104, /* where the thread's stack ends */
	TOP_SLOT = -112,
	TOP_BYTES_SLOT = -120,
	LIMIT_SLOT = -128, /* below so many bytes pages that are not there are left out */

	/*
	 * Where the end is not known.  Each page costs half a microsecond, and most that come
	 * behind the last one of a stack are not there.
	 */
	UNKNOWN_LIMIT_BYTES = 8 * PAGE_BYTES,
};

_Static_assert(sizeof(struct bpf_stack_cpu) == 1 << CPU_SHIFT, "a line for each CPU");

/* Of the registers as the kernel hands them to programs, and has them in its memory. */
#if defined(__x86_64__)
enum {
	SP_AT = offsetof(struct user_regs_struct, rsp),
	IP_AT = offsetof(struct user_regs_struct, rip),
	MODE_AT = offsetof(struct user_regs_struct, cs),
	MODE_MASK = 3,
	MODE_IS_USER = BPF_JNE, /* … than 0 */
	WIDTH_MASK = 0xffff,
	WIDTH_64 = 0x33, /* __USER_CS: not a program of 32 bits */
};

#define AT(member) ((int16_t)offsetof(struct user_regs_struct, member))
static const int16_t registers_at[] = {
	AT(rax), AT(rdx), AT(rcx), AT(rbx), AT(rsi), AT(rdi), AT(rbp), AT(rsp), AT(r8),
	AT(r9),	 AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15), AT(rip),
};
#define REGISTER_AT(number) registers_at[number]
#elif defined(__aarch64__)
enum {
	SP_AT = offsetof(struct user_regs_struct, sp),
	IP_AT = offsetof(struct user_regs_struct, pc),
	MODE_AT = offsetof(struct user_regs_struct, pstate),
	MODE_MASK = 15,
	MODE_IS_USER = BPF_JEQ,
	WIDTH_MASK = 31, /* PSR_MODE_MASK and PSR_MODE32_BIT */
	WIDTH_64 = 0,
};

/* x0 to x30, sp, pc. */
#define REGISTER_AT(number) ((int)((number) * sizeof(uint64_t)))
#endif

enum {
	FIRST_AT = SP_AT < IP_AT ? SP_AT : IP_AT,
	LAST_AT = SP_AT < IP_AT ? IP_AT : SP_AT,
	BOTH_BYTES = LAST_AT - FIRST_AT + sizeof(uint64_t),
};

_Static_assert(REGISTERS_SLOT + BOTH_BYTES <= WORD_SLOT, "room for both");

/* Jumps to the same place, filled in when that is known. */
struct jumps {
	size_t from[MAX_JUMPS];
	size_t n;
};

static void leave_if_zero(struct bpf_code *code, struct jumps *leaving)
{
	leaving->from[leaving->n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
}

/* r8 and IP_SLOT: where the thread is in its own code, though it may be in the kernel. */
static void add_registers(struct bpf_code *code)
{
	size_t is_user, done;

	bpf_code_load(code, BPF_REG_1, BPF_REG_6, MODE_AT);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, MODE_MASK);
	is_user = bpf_code_jump(code, MODE_IS_USER, BPF_REG_1, 0);
	bpf_code_call(code, BPF_FUNC_get_current_task_btf);
	bpf_code_move(code, BPF_REG_1, BPF_REG_0, 0);
	bpf_code_call(code, BPF_FUNC_task_pt_regs);
	bpf_code_move(code, BPF_REG_3, BPF_REG_0, FIRST_AT);
	bpf_code_move(code, BPF_REG_1, BPF_REG_10, REGISTERS_SLOT);
	bpf_code_number(code, BPF_REG_2, BOTH_BYTES);
	bpf_code_call(code, BPF_FUNC_probe_read_kernel);
	bpf_code_load(code, BPF_REG_8, BPF_REG_10, REGISTERS_SLOT + SP_AT - FIRST_AT);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, REGISTERS_SLOT + IP_AT - FIRST_AT);
	done = bpf_code_go(code);
	bpf_code_jump_here(code, is_user);
	bpf_code_load(code, BPF_REG_8, BPF_REG_6, SP_AT);
	bpf_code_load(code, BPF_REG_1, BPF_REG_6, IP_AT);
	bpf_code_jump_here(code, done);
	bpf_code_store(code, BPF_REG_10, IP_SLOT, BPF_REG_1, sizeof(uint64_t));
}

/* r9: the ring of this CPU. */
static void add_ring(struct bpf_code *code, const struct bpf_stack_options *options,
		     struct jumps *leaving)
{
	bpf_code_map(code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->list_fd);
	bpf_code_move(code, BPF_REG_2, BPF_REG_10, CPU_SLOT);
	bpf_code_call(code, BPF_FUNC_map_lookup_elem);
	leave_if_zero(code, leaving);
	bpf_code_move(code, BPF_REG_9, BPF_REG_0, 0);
}

/* r7: this CPU's line, by the CPU in r0. */
static void add_line(struct bpf_code *code, const struct bpf_stack_options *options)
{
	bpf_code_map(code, BPF_REG_7, BPF_PSEUDO_MAP_VALUE, options->cpus_fd);
	bpf_code_compute(code, BPF_AND, BPF_REG_0, (int32_t)options->n_cpus - 1);
	bpf_code_compute(code, BPF_LSH, BPF_REG_0, CPU_SHIFT);
	bpf_code_combine(code, BPF_ADD, BPF_REG_7, BPF_REG_0);
	bpf_code_store(code, BPF_REG_10, LINE_SLOT, BPF_REG_7, sizeof(uint64_t));
}

/* WHOLE_SLOT: whether perf's sample would tell nothing more.  The tick is noted. */
static void add_whole(struct bpf_code *code, const struct bpf_stack_options *options)
{
	size_t is_other, is_late, is_elsewhere;

	bpf_code_load(code, BPF_REG_1, BPF_REG_7, offsetof(struct bpf_stack_cpu, thread));
	bpf_code_load(code, BPF_REG_2, BPF_REG_10, TID_SLOT);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, thread), BPF_REG_2, 8);
	bpf_code_load(code, BPF_REG_3, BPF_REG_7, offsetof(struct bpf_stack_cpu, time_ns));
	bpf_code_load(code, BPF_REG_4, BPF_REG_10, TIME_SLOT);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, time_ns), BPF_REG_4, 8);
	is_other = bpf_code_jump_by(code, BPF_JNE, BPF_REG_1, BPF_REG_2);
	bpf_code_combine(code, BPF_SUB, BPF_REG_4, BPF_REG_3);
	is_late = bpf_code_jump(code, BPF_JGT, BPF_REG_4, (int32_t)options->whole_ns);
	bpf_code_load(code, BPF_REG_1, BPF_REG_6, MODE_AT);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, WIDTH_MASK);
	is_elsewhere = bpf_code_jump(code, BPF_JNE, BPF_REG_1, WIDTH_64);
	bpf_code_number(code, BPF_REG_1, 1);
	bpf_code_store(code, BPF_REG_10, WHOLE_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_jump_here(code, is_other);
	bpf_code_jump_here(code, is_late);
	bpf_code_jump_here(code, is_elsewhere);
}

static void add_start(struct bpf_code *code, const struct bpf_stack_options *options,
		      struct jumps *leaving)
{
	bpf_code_move(code, BPF_REG_6, BPF_REG_1, 0);
	bpf_code_call(code, BPF_FUNC_ktime_get_ns);
	bpf_code_store(code, BPF_REG_10, TIME_SLOT, BPF_REG_0, sizeof(uint64_t));
	bpf_code_call(code, BPF_FUNC_get_current_pid_tgid);
	bpf_code_store(code, BPF_REG_10, TID_SLOT, BPF_REG_0, sizeof(uint64_t));
	bpf_code_call(code, BPF_FUNC_get_smp_processor_id);
	bpf_code_store(code, BPF_REG_10, CPU_SLOT, BPF_REG_0, sizeof(uint32_t));
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_10, WHOLE_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_store(code, BPF_REG_10, TOP_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_store(code, BPF_REG_10, TOP_BYTES_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_number(code, BPF_REG_1, UNKNOWN_LIMIT_BYTES);
	bpf_code_store(code, BPF_REG_10, LIMIT_SLOT, BPF_REG_1, sizeof(uint64_t));
	if (options->whole_ns) {
		add_line(code, options);
		add_whole(code, options);
	}
	add_registers(code);
	add_ring(code, options, leaving);
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, BPF_RB_AVAIL_DATA);
	bpf_code_call(code, BPF_FUNC_ringbuf_query);
	bpf_code_store(code, BPF_REG_10, WAITING_SLOT, BPF_REG_0, sizeof(uint64_t));
}

/* r9: a record with room for that many bytes. */
static void add_reserve(struct bpf_code *code, uint32_t bytes, struct jumps *leaving)
{
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, (int32_t)(RECORD_BYTES + bytes));
	bpf_code_number(code, BPF_REG_3, 0);
	bpf_code_call(code, BPF_FUNC_ringbuf_reserve);
	leave_if_zero(code, leaving);
	bpf_code_move(code, BPF_REG_9, BPF_REG_0, 0);
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, absent), BPF_REG_1, 8);
}

static const uint32_t lengths[] = { 2048,   4096,   8192,   12288,  16384,
				    24576,  32768,  49152,  65536,  98304,
				    131072, 196608, 262144, 393216, BPF_STACK_MOST_BYTES };

enum { N_LENGTHS = sizeof(lengths) / sizeof(lengths[0]) };

/*
 * r7: how much is in use; all of it is copied at once.  Jumps to `done`, or goes on where it is
 * too much or cannot be read.  Returns the jump for a stack whose end is not known.
 */
static size_t add_known(struct bpf_code *code, const struct bpf_stack_options *options,
			struct jumps *leaving, struct jumps *done)
{
	size_t is_new, is_outside, is_far, fits;
	size_t failed[N_LENGTHS];
	size_t n_failed = 0;

	bpf_code_map(code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->table_fd);
	bpf_code_move(code, BPF_REG_2, BPF_REG_10, TID_SLOT);
	bpf_code_call(code, BPF_FUNC_map_lookup_elem);
	is_new = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
	bpf_code_load(code, BPF_REG_7, BPF_REG_0, 0);
	bpf_code_store(code, BPF_REG_10, END_SLOT, BPF_REG_7, sizeof(uint64_t));
	is_outside = bpf_code_jump_by(code, BPF_JLE, BPF_REG_7, BPF_REG_8);
	bpf_code_combine(code, BPF_SUB, BPF_REG_7, BPF_REG_8);
	bpf_code_store(code, BPF_REG_10, LIMIT_SLOT, BPF_REG_7, sizeof(uint64_t));
	fits = bpf_code_jump(code, BPF_JLE, BPF_REG_7, (int32_t)options->most_bytes);
	bpf_code_number(code, BPF_REG_7, (int32_t)options->asked_bytes);
	is_far = options->with_top ? bpf_code_go(code) : fits;
	bpf_code_jump_here(code, fits);
	for (size_t i = 0; i < N_LENGTHS; i++) {
		const size_t too_long = bpf_code_jump(code, BPF_JGT, BPF_REG_7,
						      (int32_t)lengths[i]);

		add_reserve(code, lengths[i], leaving);
		bpf_code_move(code, BPF_REG_1, BPF_REG_9, RECORD_BYTES);
		bpf_code_move(code, BPF_REG_2, BPF_REG_7, 0);
		bpf_code_move(code, BPF_REG_3, BPF_REG_8, 0);
		bpf_code_call(code, BPF_FUNC_probe_read_user);
		failed[n_failed++] = bpf_code_jump(code, BPF_JNE, BPF_REG_0, 0);
		bpf_code_number(code, BPF_REG_1, 1);
		done->from[done->n++] = bpf_code_go(code);
		bpf_code_jump_here(code, too_long);
		if (lengths[i] >= options->most_bytes)
			break;
	}
	leaving->from[leaving->n++] = bpf_code_go(code);
	for (size_t i = 0; i < n_failed; i++)
		bpf_code_jump_here(code, failed[i]);
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
	bpf_code_call(code, BPF_FUNC_ringbuf_discard);
	add_ring(code, options, leaving);
	bpf_code_jump_here(code, is_outside);
	if (options->with_top)
		bpf_code_jump_here(code, is_far);
	return is_new;
}

static uint32_t n_whole_pages(uint32_t asked_bytes)
{
	return (asked_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

uint32_t bpf_stack_program_top_at(uint32_t asked_bytes)
{
	return RECORD_BYTES + (n_whole_pages(asked_bytes) + 1) * PAGE_BYTES;
}

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
 * The page with that number, from that of the stack pointer on, behind r7 bytes.  One that is not
 * there is noted and left out, mostly.  All that is in the record: the kernel's verifier follows
 * what is in registers and on the program's stack on each way through all pages.
 */
static void add_page(struct bpf_code *code, uint32_t number, struct jumps *done)
{
	size_t is_there;

	bpf_code_number(code, BPF_REG_2, PAGE_BYTES);
	add_read(code);
	is_there = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
	bpf_code_load(code, BPF_REG_1, BPF_REG_9, offsetof(struct bpf_stack_record, limit));
	done->from[done->n++] = bpf_code_jump_by(code, BPF_JLE, BPF_REG_1, BPF_REG_7);
	bpf_code_load(code, BPF_REG_1, BPF_REG_9, offsetof(struct bpf_stack_record, absent));
	bpf_code_compute(code, BPF_OR, BPF_REG_1, INT32_C(1) << number);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, absent), BPF_REG_1, 8);
	bpf_code_jump_here(code, is_there);
	bpf_code_compute(code, BPF_ADD, BPF_REG_7, PAGE_BYTES);
}

/* So much of the end, and what else is in the page where that begins. */
static const int32_t top_lengths[] = { 15 * PAGE_BYTES, 6 * PAGE_BYTES, 2 * PAGE_BYTES,
				       PAGE_BYTES,	1024,		256 };

_Static_assert(16 * PAGE_BYTES <= BPF_STACK_TOP_BYTES, "room for the longest");

/* The outermost end, which is known: less of it where a page is not there. */
static void add_top(struct bpf_code *code, const struct bpf_stack_options *options)
{
	struct jumps done = { .n = 0 };

	for (size_t i = 0; i < sizeof(top_lengths) / sizeof(top_lengths[0]); i++) {
		bpf_code_load(code, BPF_REG_3, BPF_REG_10, END_SLOT);
		bpf_code_move(code, BPF_REG_2, BPF_REG_3, -top_lengths[i]);
		bpf_code_compute(code, BPF_AND, BPF_REG_2, PAGE_BYTES - 1);
		bpf_code_compute(code, BPF_ADD, BPF_REG_2, top_lengths[i]);
		bpf_code_combine(code, BPF_SUB, BPF_REG_3, BPF_REG_2);
		bpf_code_store(code, BPF_REG_10, TOP_SLOT, BPF_REG_3, sizeof(uint64_t));
		bpf_code_store(code, BPF_REG_10, TOP_BYTES_SLOT, BPF_REG_2, sizeof(uint64_t));
		bpf_code_move(code, BPF_REG_1, BPF_REG_9,
			      (int32_t)bpf_stack_program_top_at(options->asked_bytes));
		bpf_code_call(code, BPF_FUNC_probe_read_user);
		done.from[done.n++] = bpf_code_jump(code, BPF_JEQ, BPF_REG_0, 0);
	}
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_10, TOP_BYTES_SLOT, BPF_REG_1, sizeof(uint64_t));
	for (size_t i = 0; i < done.n; i++)
		bpf_code_jump_here(code, done.from[i]);
}

/*
 * r7: as much as is there, page by page, the part of a page that the stack begins in first.  There
 * may be stack above the last page that is there, or the end of what is mapped.
 */
static void add_pages(struct bpf_code *code, const struct bpf_stack_options *options, bool with_top,
		      struct jumps *leaving)
{
	struct jumps done = { .n = 0 };
	size_t is_empty, has_some;

	bpf_code_move(code, BPF_REG_1, BPF_REG_10, WORD_SLOT);
	bpf_code_number(code, BPF_REG_2, sizeof(uint64_t));
	bpf_code_move(code, BPF_REG_3, BPF_REG_8, 0);
	bpf_code_call(code, BPF_FUNC_probe_read_user);
	is_empty = bpf_code_jump(code, BPF_JNE, BPF_REG_0, 0);
	add_reserve(code,
		    bpf_stack_program_top_at(options->asked_bytes) - RECORD_BYTES +
			    (with_top ? BPF_STACK_TOP_BYTES : 0),
		    leaving);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, LIMIT_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, limit), BPF_REG_1, 8);
	bpf_code_number(code, BPF_REG_7, 0);
	bpf_code_move(code, BPF_REG_1, BPF_REG_8, 0);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, PAGE_BYTES - 1);
	bpf_code_number(code, BPF_REG_2, PAGE_BYTES);
	bpf_code_combine(code, BPF_SUB, BPF_REG_2, BPF_REG_1);
	bpf_code_store(code, BPF_REG_10, WORD_SLOT, BPF_REG_2, sizeof(uint64_t));
	add_read(code);
	done.from[done.n++] = bpf_code_jump(code, BPF_JNE, BPF_REG_0, 0);
	bpf_code_load(code, BPF_REG_7, BPF_REG_10, WORD_SLOT);
	for (uint32_t i = 1; i <= n_whole_pages(options->asked_bytes); i++)
		add_page(code, i, &done);
	for (size_t i = 0; i < done.n; i++)
		bpf_code_jump_here(code, done.from[i]);
	if (with_top)
		add_top(code, options);
	has_some = bpf_code_go(code);
	bpf_code_jump_here(code, is_empty);
	add_reserve(code, 0, leaving);
	bpf_code_number(code, BPF_REG_7, 0);
	bpf_code_jump_here(code, has_some);
	bpf_code_number(code, BPF_REG_1, 0);
}

static void add_registers_of_whole(struct bpf_code *code)
{
	const size_t registers = offsetof(struct bpf_stack_record, registers);
	size_t is_part;

	bpf_code_load(code, BPF_REG_1, BPF_REG_10, WHOLE_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, is_whole), BPF_REG_1,
		       sizeof(uint32_t));
	is_part = bpf_code_jump(code, BPF_JEQ, BPF_REG_1, 0);
	for (size_t i = 0; i < BPF_STACK_N_REGISTERS; i++) {
		bpf_code_load(code, BPF_REG_1, BPF_REG_6, REGISTER_AT(i));
		bpf_code_store(code, BPF_REG_9, (int)(registers + i * sizeof(uint64_t)), BPF_REG_1,
			       sizeof(uint64_t));
	}
	bpf_code_jump_here(code, is_part);
}

/* r1: whether it is limited. */
static void add_submit(struct bpf_code *code, const struct bpf_stack_options *options)
{
	size_t is_early;

	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, is_limited), BPF_REG_1,
		       sizeof(uint32_t));
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, size_bytes), BPF_REG_7,
		       sizeof(uint32_t));
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, TIME_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, time_ns), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, TID_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, tid), BPF_REG_1, 8);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, sp), BPF_REG_8, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, IP_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, ip), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, TOP_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, top), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, TOP_BYTES_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, top_bytes), BPF_REG_1,
		       sizeof(uint32_t));
	add_registers_of_whole(code);
	bpf_code_number(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
	bpf_code_load(code, BPF_REG_3, BPF_REG_10, WAITING_SLOT);
	is_early = bpf_code_jump(code, BPF_JLT, BPF_REG_3, (int32_t)options->wake_up_bytes);
	bpf_code_number(code, BPF_REG_2, BPF_RB_FORCE_WAKEUP);
	bpf_code_jump_here(code, is_early);
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_call(code, BPF_FUNC_ringbuf_submit);
}

/* The next tick is not to go on from this one. */
static void add_forget(struct bpf_code *code)
{
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, LINE_SLOT);
	bpf_code_number(code, BPF_REG_2, 0);
	bpf_code_store(code, BPF_REG_1, offsetof(struct bpf_stack_cpu, thread), BPF_REG_2, 8);
}

void bpf_stack_program_make(struct bpf_code *code, const struct bpf_stack_options *options)
{
	struct jumps leaving = { .n = 0 };
	struct jumps done = { .n = 0 };
	size_t is_new;

	code->n_insns = 0;
	add_start(code, options, &leaving);
	is_new = add_known(code, options, &leaving, &done);
	if (options->with_top) {
		add_pages(code, options, true, &leaving);
		done.from[done.n++] = bpf_code_go(code);
	}
	bpf_code_jump_here(code, is_new);
	add_pages(code, options, false, &leaving);
	for (size_t i = 0; i < done.n; i++)
		bpf_code_jump_here(code, done.from[i]);
	add_submit(code, options);
	/* perf goes on with its sample, or does not. */
	bpf_code_load(code, BPF_REG_0, BPF_REG_10, WHOLE_SLOT);
	bpf_code_compute(code, BPF_XOR, BPF_REG_0, 1);
	bpf_code_add(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = 0; i < leaving.n; i++)
		bpf_code_jump_here(code, leaving.from[i]);
	/* A sample without a stack is known to be so; its time is in the next, of perf. */
	if (options->whole_ns)
		add_forget(code);
	bpf_code_number(code, BPF_REG_0, 1);
	bpf_code_add(code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}
