/*
 * What a probe in a function costs the program, against the kernel's own part:
 * the same probe when nothing but a counter is attached to it, measured in turns.
 *
 *	bench_probes [ROUNDS]
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/probe_price.h"

enum { MAX_ROUNDS = 100 };

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
	double bare[3][MAX_ROUNDS];
	double whole[3][MAX_ROUNDS];
	static const char *const names[] = { "entry", "call", "stepped" };
	struct error err = ERROR_INIT;

	if (n_rounds < 1 || n_rounds > MAX_ROUNDS)
		return 2;
	for (int i = 0; i < n_rounds; i++) {
		struct probe_price prices[2];

		for (int j = 0; j < 2; j++) {
			if (probe_price_measure(&prices[j], j == 0, &err) < 0) {
				(void)fprintf(stderr, "bench_probes: %s\n", err.message);
				return 1;
			}
			(j == 0 ? bare : whole)[0][i] = prices[j].entry_ns;
			(j == 0 ? bare : whole)[1][i] = prices[j].call_ns;
			(j == 0 ? bare : whole)[2][i] = prices[j].entry_ns + prices[j].stepped_ns;
		}
	}
	for (int i = 0; i < 3; i++) {
		const double kernel_ns = median(bare[i], n_rounds);
		const double probe_ns = median(whole[i], n_rounds);

		printf("probe_%s_kernel_ns %.0f\nprobe_%s_ns %.0f\nprobe_%s_ratio %.2f\n", names[i],
		       kernel_ns, names[i], probe_ns, names[i], probe_ns / kernel_ns);
	}
	return 0;
}
