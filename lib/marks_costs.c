/*
 * What scopes cost: two system calls at their begin, two at their end.  A scope
 * that ends in another thread or process than it began in has no costs.
 */
#include <errno.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/allocated_bytes.h"
#include "lib/marks_client.h"

static _Thread_local char here __attribute__((tls_model("initial-exec")));

/* Of this thread in this process; 0 is nobody. */
static uint64_t owner(void)
{
	return (uint64_t)(uintptr_t)&here ^ (uint64_t)marks_generation() << 48;
}

static uint64_t allocated_bytes(void)
{
	return tsprof_allocated_bytes_1 ? tsprof_allocated_bytes_1() : ALLOCATED_BYTES_UNKNOWN;
}

void marks_costs_now(struct tsprof_costs_ *ret_costs)
{
	const int saved = errno;
	struct timespec cpu;
	struct rusage usage;

	ret_costs->owner = 0;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu) == 0 &&
	    getrusage(RUSAGE_THREAD, &usage) == 0) {
		*ret_costs = (struct tsprof_costs_){
			.cpu_ns = (uint64_t)cpu.tv_sec * 1000000000U + (uint64_t)cpu.tv_nsec,
			.allocated_bytes = allocated_bytes(),
			.n_faults = (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt,
			.owner = owner(),
		};
	}
	errno = saved;
}

void marks_put_costs(struct tsprof_site *site, const struct tsprof_costs_ *at_begin)
{
	struct tsprof_costs_ now;
	struct marks_costs costs;

	marks_costs_now(&now);
	if (!at_begin->owner || now.owner != at_begin->owner)
		return;
	costs = (struct marks_costs){
		.cpu_ns = now.cpu_ns - at_begin->cpu_ns,
		.allocated_bytes = ALLOCATED_BYTES_UNKNOWN,
		.n_faults = now.n_faults - at_begin->n_faults,
	};
	if (now.allocated_bytes != ALLOCATED_BYTES_UNKNOWN &&
	    at_begin->allocated_bytes != ALLOCATED_BYTES_UNKNOWN)
		costs.allocated_bytes = now.allocated_bytes - at_begin->allocated_bytes;
	marks_api.put_bytes(site, TSPROF_WHAT_COSTS, &costs, sizeof(costs));
}
