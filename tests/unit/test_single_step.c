/*
 * A program run one instruction at a time under ptrace, and walked at every
 * one of them.  The truth is a shadow stack that this tracer keeps: a call
 * pushes the address behind it with the slot that it was stored in, an entry
 * dies when the stack pointer has passed its slot (ret, longjmp), a signal
 * pushes the ip and the restorer, which rt_sigreturn takes away again.
 *
 * cfi has to be right everywhere.  libunwind and libdw are asked now and then;
 * where they are wrong, the reason that verify gives for it is put to the
 * proof: each must have a name.
 */
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process_fixture.h"
#include "step_instructions.h"
#include "unwind/cfi_rows.h"
#include "unwind/cfi_tables.h"
#include "unwind/unwinder.h"
#include "unwind/verify_reason.h"

enum {
	EXIT_SKIP = 77, /* what automake takes for "skipped" */
	SHADOW_MAX = 1024,
	DUMP_MAX_BYTES = 1 << 20,
	MAX_SHOWN = 20,
	FOREIGN_EVERY = 23,  /* libunwind and libdw at each so many instructions */
	SIGNAL_EVERY = 1009, /* a signal out of the blue, once there is a handler */
};

#if !defined(__x86_64__)
int main(void)
{
	puts("single stepping decodes x86-64 instructions only");
	return EXIT_SKIP;
}
#else

/* Where no walk can be asked to agree with the shadow. */
enum excuse {
	EXCUSE_NONE,
	/* The stack pointer was just moved onto pages that do not exist yet. */
	EXCUSE_NO_DUMP,
	/* __longjmp: its CFI says that the caller is the setjmp already. */
	EXCUSE_GONE_ELSEWHERE,
	/* Code that tells nothing as it never returns: a stack may end there, but not go wrong. */
	EXCUSE_NO_FDE,
	N_EXCUSES
};

struct shadow_entry {
	uint64_t ip;
	uint64_t slot; /* the entry lives while rsp is not above it; ~0 for a signal */
};

struct engine {
	const struct unwind_backend *backend;
	struct unwinder *unwinder;
	struct process_fixture fixture;
	uint64_t n_walks;
	uint64_t n_wrong;
	uint64_t n_unexplained; /* of them */
	uint64_t n_excused[N_EXCUSES];
	uint64_t n_by_reason[VERIFY_N_REASONS]; /* of the wrong ones, for libunwind and libdw */
};

struct stepper {
	pid_t pid;
	struct user_regs_struct registers;
	uint64_t stack_end;
	struct shadow_entry shadow[SHADOW_MAX];
	size_t n_shadow;
	uint64_t n_steps;
	uint64_t handler; /* its first instruction; 0 until there was a signal */
	struct location_table locations;
	struct engine engines[3]; /* the first at every step */
	struct stack stack;
	struct stack cfi_stack; /* of this step */
	uint8_t dump[DUMP_MAX_BYTES];
};

static bool read_memory(pid_t pid, uint64_t address, void *bytes, size_t size)
{
	struct iovec local = { .iov_base = bytes, .iov_len = size };
	struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == (ssize_t)size;
}

static uint64_t read_word(pid_t pid, uint64_t address)
{
	uint64_t word = 0;

	(void)read_memory(pid, address, &word, sizeof(word));
	return word;
}

static void shadow_push(struct stepper *stepper, uint64_t ip, uint64_t slot)
{
	if (stepper->n_shadow < SHADOW_MAX)
		stepper->shadow[stepper->n_shadow++] = (struct shadow_entry){ ip, slot };
}

static void shadow_drop_passed(struct stepper *stepper)
{
	while (stepper->n_shadow &&
	       stepper->shadow[stepper->n_shadow - 1].slot < stepper->registers.rsp)
		stepper->n_shadow--;
}

static void shadow_drop_signal(struct stepper *stepper)
{
	while (stepper->n_shadow && stepper->shadow[--stepper->n_shadow].slot != UINT64_MAX)
		;
}

/* The end of the mapping that holds the stack pointer. */
static uint64_t find_stack_end(pid_t pid)
{
	char path[64];
	char line[512];
	uint64_t start;
	uint64_t end = 0;
	FILE *maps;

	(void)snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, "[stack]") &&
		    sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2)
			end = 0;
	}
	if (maps)
		(void)fclose(maps);
	return end;
}

static void refresh_engines(struct stepper *stepper)
{
	for (size_t i = 0; i < 3; i++)
		(void)process_fixture_refresh(&stepper->engines[i].fixture, stepper->pid);
}

static void take_sample(struct stepper *stepper, struct raw_sample *sample)
{
	const struct user_regs_struct *from = &stepper->registers;
	const uint64_t values[X86_64_N_REGISTERS] = {
		from->rax, from->rdx, from->rcx, from->rbx, from->rsi, from->rdi,
		from->rbp, from->rsp, from->r8,	 from->r9,  from->r10, from->r11,
		from->r12, from->r13, from->r14, from->r15, from->rip,
	};
	const uint64_t available = stepper->stack_end - from->rsp;

	memset(sample, 0, sizeof(*sample));
	sample->pid = sample->tid = (uint32_t)stepper->pid;
	sample->has_registers = true;
	sample->registers.arch = ARCH_X86_64;
	memcpy(sample->registers.values, values, sizeof(values));
	sample->stack_bytes = stepper->dump;
	sample->stack_asked_bytes = DUMP_MAX_BYTES;
	if (available <= DUMP_MAX_BYTES &&
	    read_memory(stepper->pid, from->rsp, stepper->dump, available))
		sample->stack_size_bytes = available;
}

/* Whether no caller is there that was not; the outermost may be missing. */
static bool is_honest(const struct stepper *stepper)
{
	const struct stack *stack = &stepper->stack;

	if (stack->n_frames > stepper->n_shadow + 1 || stack->ips[0] != stepper->registers.rip)
		return false;
	for (size_t i = 1; i < stack->n_frames; i++) {
		if (stack->ips[i] != stepper->shadow[stepper->n_shadow - i].ip)
			return false;
	}
	return true;
}

/* Whether all frames are there; how the others name the end is their business. */
static bool is_right(const struct stepper *stepper, bool is_cfi)
{
	return (!is_cfi || stepper->stack.end == STACK_COMPLETE) &&
	       stepper->stack.n_frames == stepper->n_shadow + 1 && is_honest(stepper);
}

static void show_ip(const struct process_fixture *fixture, uint64_t ip)
{
	const struct mapping *mapping = address_space_find(&fixture->process.space, ip);
	const char *path = mapping ? fixture->paths[mapping->module] : "?";
	const char *slash = strrchr(path, '/');

	printf(" %s+0x%" PRIx64, slash ? slash + 1 : path, mapping ? ip - mapping->bias : ip);
}

static void show_wrong(const struct stepper *stepper, const struct engine *engine)
{
	printf("%s, instruction %" PRIu64 ": is", engine->backend->name, stepper->n_steps);
	for (size_t i = 0; i < stepper->stack.n_frames && i < 6; i++)
		show_ip(&engine->fixture, stepper->stack.ips[i]);
	printf(" (%u, %s); should be", stepper->stack.n_frames, stack_end_name(stepper->stack.end));
	show_ip(&engine->fixture, stepper->registers.rip);
	for (size_t i = 0; i < stepper->n_shadow && i < 5; i++)
		show_ip(&engine->fixture, stepper->shadow[stepper->n_shadow - 1 - i].ip);
	printf(" (%zu)\n", stepper->n_shadow + 1);
}

static enum excuse excuse_at(const struct engine *engine, uint64_t ip)
{
	const struct mapping *mapping = address_space_find(&engine->fixture.process.space, ip);
	const struct elf_image *image = mapping ? engine->fixture.opened[mapping->module] : NULL;
	enum excuse excuse = EXCUSE_NONE;
	struct cfi_tables tables;
	struct cfi_fde fde;
	struct cfi_row row;

	if (!image)
		return EXCUSE_NONE;
	cfi_tables_init(&tables, image);
	if (cfi_tables_find(&tables, ip - mapping->bias, &fde) < 0)
		excuse = EXCUSE_NO_FDE;
	else if (cfi_row_at(&fde, ip - mapping->bias, ARCH_X86_64, &row) == 0 &&
		 row.columns[X86_64_RIP].how == CFI_HOW_REGISTER)
		excuse = EXCUSE_GONE_ELSEWHERE;
	cfi_tables_release(&tables);
	return excuse;
}

/* At the instruction itself, at one that a signal interrupted, or where code tells nothing. */
static enum excuse find_excuse(const struct stepper *stepper, const struct engine *engine,
			       const struct raw_sample *sample)
{
	enum excuse excuse = excuse_at(engine, stepper->registers.rip);

	if (!sample->stack_size_bytes)
		return EXCUSE_NO_DUMP;
	for (size_t i = 0; i < stepper->n_shadow && excuse != EXCUSE_GONE_ELSEWHERE; i++)
		if (stepper->shadow[i].slot == UINT64_MAX &&
		    excuse_at(engine, stepper->shadow[i].ip) != EXCUSE_NONE)
			excuse = excuse_at(engine, stepper->shadow[i].ip);
	if (excuse == EXCUSE_NONE && stepper->stack.end == STACK_NO_CFI)
		excuse = excuse_at(engine, stepper->stack.ips[stepper->stack.n_frames - 1] - 1);
	return excuse;
}

/* True when verify would know why this engine is wrong here. */
static bool is_explained(const struct stepper *stepper, struct engine *engine,
			 const struct raw_sample *sample)
{
	struct verify_difference difference = {
		.cfi = &stepper->cfi_stack,
		.other = &stepper->stack,
	};

	if (engine == &stepper->engines[0] || verify_stacks_equal(&difference))
		return false;
	verify_find_reason(&difference, &engine->fixture.process, &engine->fixture.images, sample);
	engine->n_by_reason[difference.reason]++;
	return difference.reason != VERIFY_UNEXPLAINED;
}

static void walk_with(struct stepper *stepper, struct engine *engine,
		      const struct raw_sample *sample)
{
	const bool is_cfi = engine == &stepper->engines[0];
	const int r = engine->backend->walk(engine->unwinder, &engine->fixture.process,
					    &engine->fixture.images, sample, &stepper->stack);
	enum excuse excuse;

	engine->n_walks++;
	stack_join(&stepper->stack);
	if (is_cfi)
		stepper->cfi_stack = stepper->stack;
	if (r >= 0 && is_right(stepper, is_cfi))
		return;
	excuse = find_excuse(stepper, engine, sample);
	if (excuse != EXCUSE_NONE && (!is_cfi || excuse != EXCUSE_NO_FDE || is_honest(stepper))) {
		engine->n_excused[excuse]++;
		return;
	}
	engine->n_wrong++;
	if (!is_explained(stepper, engine, sample) && engine->n_unexplained++ < MAX_SHOWN)
		show_wrong(stepper, engine);
}

static void walk_all(struct stepper *stepper)
{
	struct raw_sample sample;

	take_sample(stepper, &sample);
	walk_with(stepper, &stepper->engines[0], &sample);
	for (size_t i = 1; i < 3 && stepper->n_steps % FOREIGN_EVERY == 0; i++)
		walk_with(stepper, &stepper->engines[i], &sample);
}

/* A stop at the handler's first instruction: the restorer is on top of the stack. */
static void enter_signal(struct stepper *stepper, uint64_t interrupted_ip)
{
	shadow_push(stepper, interrupted_ip, UINT64_MAX);
	shadow_push(stepper, read_word(stepper->pid, stepper->registers.rsp),
		    stepper->registers.rsp);
	stepper->handler = stepper->registers.rip;
}

/* What the instruction at `before` did to the shadow, now that it is done. */
static void follow(struct stepper *stepper, const struct user_regs_struct *before,
		   const uint8_t *instruction)
{
	const uint64_t rsp = stepper->registers.rsp;

	if (is_syscall(instruction)) {
		if (before->rax == 15) /* rt_sigreturn */
			shadow_drop_signal(stepper);
		else if (before->rax >= 9 && before->rax <= 11) /* mmap, mprotect, munmap */
			refresh_engines(stepper);
		return;
	}
	shadow_drop_passed(stepper);
	if (is_call(instruction) && rsp == before->rsp - 8)
		shadow_push(stepper, read_word(stepper->pid, rsp), rsp);
}

/* Execute one instruction.  False when the program has ended; its status is left. */
static bool step(struct stepper *stepper, int *status)
{
	const struct user_regs_struct before = stepper->registers;
	const bool is_ours = stepper->handler && stepper->n_steps % SIGNAL_EVERY == 0;
	int signal_number = is_ours ? SIGUSR2 : 0;
	uint64_t interrupted_ip;
	uint8_t instruction[16] = { 0 };

	if (!read_memory(stepper->pid, before.rip, instruction, sizeof(instruction)))
		(void)read_memory(stepper->pid, before.rip, instruction, 8);
	for (;;) {
		if (ptrace(PTRACE_SINGLESTEP, stepper->pid, NULL, signal_number) < 0 ||
		    waitpid(stepper->pid, status, 0) < 0 || !WIFSTOPPED(*status))
			return false;
		if (WSTOPSIG(*status) == SIGTRAP)
			break;
		/* Sent by the program itself; the instruction may have been executed or not. */
		if (ptrace(PTRACE_GETREGS, stepper->pid, NULL, &stepper->registers) < 0)
			return false;
		if (stepper->registers.rip != before.rip)
			follow(stepper, &before, instruction);
		signal_number = WSTOPSIG(*status);
	}
	interrupted_ip = stepper->registers.rip;
	if (ptrace(PTRACE_GETREGS, stepper->pid, NULL, &stepper->registers) < 0)
		return false;
	/* Ours is lost at the handler's first instruction, and waits while it is blocked. */
	if (signal_number && (!is_ours || stepper->registers.rip == stepper->handler))
		enter_signal(stepper, interrupted_ip);
	else
		follow(stepper, &before, instruction);
	return true;
}

/* Tracer and program take turns: on one CPU a step costs a third. */
static void stay_on_this_cpu(void)
{
	cpu_set_t cpus;
	const int cpu = sched_getcpu();

	CPU_ZERO(&cpus);
	CPU_SET(cpu < 0 ? 0 : (size_t)cpu, &cpus);
	(void)sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* The program, stopped before its first instruction; -1 where ptrace is not permitted. */
static pid_t start_target(const char *path)
{
	const pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(EXIT_SKIP);
		(void)unsetenv("LD_BIND_NOW");
		(void)unsetenv("LD_PRELOAD");
		(void)execl(path, path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		return -1;
	return pid;
}

static const struct unwind_backend *const tested[3] = {
	&unwind_backend_cfi,
	&unwind_backend_libunwind,
	&unwind_backend_libdw,
};

static void show_totals(const struct engine *engine)
{
	printf("  %s: %" PRIu64 " walks, %" PRIu64 " wrong", engine->backend->name, engine->n_walks,
	       engine->n_wrong);
	for (size_t i = 0; i < VERIFY_N_REASONS; i++) {
		if (engine->n_by_reason[i])
			printf(", %" PRIu64 " %s", engine->n_by_reason[i],
			       verify_reason_name((enum verify_reason)i));
	}
	printf("; not judged: %" PRIu64 " without dump, %" PRIu64 " in longjmp, %" PRIu64
	       " without FDE\n",
	       engine->n_excused[EXCUSE_NO_DUMP], engine->n_excused[EXCUSE_GONE_ELSEWHERE],
	       engine->n_excused[EXCUSE_NO_FDE]);
}

/* Excuses are for tens of instructions; where nothing has an FDE, for one in a thousand besides. */
static bool is_good(const struct stepper *stepper, const char *path)
{
	const struct engine *cfi = &stepper->engines[0];
	const uint64_t most_without = strstr(path, "_bare") ? cfi->n_walks / 1000 : 10;
	uint64_t n_unexplained = 0;

	for (size_t i = 0; i < 3; i++)
		n_unexplained += stepper->engines[i].n_unexplained;
	return !cfi->n_wrong && !n_unexplained && cfi->n_excused[EXCUSE_NO_FDE] <= most_without &&
	       cfi->n_excused[EXCUSE_NO_DUMP] + cfi->n_excused[EXCUSE_GONE_ELSEWHERE] < 100;
}

static int run(struct stepper *stepper, const char *path)
{
	int status = 0;

	stepper->pid = start_target(path);
	if (stepper->pid < 0) {
		printf("%s: ptrace is not permitted here\n", path);
		return EXIT_SKIP;
	}
	stepper->stack_end = find_stack_end(stepper->pid);
	for (size_t i = 0; i < 3; i++) {
		struct engine *engine = &stepper->engines[i];

		engine->backend = tested[i];
		if (tested[i]->new (&engine->unwinder, &stepper->locations, NULL) < 0 ||
		    process_fixture_load(&engine->fixture, stepper->pid) < 0)
			return EXIT_FAILURE;
	}
	if (ptrace(PTRACE_GETREGS, stepper->pid, NULL, &stepper->registers) < 0)
		return EXIT_FAILURE;
	do {
		walk_all(stepper);
		stepper->n_steps++;
	} while (step(stepper, &status));
	printf("%s: %" PRIu64 " instructions\n", path, stepper->n_steps);
	for (size_t i = 0; i < 3; i++)
		show_totals(&stepper->engines[i]);
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		printf("%s: ended with status 0x%x\n", path, (unsigned)status);
		return EXIT_FAILURE;
	}
	return is_good(stepper, path) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_once(const char *path)
{
	struct stepper *stepper = calloc(1, sizeof(*stepper));
	int result;

	if (!stepper)
		return EXIT_FAILURE;
	result = run(stepper, path);
	for (size_t i = 0; i < 3; i++) {
		process_fixture_release(&stepper->engines[i].fixture);
		if (stepper->engines[i].unwinder)
			tested[i]->free(stepper->engines[i].unwinder);
	}
	location_table_release(&stepper->locations);
	free(stepper);
	return result;
}

int main(int argc, char **argv)
{
	const char *const built[] = { STEP_TARGET, STEP_TARGET "_static", STEP_TARGET "_bare" };
	const char *const *paths = argc > 1 ? (const char *const *)argv + 1 : built;
	const int n_paths = argc > 1 ? argc - 1 : (int)(sizeof(built) / sizeof(built[0]));
	int result = EXIT_SUCCESS;

	stay_on_this_cpu();
	for (int i = 0; i < n_paths && result != EXIT_SKIP; i++) {
		const int this_result = run_once(paths[i]);

		result = this_result == EXIT_SUCCESS ? result : this_result;
	}
	return result;
}
#endif
