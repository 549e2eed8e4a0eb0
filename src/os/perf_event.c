/*
 * What is refused is found by trying: the bits of the attributes have no version,
 * and an EINVAL does not say which one it means.
 */
#include "os/perf_event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "os/perf_refusal.h"
#include "os/proc_files.h"

#define MAX_RATE_PATH "/proc/sys/kernel/perf_event_max_sample_rate"

/* The kernel raises shorter periods of clock events to this one. */
#define PERIOD_MIN_NS UINT64_C(10000)

#define HARDWARE(event_name, id)                                                                   \
	{                                                                                          \
		.name = event_name, .type = PERF_TYPE_HARDWARE, .config = PERF_COUNT_HW_##id       \
	}

const struct perf_event_kind perf_event_kinds[] = {
	{ .name = "cpu-clock",
	  .type = PERF_TYPE_SOFTWARE,
	  .config = PERF_COUNT_SW_CPU_CLOCK,
	  .is_time = true },
	{ .name = "task-clock",
	  .type = PERF_TYPE_SOFTWARE,
	  .config = PERF_COUNT_SW_TASK_CLOCK,
	  .is_time = true },
	{ .name = "wall",
	  .type = PERF_TYPE_SOFTWARE,
	  .config = PERF_COUNT_SW_CPU_CLOCK,
	  .is_time = true,
	  .is_wall = true },
	HARDWARE("cycles", CPU_CYCLES),
	HARDWARE("instructions", INSTRUCTIONS),
	HARDWARE("branches", BRANCH_INSTRUCTIONS),
	HARDWARE("branch-misses", BRANCH_MISSES),
	HARDWARE("cache-references", CACHE_REFERENCES),
	HARDWARE("cache-misses", CACHE_MISSES),
	{ .name = NULL },
};

const struct perf_event_kind *perf_event_kind_find(const char *name)
{
	for (const struct perf_event_kind *kind = perf_event_kinds; kind->name; kind++)
		if (strcmp(kind->name, name) == 0)
			return kind;
	return NULL;
}

bool perf_event_is_missing(int code)
{
	return code == -ENOENT || code == -EOPNOTSUPP;
}

static bool is_prime(uint64_t number)
{
	if (number % 2 == 0)
		return number == 2;
	for (uint64_t divisor = 3; divisor * divisor <= number; divisor += 2)
		if (number % divisor == 0)
			return false;
	return number > 1;
}

/*
 * A prime number of nanoseconds: a period that divides, or is divided by, the
 * period of what is measured sees always the same part of it.
 */
uint64_t perf_event_period_ns(uint64_t rate_hz)
{
	uint64_t period_ns = NS_PER_S / (rate_hz ? rate_hz : 1);

	if (period_ns < PERIOD_MIN_NS)
		period_ns = PERIOD_MIN_NS;
	while (!is_prime(period_ns))
		period_ns++;
	return period_ns;
}

int perf_event_check_rate(uint64_t rate_hz, struct error *err)
{
	int64_t limit_hz = 0;

	if (rate_hz == 0)
		return error_set(err, -EINVAL, "a sampling rate of 0 Hz records nothing");
	if (proc_files_read_number(&limit_hz, MAX_RATE_PATH) < 0)
		limit_hz = 100000;
	if (rate_hz > (uint64_t)limit_hz)
		return error_set(err, -EINVAL,
				 "%llu Hz is above the kernel's limit of %lld Hz (raise it by "
				 "writing to " MAX_RATE_PATH ", or ask for less with -F)",
				 (unsigned long long)rate_hz, (long long)limit_hz);
	if (NS_PER_S / rate_hz < PERIOD_MIN_NS)
		return error_set(err, -EINVAL,
				 "%llu Hz is more than clock events can do (at most 100000 Hz)",
				 (unsigned long long)rate_hz);
	return 0;
}

static struct perf_event_attr common_attributes(const struct perf_event_options *options)
{
	return (struct perf_event_attr){
		.size = sizeof(struct perf_event_attr),
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.disabled = options->start != PERF_EVENT_AT_ONCE,
		.inherit = options->pid >= 0 && !options->is_single,
		.enable_on_exec = options->start == PERF_EVENT_ON_EXEC,
		.exclude_idle = options->pid < 0,
		.sample_id_all = 1,
		.watermark = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.exclude_hv = 1,
	};
}

static struct perf_event_attr sampler_attributes(const struct perf_event_options *options,
						 const struct perf_abilities *abilities)
{
	struct perf_event_attr attr = common_attributes(options);

	attr.type = options->kind->type;
	attr.config = options->kind->config;
	if (options->kind->is_time) {
		attr.sample_period = perf_event_period_ns(options->rate_hz);
	} else {
		attr.freq = 1;
		attr.sample_freq = options->rate_hz;
	}
	attr.wakeup_watermark = (uint32_t)options->wakeup_bytes;
	if (options->is_bare)
		return attr;
	attr.sample_type |= PERF_SAMPLE_REGS_USER;
	attr.sample_regs_user = perf_record_register_mask();
	if (!options->without_user_stacks) {
		attr.sample_type |= PERF_SAMPLE_STACK_USER;
		attr.sample_stack_user = (uint32_t)options->stack_bytes;
	}
	if (abilities->kernel) {
		if (!options->without_kernel_stacks)
			attr.sample_type |= PERF_SAMPLE_CALLCHAIN;
		attr.exclude_callchain_user = 1;
	} else {
		attr.exclude_kernel = 1;
	}
	attr.sample_type |= PERF_SAMPLE_STREAM_ID;
	if (abilities->counts) {
		attr.sample_type |= PERF_SAMPLE_READ;
		attr.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	}
	if (abilities->lost)
		attr.read_format |= PERF_FORMAT_LOST;
	return attr;
}

static struct perf_event_attr sideband_attributes(const struct perf_event_options *options,
						  const struct perf_abilities *abilities)
{
	struct perf_event_attr attr = common_attributes(options);

	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_DUMMY;
	attr.wakeup_watermark = (uint32_t)options->wakeup_bytes;
	attr.exclude_kernel = 1; /* counts nothing; so that it is permitted to everybody */
	attr.mmap = 1;
	attr.mmap2 = 1;
	attr.comm = 1;
	attr.comm_exec = 1;
	attr.task = 1;
	attr.build_id = abilities->build_id;
	return attr;
}

/*
 * Every switch with the stacks of the thread that leaves.  It happens inside the
 * scheduler, so the event is one of the kernel and not to be had without rights.
 */
static struct perf_event_attr switch_stack_attributes(const struct perf_event_options *options)
{
	struct perf_event_attr attr = common_attributes(options);

	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
	attr.sample_period = 1;
	attr.wakeup_watermark = (uint32_t)options->wakeup_bytes;
	attr.sample_type |= PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_REGS_USER |
			    PERF_SAMPLE_STACK_USER;
	attr.sample_regs_user = perf_record_register_mask();
	attr.sample_stack_user = (uint32_t)options->stack_bytes;
	attr.exclude_callchain_user = 1;
	return attr;
}

static struct perf_event_attr switch_attributes(const struct perf_event_options *options)
{
	struct perf_event_attr attr = common_attributes(options);

	attr.type = PERF_TYPE_SOFTWARE;
	attr.config = PERF_COUNT_SW_DUMMY;
	attr.wakeup_watermark = (uint32_t)options->wakeup_bytes;
	attr.exclude_kernel = 1;
	attr.context_switch = 1;
	return attr;
}

/*
 * As little as will do: what is added here is paid for at each call of the
 * function.
 */
static struct perf_event_attr probe_attributes(const struct perf_event_options *options)
{
	struct perf_event_attr attr = common_attributes(options);

	attr.type = PERF_TYPE_TRACEPOINT;
	attr.config = options->trace_event;
	attr.sample_period = !options->is_bare;
	attr.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
	attr.wakeup_watermark = (uint32_t)options->wakeup_bytes;
	attr.exclude_idle = 0;
	return attr;
}

static struct perf_event_attr attributes_of(enum perf_event_role role,
					    const struct perf_event_options *options,
					    const struct perf_abilities *abilities)
{
	switch (role) {
	case PERF_ROLE_SIDEBAND:
		return sideband_attributes(options, abilities);
	case PERF_ROLE_SWITCH_STACKS:
		return switch_stack_attributes(options);
	case PERF_ROLE_SWITCHES:
		return switch_attributes(options);
	case PERF_ROLE_PROBES:
		return probe_attributes(options);
	case PERF_ROLE_SAMPLES:
		break;
	}
	return sampler_attributes(options, abilities);
}

static int open_event(const struct perf_event_attr *attr, pid_t pid, int cpu)
{
	const long fd = syscall(SYS_perf_event_open, attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

/* "CAUSE (COMMAND; or COMMAND; tsprof doctor tells more)" */
static int error_not_permitted(int code, const struct perf_event_options *options,
			       struct error *err)
{
	const bool is_own = options->pid > 0 && !options->is_of_another;
	const struct perf_refusal refusal = perf_refusal_find(code, is_own ? 0 : options->pid);
	const struct remedy *remedies = NULL;
	const size_t n_remedies = perf_refusal_remedies(&remedies, &refusal);
	char text[PERF_REFUSAL_TEXT_BYTES];

	if (refusal.kind == PERF_REFUSAL_TARGET)
		return error_set(err, code,
				 "thread %ld belongs to another user or has more rights (run "
				 "tsprof as its user, or as root)",
				 (long)options->pid);
	return error_set(err, code, "%s (%s%s%s; tsprof doctor tells more)",
			 perf_refusal_cause(text, &refusal),
			 n_remedies > 0 ? remedies[0].command : "no remedy is known",
			 n_remedies > 1 ? "; or " : "", n_remedies > 1 ? remedies[1].command : "");
}

static int error_of_open(int code, const struct perf_event_options *options, struct error *err)
{
	const char *name = options->kind->name;

	switch (-code) {
	case ENODEV:
		return error_set_errno(err, code, "perf_event_open");
	case ESRCH:
		return error_set(err, code, "thread %ld has ended", (long)options->pid);
	case EACCES:
	case EPERM:
	case ENOSYS: /* a filter may say that, too */
		return error_not_permitted(code, options, err);
	case ENOENT:
	case EOPNOTSUPP:
		return error_set(err, code,
				 "event %s: this machine does not count it, as most virtual "
				 "machines do not",
				 name);
	case EMFILE:
		return error_set(
			err, code,
			"too many open files: tsprof needs two for each CPU (raise ulimit -n)");
	case EBUSY:
		return error_set(err, code, "event %s: all counters are in use by other profilers",
				 name);
	default:
		return error_set_errno(err, code, "perf_event_open for event %s", name);
	}
}

/* Switch off one ability that may be the reason for `code`; false when none is left. */
static bool abilities_reduce(struct perf_abilities *abilities, int code, enum perf_event_role role)
{
	bool *const on_refusal[] = { &abilities->kernel };
	bool *const on_invalid[] = { &abilities->counts, &abilities->lost };
	bool *const on_invalid_sideband[] = { &abilities->build_id };
	bool *const *tries = on_invalid;
	size_t n_tries = sizeof(on_invalid) / sizeof(on_invalid[0]);

	if (role == PERF_ROLE_SWITCHES || role == PERF_ROLE_SWITCH_STACKS ||
	    role == PERF_ROLE_PROBES)
		return false;
	if (code == -EACCES || code == -EPERM) {
		tries = on_refusal;
		n_tries = role == PERF_ROLE_SIDEBAND ? 0 : 1;
	} else if (code != -EINVAL && code != -E2BIG) {
		return false;
	} else if (role == PERF_ROLE_SIDEBAND) {
		tries = on_invalid_sideband;
		n_tries = 1;
	}
	for (size_t i = 0; i < n_tries; i++) {
		if (*tries[i]) {
			*tries[i] = false;
			return true;
		}
	}
	return false;
}

/* Samples may do without kernel time, stacks of switches may not. */
static int error_without_kernel(struct error *err)
{
	return error_set(err, -EACCES,
			 "the kernel does not let this user see where threads wait (as root: "
			 "sysctl kernel.perf_event_paranoid=1; or give tsprof the capability "
			 "CAP_PERFMON; or leave out --off-cpu and --event wall)");
}

int perf_event_open_role(enum perf_event_role role, const struct perf_event_options *options,
			 int cpu, struct perf_abilities *abilities, struct perf_layout *ret_layout,
			 struct error *err)
{
	struct perf_event_attr attr;
	bool is_refused;
	int fd;

	do {
		attr = attributes_of(role, options, abilities);
		fd = open_event(&attr, options->pid, cpu);
		is_refused = fd == -EACCES || fd == -EPERM;
	} while (fd < 0 && !(is_refused && options->is_of_another) &&
		 abilities_reduce(abilities, fd, role));
	if (fd < 0 && is_refused && role == PERF_ROLE_SWITCH_STACKS && !options->is_of_another)
		return error_without_kernel(err);
	if (fd < 0)
		return error_of_open(fd, options, err);
	*ret_layout = (struct perf_layout){ .sample_type = attr.sample_type,
					    .read_format = attr.read_format };
	ret_layout->ip_offset = perf_record_ip_offset(ret_layout);
	return fd;
}

int perf_event_open_sampler(const struct perf_event_options *options, int cpu,
			    struct perf_abilities *abilities, struct perf_layout *ret_layout,
			    struct error *err)
{
	return perf_event_open_role(PERF_ROLE_SAMPLES, options, cpu, abilities, ret_layout, err);
}

int perf_event_open_sideband(const struct perf_event_options *options, int cpu,
			     struct perf_abilities *abilities, struct perf_layout *ret_layout,
			     struct error *err)
{
	return perf_event_open_role(PERF_ROLE_SIDEBAND, options, cpu, abilities, ret_layout, err);
}

int perf_event_enable(int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) < 0 ? -errno : 0;
}

int perf_event_disable(int fd)
{
	return ioctl(fd, PERF_EVENT_IOC_DISABLE, 0) < 0 ? -errno : 0;
}

uint64_t perf_event_stream_id(int fd)
{
	uint64_t id = 0;

	return ioctl(fd, PERF_EVENT_IOC_ID, &id) < 0 ? 0 : id;
}

int perf_event_share_ring(int fd, int other_fd)
{
	return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, other_fd) < 0 ? -errno : 0;
}

int perf_event_set_program(int fd, int program_fd)
{
	return ioctl(fd, PERF_EVENT_IOC_SET_BPF, program_fd) < 0 ? -errno : 0;
}

uint64_t perf_event_read_time_ns(int fd, const struct perf_layout *layout, bool is_time)
{
	uint64_t values[8] = { 0 };
	size_t at = 1;

	if (read(fd, values, sizeof(values)) < (ssize_t)sizeof(values[0]))
		return 0;
	at += layout->read_format & PERF_FORMAT_TOTAL_TIME_ENABLED ? 1 : 0;
	if (is_time)
		return values[0];
	return layout->read_format & PERF_FORMAT_TOTAL_TIME_RUNNING ? values[at] : 0;
}

uint64_t perf_event_read_lost(int fd, const struct perf_layout *layout)
{
	uint64_t values[8] = { 0 };
	size_t at = 1;

	if (!(layout->read_format & PERF_FORMAT_LOST))
		return 0;
	if (read(fd, values, sizeof(values)) < (ssize_t)sizeof(values[0]))
		return 0;
	at += layout->read_format & PERF_FORMAT_TOTAL_TIME_ENABLED ? 1 : 0;
	at += layout->read_format & PERF_FORMAT_TOTAL_TIME_RUNNING ? 1 : 0;
	at += layout->read_format & PERF_FORMAT_ID ? 1 : 0;
	return values[at];
}
