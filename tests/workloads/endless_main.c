/*
 * A main and a thread's function that never return, called by the C library.  To be built
 * without call frame information and without symbols.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static volatile uint64_t sink;

/* `volatile` behind each call: neither inlined nor a jump, so the caller stays a frame. */
__attribute__((noinline)) static void burn(uint64_t value)
{
	struct timespec now;

	do {
		for (int i = 0; i < 100000; i++)
			value = value * 6364136223846793005U + 1442695040888963407U;
		sink = value;
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (!now.tv_sec && now.tv_nsec < 300000000);
}

static void *run(void *unused)
{
	burn((uintptr_t)unused);
	sink++;
	pthread_exit(NULL);
}

__attribute__((noinline)) static _Noreturn void finish(void)
{
	volatile char room[100];

	room[0] = 1;
	burn((uint64_t)room[0]);
	exit(room[0] - 1);
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) == 0)
		(void)pthread_join(thread, NULL);
	finish();
}
