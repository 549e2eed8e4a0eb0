/*
 * memory leak|stable|free|warm|fork SECONDS: a program whose memory is known.
 *
 *	leak	takes 100 KiB every 10 ms, and keeps them
 *	stable	takes 16 MiB at its start
 *	free	takes 100 KiB every 10 ms, and frees all after every 20
 *	warm	takes 100 KiB every 10 ms in the first quarter of its time
 *	fork	has two children that do as stable and as leak do
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PIECE_BYTES = 100 * 1024, START_BYTES = 16 * 1024 * 1024, PIECES_AT_ONCE = 20 };

/* Room of its own, below the limit from which malloc maps each piece. */
static char *take(size_t size)
{
	char *piece = malloc(size);

	if (!piece)
		exit(1);
	memset(piece, 1, size);
	return piece;
}

static double now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* One more piece, as the program's way is. */
static void step(const char *how, double share_of_time, char **pieces, size_t *n)
{
	if (strcmp(how, "leak") == 0 || (strcmp(how, "warm") == 0 && share_of_time < 0.25))
		(void)take(PIECE_BYTES);
	if (strcmp(how, "free") != 0)
		return;
	pieces[(*n)++] = take(PIECE_BYTES);
	if (*n < PIECES_AT_ONCE)
		return;
	while (*n)
		free(pieces[--*n]);
}

static void run(const char *how, double seconds)
{
	const double start = now();
	char *pieces[PIECES_AT_ONCE] = { NULL };
	size_t n = 0;
	long n_steps = 0;

	if (strcmp(how, "stable") == 0)
		(void)take(START_BYTES);
	for (double passed = 0; passed < seconds; passed = now() - start) {
		/* All that are due by now, so that a busy machine changes nothing. */
		for (; (double)n_steps < passed * 100; n_steps++)
			step(how, passed / seconds, pieces, &n);
		(void)usleep(10000);
	}
}

int main(int argc, char **argv)
{
	const double seconds = argc > 2 ? strtod(argv[2], NULL) : 1;

	if (argc < 2)
		return 2;
	if (strcmp(argv[1], "fork") != 0) {
		run(argv[1], seconds);
		return 0;
	}
	for (int i = 0; i < 2; i++) {
		if (fork() == 0) {
			run(i ? "leak" : "stable", seconds);
			_exit(0);
		}
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
