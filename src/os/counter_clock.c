/* Interpolation in 128 bits: products of two times overflow 64 within minutes. */
#include "os/counter_clock.h"

#include <string.h>
#include <time.h>

#include "base/units.h"

enum { N_READINGS = 5 };

__extension__ typedef __int128 wide;

/* In counts per second. */
#define FREQUENCY_MIN_HZ UINT64_C(1000000)
#define FREQUENCY_MAX_HZ UINT64_C(20000000000)

static uint64_t read_counter(void)
{
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t counter;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(counter));
	return counter;
#else
	return 0;
#endif
}

static uint64_t read_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

struct counter_anchor counter_clock_read(void)
{
	struct counter_anchor best = { 0 };
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < N_READINGS; i++) {
		const uint64_t before = read_counter();
		const uint64_t ns = read_ns();
		const uint64_t after = read_counter();

		if (after - before >= shortest)
			continue;
		shortest = after - before;
		best = (struct counter_anchor){ .counter = before + shortest / 2, .ns = ns };
	}
	return best;
}

static int is_credible(const struct counter_anchor *last, const struct counter_anchor *next)
{
	const wide counts = (wide)next->counter - (wide)last->counter;
	const wide ns = (wide)next->ns - (wide)last->ns;

	if (next->counter <= last->counter || next->ns <= last->ns)
		return 0;
	return counts * (wide)NS_PER_S >= ns * (wide)FREQUENCY_MIN_HZ &&
	       counts * (wide)NS_PER_S <= ns * (wide)FREQUENCY_MAX_HZ;
}

int counter_clock_add(struct counter_clock *clock, struct counter_anchor anchor)
{
	struct counter_anchor *anchors = clock->anchors;

	if (clock->n_anchors && !is_credible(&anchors[clock->n_anchors - 1], &anchor))
		return 0;
	if (clock->n_anchors == COUNTER_CLOCK_MAX_ANCHORS) {
		/* The first stays: times before the oldest are by the slope from it. */
		memmove(&anchors[1], &anchors[2],
			(COUNTER_CLOCK_MAX_ANCHORS - 2) * sizeof(anchors[0]));
		clock->n_anchors--;
	}
	anchors[clock->n_anchors++] = anchor;
	return 1;
}

uint64_t counter_clock_ns(const struct counter_clock *clock, uint64_t counter)
{
	const struct counter_anchor *anchors = clock->anchors;
	size_t last = clock->n_anchors - 1;
	const struct counter_anchor *from;
	const struct counter_anchor *to;
	wide ns;

	if (clock->n_anchors < 2)
		return 0;
	/* From the back: what is asked for is young. */
	while (last > 1 && counter < anchors[last - 1].counter)
		last--;
	from = &anchors[last - 1];
	to = &anchors[last];
	ns = (wide)from->ns + ((wide)counter - (wide)from->counter) * (wide)(to->ns - from->ns) /
				      (wide)(to->counter - from->counter);
	if (ns < 0)
		return 0;
	return ns > (wide)UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

struct counter_line counter_clock_line(const struct counter_clock *clock)
{
	const struct counter_anchor *from;
	const struct counter_anchor *to;

	if (clock->n_anchors < 2)
		return (struct counter_line){ .counter = UINT64_MAX };
	from = &clock->anchors[clock->n_anchors - 2];
	to = &clock->anchors[clock->n_anchors - 1];
	/* At 1 MHz, the slowest that is believed, the slope is 1000 × 2^40. */
	return (struct counter_line){
		.counter = from->counter,
		.ns = from->ns,
		.slope = (uint64_t)(((wide)(to->ns - from->ns) << COUNTER_LINE_BITS) /
				    (wide)(to->counter - from->counter)),
	};
}
