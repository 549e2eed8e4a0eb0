/* A jitdump, whole and in two pieces; what it names is looked up at several moments. */
#include "fuzz.h"

#include <stdlib.h>

#include "symbol/jitdump.h"

static int compare(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static void look_up(const struct jit_symbols *symbols, uint64_t until_ns)
{
	enum { N_IPS = 64 };
	const struct jit_symbol *found[N_IPS];
	uint64_t ips[N_IPS];
	size_t n = 0;

	for (size_t i = 0; i < symbols->n_symbols && n + 2 <= N_IPS; i++) {
		ips[n++] = symbols->symbols[i].start;
		ips[n++] = symbols->symbols[i].end - 1;
	}
	qsort(ips, n, sizeof(*ips), compare);
	if (jit_symbols_resolve(symbols, ips, n, until_ns, found) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!found[i] || ips[i] < found[i]->start || ips[i] >= found[i]->end)
			abort();
		(void)jit_symbols_line(symbols, found[i], ips[i]);
	}
}

static uint64_t parse(struct jitdump *dump, struct jit_symbols *symbols, const uint8_t *data,
		      size_t size)
{
	uint64_t taken = 0;

	if (jitdump_parse(dump, symbols, data, size, &taken) < 0)
		abort();
	return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t cut = size ? data[size - 1] * size / 256 : 0;
	struct jitdump dump = { 0 };
	struct jitdump dump_of_pieces = { 0 };
	struct jit_symbols whole;
	struct jit_symbols pieces;
	uint64_t taken;

	if (jit_symbols_init(&whole) < 0 || jit_symbols_init(&pieces) < 0)
		abort();
	(void)parse(&dump, &whole, data, size);
	taken = parse(&dump_of_pieces, &pieces, data, cut);
	/* Past the end: what is there need not be read. */
	if (taken < size)
		(void)parse(&dump_of_pieces, &pieces, data + taken, size - taken);
	if (size < JITDUMP_LOOK_BYTES && whole.n_symbols != pieces.n_symbols)
		abort();
	look_up(&whole, UINT64_MAX);
	look_up(&whole, 1000);
	jit_symbols_release(&whole);
	jit_symbols_release(&pieces);
	return 0;
}
