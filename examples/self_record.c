/*
 * A program that records the part of itself that matters.
 *
 *	cc -O2 -g self_record.c -o self_record $(pkg-config --cflags --libs tsprof)
 *	./self_record && tsprof report -i self_record.tsprof
 */
#include <stdio.h>
#include <stdlib.h>

#include <tsprof.h>
#include <tsprof_library.h>

static double series(int n)
{
	double sum = 0;

	for (int i = 1; i <= n; i++)
		sum += 1.0 / ((double)i * i);
	return sum;
}

int main(void)
{
	double sum = 0;

	if (tsprof_start("self_record.tsprof") < 0) {
		(void)fprintf(stderr, "not recorded: %s\n", tsprof_failure());
		return EXIT_FAILURE;
	}
	for (int i = 0; i < 50; i++) {
		TSPROF_SCOPE("series");
		sum += series(2000000);
	}
	if (tsprof_stop() < 0) {
		(void)fprintf(stderr, "no profile: %s\n", tsprof_failure());
		return EXIT_FAILURE;
	}
	(void)printf("%.4f\n", sum);
	return EXIT_SUCCESS;
}
