/*
 * A small program with everything that makes unwinding hard, for
 * test_single_step: built without frame pointers, bound lazily, and run one
 * instruction at a time.  It only has to visit code; it prints nothing.
 */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

/* Opaque to the optimiser: what goes in comes out. */
static int hidden(int value)
{
	__asm__ volatile("" : "+r"(value)::"memory");
	return value;
}

static void touch(void *memory)
{
	__asm__ volatile("" ::"r"(memory) : "memory");
}

static volatile sig_atomic_t n_signals;

static NOINLINE void leaf(int value)
{
	touch(&value);
}

static void on_signal(int number)
{
	n_signals++;
	leaf(number);
}

static NOINLINE int many_saved_registers(int a, int b, int c, int d, int e, int f)
{
	const int g = hidden(a + b);
	const int h = hidden(c + d);
	const int i = hidden(e + f);

	leaf(g);
	leaf(h);
	leaf(i);
	if (g < 0)
		return a;
	leaf(a + b + c);
	return g + h + i + d + e + f;
}

/* A variable frame: the CFA is found through rbp, even without frame pointers. */
static NOINLINE int with_alloca(int size)
{
	char *memory = alloca((size_t)size);

	memset(memory, 1, (size_t)size);
	touch(memory);
	leaf(size);
	return memory[size / 2];
}

/* Realigned stack: the CFA is saved behind a pointer (DRAP). */
static NOINLINE int with_aligned_locals(int a, int b, int c, int d, int e, int f, int g, int h)
{
	_Alignas(64) char memory[256];

	memset(memory, a, sizeof(memory));
	touch(memory);
	leaf(g);
	return memory[b & 255] + c + d + e + f + g + h;
}

/* Aligned and variable at once: the DRAP register itself is spilled. */
static NOINLINE int with_aligned_alloca(int size, int b, int c, int d, int e, int f, int g)
{
	_Alignas(64) char memory[128];
	char *variable = alloca((size_t)size);

	memset(memory, size, sizeof(memory));
	memset(variable, b, (size_t)size);
	touch(memory);
	touch(variable);
	leaf(g);
	return memory[0] + variable[0] + c + d + e + f + g;
}

/* Its frame needs a 32-bit offset. */
static NOINLINE int with_large_frame(int value)
{
	char memory[300000];

	memory[0] = (char)value;
	touch(memory);
	leaf(value);
	return memory[0];
}

static NOINLINE int tail_called(int value)
{
	leaf(value);
	return hidden(value) + 1;
}

static NOINLINE int tail_caller(int value)
{
	leaf(value);
	return tail_called(value + 1);
}

static jmp_buf way_out;

static NOINLINE __attribute__((noreturn)) void leaves_by_longjmp(int value)
{
	leaf(value);
	longjmp(way_out, 1);
}

/* The call is the last instruction: its return address belongs to the next function. */
static NOINLINE void ends_in_a_call(int value)
{
	leaf(value);
	leaves_by_longjmp(value + 1);
}

static NOINLINE int recursion(int depth)
{
	char *memory = alloca((size_t)(depth * 16 + 16));

	touch(memory);
	if (!depth)
		return 1;
	return recursion(depth - 1) + memory[0] * 0;
}

static int compare(const void *a, const void *b)
{
	const int *left = a;
	const int *right = b;

	leaf(*left);
	return *left - *right;
}

static NOINLINE void use_library(void)
{
	int numbers[] = { 5, 3, 9, 1, 7 };
	struct timespec now;
	char text[64];

	qsort(numbers, sizeof(numbers) / sizeof(numbers[0]), sizeof(numbers[0]), compare);
	(void)snprintf(text, sizeof(text), "%d %s %5.2f", numbers[0], "text", 1.5);
	touch(strchr(text, 't'));
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	touch(malloc(100));
	(void)getppid();
}

/* Some of the unlikely path is split off into another section, with an FDE of its own. */
static NOINLINE int with_cold_part(int value)
{
	if (__builtin_expect(hidden(value) == 12345, 0)) {
		many_saved_registers(value, 1, 2, 3, 4, 5);
		with_alloca(value & 63);
		ends_in_a_call(value);
	}
	leaf(value);
	return value;
}

static void at_exit(void)
{
	leaf(0);
}

static NOINLINE void visit_all(void)
{
	(void)many_saved_registers(1, 2, 3, 4, 5, 6);
	(void)with_alloca(hidden(100));
	(void)with_aligned_locals(1, 2, 3, 4, 5, 6, 7, 8);
	(void)with_aligned_alloca(hidden(64), 2, 3, 4, 5, 6, 7);
	(void)with_large_frame(1);
	(void)tail_caller(hidden(1));
	(void)recursion(hidden(40));
	(void)with_cold_part(hidden(1));
	if (!setjmp(way_out))
		ends_in_a_call(hidden(1));
	if (!setjmp(way_out))
		(void)with_cold_part(hidden(12345));
	use_library();
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	(void)sigaction(SIGUSR1, &action, NULL);
	(void)sigaction(SIGUSR2, &action, NULL);
	(void)atexit(at_exit);
	(void)raise(SIGUSR1);
	visit_all();
	(void)raise(SIGUSR1);
	return n_signals < 2;
}
