/* A library for plugin_loop; as large as plugin_beta, so that either fits where the other was. */
#include <stdint.h>

uint64_t plugin_run(uint64_t seed, int n_turns);

__attribute__((noinline)) static uint64_t alpha_work(uint64_t seed, int n_turns)
{
	volatile uint64_t value = seed;

	for (int i = 0; i < n_turns; i++)
		value = value * 6364136223846793005ULL + 1442695040888963407ULL;
	return value;
}

__attribute__((noinline)) static uint64_t alpha_outer(uint64_t seed, int n_turns)
{
	return alpha_work(seed, n_turns) + 1;
}

uint64_t plugin_run(uint64_t seed, int n_turns)
{
	return alpha_outer(seed, n_turns) + 1;
}
