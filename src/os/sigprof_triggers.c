/*
 * SIGTRAP events came with Linux 5.13; before 5.19 one that is blocked when it
 * comes kills the process.  Without kernel time perf's ticks are exact where the
 * timer's are coarse, so they are taken all the same; also by a program that
 * gives up the user who may do more, as servers do.
 */
#include "os/sigprof_triggers.h"

#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/units.h"
#include "lib/sigprof_wire.h"

static bool is_at_least(unsigned int major, unsigned int minor)
{
	struct utsname name;
	unsigned int has_major;
	unsigned int has_minor;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &has_major, &has_minor) == 2 &&
	       (has_major > major || (has_major == major && has_minor >= minor));
}

static bool can_open(bool has_kernel, bool is_trap)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_TASK_CLOCK,
		.sample_period = NS_PER_MS,
		.disabled = 1,
		.exclude_kernel = !has_kernel,
		.exclude_hv = 1,
		.sigtrap = is_trap,
		.remove_on_exec = is_trap,
	};
	const long fd = syscall(SYS_perf_event_open, &attr, 0L, -1L, -1L,
				(unsigned long)PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		(void)close((int)fd);
	return fd >= 0;
}

const char *sigprof_triggers(void)
{
	const char *asked = getenv("TSPROF_TRIGGERS");

	if (asked && *asked && strlen(asked) < 8)
		return asked;
	if (is_at_least(5, 19) && can_open(true, true))
		return "sut";
	if (can_open(true, false))
		return "put";
	return can_open(false, false) ? "ut" : "t";
}

bool sigprof_triggers_have_kernel(const char *triggers)
{
	return *triggers != SIGPROF_TRIGGER_PERF_USER;
}
