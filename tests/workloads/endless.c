/*
 * A program of its own beginning, as C libraries without call frame information have it (musl):
 * what begins it and its thread passes on the result of a call and never returns, nor does
 * what ends it.  Built without call frame information and without a library.
 *
 * Three parts burn as much CPU time each: thread_part, main_part, last_part.
 */
#include <stdint.h>

#if defined(__x86_64__)

enum {
	SYS_YIELD = 24,
	SYS_EXIT = 60,
	SYS_CLOCK_GETTIME = 228,
	SYS_EXIT_GROUP = 231,
	CLOCK_THREAD_CPU = 3,
	CLONE_FLAGS = 0x50f00, /* VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */
	STACK_BYTES = 1 << 16,
	PART_MS = 400,
	TURNS = 10000,
};

/* As in musl: arguments are on the stack, and the function is not returned from. */
__asm__(".globl _start\n"
	".type _start, @function\n"
	"_start:\n"
	"	xor %rbp, %rbp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call begin\n"
	"	hlt\n"
	".size _start, .-_start\n"
	".globl start_thread\n"
	".type start_thread, @function\n"
	"start_thread:\n" /* function, end of the stack, flags */
	"	mov %rdi, %r9\n"
	"	mov %rdx, %rdi\n"
	"	and $-16, %rsi\n"
	"	mov $56, %eax\n"
	"	xor %edx, %edx\n"
	"	xor %r10d, %r10d\n"
	"	xor %r8d, %r8d\n"
	"	syscall\n"
	"	test %eax, %eax\n"
	"	jne 1f\n"
	"	xor %ebp, %ebp\n"
	"	call *%r9\n"
	"	mov %eax, %edi\n"
	"	xor %eax, %eax\n"
	"	mov $60, %al\n"
	"	syscall\n"
	"	hlt\n"
	"1:	ret\n"
	".size start_thread, .-start_thread\n");

long start_thread(void (*function)(void), void *stack_end, long flags);
_Noreturn void begin(const long *arguments);
__attribute__((noinline)) int program(const long *arguments);
__attribute__((noinline)) int main_part(void);
__attribute__((noinline)) int thread_part(void);
_Noreturn __attribute__((noinline)) void last_part(int status);
_Noreturn __attribute__((noinline)) void end_program(int status);
_Noreturn __attribute__((noinline)) void end_thread(int status);

static _Alignas(16) char thread_stack[STACK_BYTES];
static volatile int has_thread_ended;
static volatile uint64_t sink;

static long call_kernel(long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

static long cpu_ms(void)
{
	long now[2];

	(void)call_kernel(SYS_CLOCK_GETTIME, CLOCK_THREAD_CPU, (long)now, 0);
	return now[0] * 1000 + now[1] / 1000000;
}

/* `volatile` behind each call: neither inlined nor a jump, so the caller stays a frame. */
__attribute__((noinline)) static void burn(uint64_t seed)
{
	const long end_ms = cpu_ms() + PART_MS;

	while (cpu_ms() < end_ms)
		for (unsigned int i = 0; i < TURNS; i++)
			seed = seed * 6364136223846793005U + 1442695040888963407U;
	sink = seed;
}

int thread_part(void)
{
	burn(1);
	return sink == 0;
}

int main_part(void)
{
	burn(2);
	return sink == 0;
}

void end_program(int status)
{
	for (;;)
		(void)call_kernel(SYS_EXIT_GROUP, status, 0, 0);
}

void last_part(int status)
{
	burn(3);
	end_program(status);
}

void end_thread(int status)
{
	has_thread_ended = 1 + status;
	for (;;)
		(void)call_kernel(SYS_EXIT, 0, 0, 0);
}

static void begin_thread(void)
{
	end_thread(thread_part());
}

int program(const long *arguments)
{
	(void)start_thread(begin_thread, thread_stack + sizeof(thread_stack), CLONE_FLAGS);
	while (!has_thread_ended)
		(void)call_kernel(SYS_YIELD, 0, 0, 0);
	return main_part() + (arguments[0] < 0);
}

void begin(const long *arguments)
{
	last_part(program(arguments));
}

#else

int main(void)
{
	return 77;
}

#endif
