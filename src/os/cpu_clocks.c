#include "os/cpu_clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"

int cpu_clocks_read_process(uint64_t *ret_ns, uint32_t pid)
{
	clockid_t clock;
	struct timespec now;
	const int r = pid ? clock_getcpuclockid((pid_t)pid, &clock) : ESRCH;

	if (r != 0)
		return -r;
	if (clock_gettime(clock, &now) != 0)
		return -errno;
	*ret_ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
	return 0;
}

/* proc_stat(5): "cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL …", in 1/100 s. */
uint64_t cpu_clocks_stolen_ns(void)
{
	const long hz = sysconf(_SC_CLK_TCK);
	const int fd = open("/proc/stat", O_RDONLY | O_CLOEXEC);
	uint64_t stolen;
	char text[256];
	ssize_t n_read;

	if (fd < 0 || hz <= 0)
		return 0;
	n_read = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n_read <= 0)
		return 0;
	text[n_read] = '\0';
	if (sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &stolen) != 1)
		return 0;
	return stolen * (NS_PER_S / (uint64_t)hz);
}
