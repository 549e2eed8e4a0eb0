#include "os/cpus.h"

#include <unistd.h>

size_t cpus_configured(void)
{
	const long n_cpus = sysconf(_SC_NPROCESSORS_CONF);

	return n_cpus < 1 ? 1 : n_cpus > CPUS_MAX ? CPUS_MAX : (size_t)n_cpus;
}

size_t cpus_power_of_two(void)
{
	const size_t n_cpus = cpus_configured();
	size_t n = 1;

	while (n < n_cpus)
		n *= 2;
	return n;
}

uint64_t cpus_fit_ring(uint64_t ring_bytes, uint64_t min_bytes, uint64_t all_bytes)
{
	const size_t n_cpus = cpus_configured();

	while (ring_bytes > min_bytes && ring_bytes > all_bytes / n_cpus)
		ring_bytes /= 2;
	return ring_bytes < min_bytes ? min_bytes : ring_bytes;
}
