#include "os/scheduling.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <linux/sched/types.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/units.h"

/* The shortest that the kernel takes; it chooses by whose turn would end first. */
#define TURN_NS ((uint64_t)100 * NS_PER_US)
/* Of the quarter of a second and more that a ring has room for, at the usual rate. */
#define LATE_NS ((uint64_t)30 * NS_PER_MS)

enum {
	NICE_FIRST = -20,
	NICE_LIMIT_ZERO = 20, /* RLIMIT_NICE of 20 allows 0 (getrlimit(2)) */
	STATISTICS_BYTES = 128,
};

/* Before what is not real-time; and where real-time threads leave no CPU, as soon as one sleeps. */
static const uint32_t priorities[] = { 1, 99 };

enum { N_PRIORITIES = sizeof(priorities) / sizeof(priorities[0]) };

/* False where the policy is not the usual one, or cannot be known. */
static bool get_attributes(struct sched_attr *attributes)
{
	return syscall(SYS_sched_getattr, 0, attributes, sizeof(*attributes), 0) == 0 &&
	       attributes->sched_policy == SCHED_NORMAL;
}

static bool set_usual(int nice_value, uint64_t turn_ns)
{
	struct sched_attr attributes = {
		.size = sizeof(attributes),
		.sched_policy = SCHED_NORMAL,
		.sched_nice = nice_value,
		.sched_runtime = turn_ns, /* unseen by kernels before 6.12 */
	};

	return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

static bool set_real_time(uint32_t priority)
{
	struct sched_attr attributes = {
		.size = sizeof(attributes),
		.sched_policy = SCHED_RR,
		.sched_flags = SCHED_FLAG_RESET_ON_FORK,
		.sched_priority = priority,
	};

	return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

static int nice_by_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NICE, &limit) < 0)
		return NICE_LIMIT_ZERO;
	if (limit.rlim_cur >= NICE_LIMIT_ZERO - NICE_FIRST)
		return NICE_FIRST;
	return NICE_LIMIT_ZERO - (int)limit.rlim_cur;
}

/* The number behind what `format` skips; 0 where it cannot be had. */
static uint64_t read_number(int fd, const char *format)
{
	char text[STATISTICS_BYTES] = "";
	unsigned long long number = 0;

	if (fd >= 0 && pread(fd, text, sizeof(text) - 1, 0) > 0)
		(void)sscanf(text, format, &number);
	return number;
}

/* Documentation/scheduler/sched-stats.rst: time on a CPU, and time waiting for one. */
static uint64_t waited_ns(const struct scheduling *scheduling)
{
	return read_number(scheduling->fd, "%*u %llu");
}

/*
 * Whether others wanted the CPUs, and not a hypervisor: proc(5), three averages, and how many
 * threads are runnable.
 */
static bool is_crowd(const struct scheduling *scheduling)
{
	const long n_cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return n_cpus > 0 &&
	       read_number(scheduling->load_fd, "%*s %*s %*s %llu") > (uint64_t)n_cpus;
}

void scheduling_raise(struct scheduling *scheduling)
{
	struct sched_attr attributes = { .size = sizeof(attributes) };

	*scheduling = SCHEDULING_INIT;
	if (!get_attributes(&attributes))
		return;
	scheduling->nice = attributes.sched_nice;
	scheduling->is_raised = true;
	if (!set_usual(NICE_FIRST, TURN_NS) &&
	    (nice_by_limit() >= scheduling->nice || !set_usual(nice_by_limit(), TURN_NS)))
		(void)set_usual(scheduling->nice, TURN_NS);
	scheduling->fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	scheduling->load_fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
	scheduling->waited_ns = waited_ns(scheduling);
}

void scheduling_look(struct scheduling *scheduling)
{
	uint64_t now_ns;
	bool is_late;

	if (scheduling->fd < 0 || scheduling->n_late == N_PRIORITIES)
		return;
	now_ns = waited_ns(scheduling);
	is_late = now_ns > scheduling->waited_ns + LATE_NS;
	scheduling->waited_ns = now_ns;
	if (is_late && is_crowd(scheduling))
		(void)set_real_time(priorities[scheduling->n_late++]);
}

void scheduling_restore(struct scheduling *scheduling)
{
	if (scheduling->fd >= 0)
		(void)close(scheduling->fd);
	if (scheduling->load_fd >= 0)
		(void)close(scheduling->load_fd);
	if (scheduling->is_raised)
		(void)set_usual(scheduling->nice, 0);
	*scheduling = SCHEDULING_INIT;
}
