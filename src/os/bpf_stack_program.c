/* Whose tick it is, and all that is in a record beside the stack. */
#include "os/bpf_stack_program.h"

#include <linux/bpf.h>
#include <stddef.h>
#include <sys/user.h>

#include "os/bpf_stack_copy.h"

enum { CPU_SHIFT = 6, REGISTERS_SLOT = BPF_STACK_OWN_SLOTS - 32 };

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

_Static_assert(REGISTERS_SLOT + BOTH_BYTES <= BPF_STACK_OWN_SLOTS, "room for both");

/* r8 and BPF_STACK_IP_SLOT: where the thread is in its own code, though it may be in the kernel. */
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
	bpf_code_store(code, BPF_REG_10, BPF_STACK_IP_SLOT, BPF_REG_1, sizeof(uint64_t));
}

/* r7: this CPU's line, by the CPU in r0; what is written is not whole, so far. */
static void add_line(struct bpf_code *code, const struct bpf_stack_options *options)
{
	bpf_code_map(code, BPF_REG_7, BPF_PSEUDO_MAP_VALUE, options->cpus_fd);
	bpf_code_compute(code, BPF_AND, BPF_REG_0, (int32_t)options->n_cpus - 1);
	bpf_code_compute(code, BPF_LSH, BPF_REG_0, CPU_SHIFT);
	bpf_code_combine(code, BPF_ADD, BPF_REG_7, BPF_REG_0);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_LINE_SLOT, BPF_REG_7, sizeof(uint64_t));
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, is_whole), BPF_REG_1, 8);
}

/* Noted: whether perf's sample would tell nothing more.  So is the tick. */
static void add_whole(struct bpf_code *code, const struct bpf_stack_options *options)
{
	size_t is_other, is_late, is_elsewhere;

	bpf_code_load(code, BPF_REG_1, BPF_REG_7, offsetof(struct bpf_stack_cpu, thread));
	bpf_code_load(code, BPF_REG_2, BPF_REG_10, BPF_STACK_TID_SLOT);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, thread), BPF_REG_2, 8);
	bpf_code_load(code, BPF_REG_3, BPF_REG_7, offsetof(struct bpf_stack_cpu, time_ns));
	bpf_code_load(code, BPF_REG_4, BPF_REG_10, BPF_STACK_TIME_SLOT);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, time_ns), BPF_REG_4, 8);
	is_other = bpf_code_jump_by(code, BPF_JNE, BPF_REG_1, BPF_REG_2);
	bpf_code_combine(code, BPF_SUB, BPF_REG_4, BPF_REG_3);
	is_late = bpf_code_jump(code, BPF_JGT, BPF_REG_4, (int32_t)options->whole_ns);
	bpf_code_load(code, BPF_REG_1, BPF_REG_6, MODE_AT);
	bpf_code_compute(code, BPF_AND, BPF_REG_1, WIDTH_MASK);
	is_elsewhere = bpf_code_jump(code, BPF_JNE, BPF_REG_1, WIDTH_64);
	bpf_code_number(code, BPF_REG_1, 1);
	bpf_code_store(code, BPF_REG_7, offsetof(struct bpf_stack_cpu, is_whole), BPF_REG_1, 8);
	bpf_code_jump_here(code, is_other);
	bpf_code_jump_here(code, is_late);
	bpf_code_jump_here(code, is_elsewhere);
}

static void add_start(struct bpf_code *code, const struct bpf_stack_options *options,
		      struct bpf_stack_jumps *leaving)
{
	bpf_code_move(code, BPF_REG_6, BPF_REG_1, 0);
	bpf_code_call(code, BPF_FUNC_ktime_get_ns);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_TIME_SLOT, BPF_REG_0, sizeof(uint64_t));
	bpf_code_call(code, BPF_FUNC_get_current_pid_tgid);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_TID_SLOT, BPF_REG_0, sizeof(uint64_t));
	bpf_code_call(code, BPF_FUNC_get_smp_processor_id);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_CPU_SLOT, BPF_REG_0, sizeof(uint32_t));
	bpf_code_number(code, BPF_REG_1, 0);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_TOP_SLOT, BPF_REG_1, sizeof(uint64_t));
	bpf_code_store(code, BPF_REG_10, BPF_STACK_TOP_BYTES_SLOT, BPF_REG_1, sizeof(uint64_t));
	add_line(code, options);
	if (options->whole_ns)
		add_whole(code, options);
	add_registers(code);
	bpf_stack_add_ring(code, options, leaving);
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(code, BPF_REG_2, BPF_RB_AVAIL_DATA);
	bpf_code_call(code, BPF_FUNC_ringbuf_query);
	bpf_code_store(code, BPF_REG_10, BPF_STACK_WAITING_SLOT, BPF_REG_0, sizeof(uint64_t));
}

/* r1: whether what is written is whole. */
static void add_is_whole(struct bpf_code *code)
{
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_LINE_SLOT);
	bpf_code_load(code, BPF_REG_1, BPF_REG_1, offsetof(struct bpf_stack_cpu, is_whole));
}

static void add_registers_of_whole(struct bpf_code *code)
{
	const size_t registers = offsetof(struct bpf_stack_record, registers);
	size_t is_part;

	add_is_whole(code);
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
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_TIME_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, time_ns), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_TID_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, tid), BPF_REG_1, 8);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, sp), BPF_REG_8, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_IP_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, ip), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_TOP_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, top), BPF_REG_1, 8);
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_TOP_BYTES_SLOT);
	bpf_code_store(code, BPF_REG_9, offsetof(struct bpf_stack_record, top_bytes), BPF_REG_1,
		       sizeof(uint32_t));
	add_registers_of_whole(code);
	bpf_code_number(code, BPF_REG_2, BPF_RB_NO_WAKEUP);
	bpf_code_load(code, BPF_REG_3, BPF_REG_10, BPF_STACK_WAITING_SLOT);
	is_early = bpf_code_jump(code, BPF_JLT, BPF_REG_3, (int32_t)options->wake_up_bytes);
	bpf_code_number(code, BPF_REG_2, BPF_RB_FORCE_WAKEUP);
	bpf_code_jump_here(code, is_early);
	bpf_code_move(code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_call(code, BPF_FUNC_ringbuf_submit);
}

/* The next tick is not to go on from this one. */
static void add_forget(struct bpf_code *code)
{
	bpf_code_load(code, BPF_REG_1, BPF_REG_10, BPF_STACK_LINE_SLOT);
	bpf_code_number(code, BPF_REG_2, 0);
	bpf_code_store(code, BPF_REG_1, offsetof(struct bpf_stack_cpu, thread), BPF_REG_2, 8);
}

void bpf_stack_program_make(struct bpf_code *code, const struct bpf_stack_options *options)
{
	struct bpf_stack_jumps leaving = { .n = 0 };

	code->n_insns = 0;
	add_start(code, options, &leaving);
	bpf_stack_add_copy(code, options, &leaving);
	add_submit(code, options);
	/* perf goes on with its sample, or does not. */
	add_is_whole(code);
	bpf_code_move(code, BPF_REG_0, BPF_REG_1, 0);
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
