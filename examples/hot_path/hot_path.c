/*
 * A program whose hot path is its logger, to be taken apart with
 *
 *	tsprof record -F 4000 -- ./hot_path
 *	tsprof report --components hot_path.rules --per log
 *
 * It does a little work, logs a line about it, and again, for SECONDS of CPU
 * time (3 unless said otherwise).  What an empty scope costs, the floor that
 * nothing marked can be below, is measured beside it.  docs/hot-path.md tells
 * what came out.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "logger.h"
#include "tsprof.h"

enum {
	ROUND_MESSAGES = 1000,
	ROUND_EMPTY_SCOPES = 100,
	QUEUE_ENOUGH = 1 << 19,
};

static double cpu_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What the program is for, beside logging: some arithmetic. */
__attribute__((noinline)) static uint32_t work(uint32_t seed)
{
	for (int i = 0; i < 200; i++)
		seed = seed * 1664525 + 1013904223;
	return seed;
}

/*
 * The floor: begin and end with nothing between them.  A few at a time: a million
 * on end would be more than the recorder takes in on a busy machine.
 */
__attribute__((noinline)) static void measure_floor(void)
{
	for (int i = 0; i < ROUND_EMPTY_SCOPES; i++) {
		TSPROF_SCOPE("empty");
	}
}

static void log_round(struct logger *logger, uint32_t *seed)
{
	struct logger_context context = { .service = "checkout", .user = "a.turing" };

	for (int i = 0; i < ROUND_MESSAGES; i++) {
		*seed = work(*seed);
		context.request = *seed;
		context.worker = *seed % 16;
		logger_write(logger, *seed % 64 ? LOGGER_INFO : LOGGER_WARNING, &context,
			     "order %u of \"%s\" has %d items for %.2f", *seed >> 8, "desk",
			     (int)(*seed % 9), *seed % 100000 / 100.0);
	}
}

/* A writer that falls behind would have lines dropped, and that is another path. */
static void let_writer_catch_up(const struct logger *logger)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	TSPROF_SCOPE("catch up");
	while (logger_depth(logger) > QUEUE_ENOUGH)
		(void)nanosleep(&pause, NULL);
}

int main(int argc, char **argv)
{
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 3;
	const int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct logger *logger = logger_new(fd);
	uint64_t n_messages = 0;
	uint64_t n_dropped;
	uint32_t seed = 1;
	double end;

	if (fd < 0 || !logger) {
		fprintf(stderr, "hot_path: no logger\n");
		return EXIT_FAILURE;
	}
	TSPROF_MILESTONE_DATA("logging", "%.1f s", seconds);
	for (end = cpu_seconds() + seconds; cpu_seconds() < end; n_messages += ROUND_MESSAGES) {
		log_round(logger, &seed);
		let_writer_catch_up(logger);
		measure_floor();
	}
	TSPROF_MILESTONE("draining");
	n_dropped = logger_free(logger);
	(void)close(fd);
	printf("%llu messages, %llu dropped\n", (unsigned long long)n_messages,
	       (unsigned long long)n_dropped);
	return n_dropped ? EXIT_FAILURE : EXIT_SUCCESS;
}
