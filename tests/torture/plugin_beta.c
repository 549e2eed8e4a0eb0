/*
 * A library for plugin_loop; see plugin_alpha.  The same addresses hold other
 * functions with other frames: there is a large array on the stack here.
 */
#include <stdint.h>
#include <string.h>

uint64_t plugin_run(uint64_t seed, int n_turns);

__attribute__((noinline)) static uint64_t beta_work(uint64_t seed, int n_turns)
{
	volatile uint64_t value = seed;
	char room[512];

	memset(room, (int)(seed & 0x7f), sizeof(room));
	for (int i = 0; i < n_turns; i++)
		value = value * 2862933555777941757ULL + (unsigned char)room[i % (int)sizeof(room)];
	return value;
}

__attribute__((noinline)) static uint64_t beta_outer(uint64_t seed, int n_turns)
{
	volatile char room[200];

	room[seed % sizeof(room)] = 1;
	return beta_work(seed, n_turns) + (unsigned char)room[seed % sizeof(room)];
}

uint64_t plugin_run(uint64_t seed, int n_turns)
{
	return beta_outer(seed, n_turns) + 1;
}
