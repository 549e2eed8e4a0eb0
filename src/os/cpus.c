/* The C library counts CPUs; which of them are switched on stands in /sys alone. */
#include "os/cpus.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As long as a file of /sys can be. */
enum { LIST_BYTES = 4096 };

size_t cpus_configured(void)
{
	const long n_cpus = sysconf(_SC_NPROCESSORS_CONF);

	return n_cpus < 1 ? 1 : n_cpus > CPUS_MAX ? CPUS_MAX : (size_t)n_cpus;
}

size_t cpus_parse_list(bool is_in[], size_t n_cpus, const char *text)
{
	size_t n_in = 0;
	char *end;

	memset(is_in, 0, n_cpus * sizeof(*is_in));
	do {
		unsigned long first, last;

		if (!isdigit((unsigned char)*text))
			return 0;
		first = last = strtoul(text, &end, 10);
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return 0;
			last = strtoul(end + 1, &end, 10);
		}
		for (unsigned long cpu = first; cpu <= last && cpu < n_cpus; cpu++) {
			n_in += !is_in[cpu];
			is_in[cpu] = true;
		}
		text = end + 1;
	} while (*end == ',');
	return *end == '\n' ? n_in : 0;
}

size_t cpus_find_online(bool is_online[], size_t n_cpus)
{
	const int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	char text[LIST_BYTES];
	ssize_t n_read = -1;
	size_t n_online;

	if (fd >= 0) {
		n_read = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	text[n_read > 0 ? n_read : 0] = '\0';
	n_online = cpus_parse_list(is_online, n_cpus, text);
	for (size_t i = 0; !n_online && i < n_cpus; i++)
		is_online[i] = true;
	return n_online ? n_online : n_cpus;
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
	bool is_online[CPUS_MAX];
	const size_t n_rings = cpus_find_online(is_online, cpus_configured());

	while (ring_bytes > min_bytes && ring_bytes > all_bytes / n_rings)
		ring_bytes /= 2;
	return ring_bytes < min_bytes ? min_bytes : ring_bytes;
}
