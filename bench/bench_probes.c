/*
 * What a probe in a function costs the program, against the kernel's own part:
 * the same probe when nothing but a counter is attached to it, measured in turns.
 * Beside it the same with perf's records, which is the way where BPF programs are not permitted.
 *
 *	bench_probes [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/probe_price.h"

enum { MAX_ROUNDS = 100, N_WAYS = PROBE_PRICE_PROGRAMS + 1 };

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a;
	const double right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double *values, int n)
{
	qsort(values, (size_t)n, sizeof(*values), compare);
	return values[n / 2];
}

int main(int argc, char **argv)
{
	const int n_rounds = argc > 1 ? atoi(argv[1]) : 7;
	static const char *const names[] = { "entry", "call", "stepped" };
	static double ns[N_WAYS][3][MAX_ROUNDS];
	struct error err = ERROR_INIT;

	if (n_rounds < 1 || n_rounds > MAX_ROUNDS)
		return 2;
	for (int i = 0; i < n_rounds; i++) {
		for (int way = 0; way < N_WAYS; way++) {
			struct probe_price price;

			if (probe_price_measure(&price, (enum probe_price_way)way, &err) < 0) {
				(void)fprintf(stderr, "bench_probes: %s\n", err.message);
				return 1;
			}
			ns[way][0][i] = price.entry_ns;
			ns[way][1][i] = price.call_ns;
			ns[way][2][i] = price.entry_ns + price.stepped_ns;
		}
	}
	for (int i = 0; i < 3; i++) {
		const double kernel_ns = median(ns[PROBE_PRICE_KERNEL][i], n_rounds);
		const double records_ns = median(ns[PROBE_PRICE_RECORDS][i], n_rounds);
		const double probe_ns = median(ns[PROBE_PRICE_PROGRAMS][i], n_rounds);

		printf("probe_%s_kernel_ns %.0f\nprobe_%s_records_ns %.0f\nprobe_%s_ns %.0f\n"
		       "probe_%s_ratio %.2f\n",
		       names[i], kernel_ns, names[i], records_ns, names[i], probe_ns, names[i],
		       probe_ns / kernel_ns);
	}
	return 0;
}
