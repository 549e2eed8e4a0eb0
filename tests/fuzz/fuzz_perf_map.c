/* A perf map, whole and in two pieces, and every address in it looked up. */
#include "fuzz.h"

#include <stdlib.h>

#include "symbol/perf_map.h"

/* Sorted ips around the first symbols, looked up at some moment. */
static void look_up(const struct jit_symbols *symbols)
{
	enum { N_IPS = 64 };
	const struct jit_symbol *found[N_IPS];
	uint64_t ips[N_IPS];

	for (size_t i = 0; i < N_IPS; i++)
		ips[i] = i * 37;
	if (jit_symbols_resolve(symbols, ips, N_IPS, UINT64_MAX, found) < 0)
		return;
	for (size_t i = 0; i < N_IPS; i++)
		if (found[i] && (ips[i] < found[i]->start || ips[i] >= found[i]->end))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const size_t cut = size ? data[0] % size : 0;
	struct jit_symbols whole;
	struct jit_symbols pieces;
	size_t taken = 0;
	size_t rest = 0;

	if (jit_symbols_init(&whole) < 0 || jit_symbols_init(&pieces) < 0)
		abort();
	if (perf_map_parse(&whole, text, size, true, &taken) < 0 || taken != size ||
	    perf_map_parse(&pieces, text, cut, false, &taken) < 0 || taken > cut ||
	    perf_map_parse(&pieces, text + taken, size - taken, true, &rest) < 0)
		abort();
	if (size < PERF_MAP_LINE_MAX_BYTES && whole.n_symbols != pieces.n_symbols)
		abort();
	look_up(&whole);
	jit_symbols_release(&whole);
	jit_symbols_release(&pieces);
	return 0;
}
