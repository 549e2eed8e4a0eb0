/*
 * The kernel looks at the flags before it looks at anything else, so that a call
 * with flags of no meaning is EINVAL from every kernel, whatever the level; any
 * other errno was made by a filter in front of it.  Levels above 2 are those of
 * Debian, Ubuntu and Android, which answer EACCES.
 */
#include "os/perf_refusal.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/proc_files.h"

#define PARANOID_PATH "/proc/sys/kernel/perf_event_paranoid"

static const struct remedy level_remedies[] = {
	{ "sudo sysctl kernel.perf_event_paranoid=1",
	  "for everybody: user code and kernel of one's own processes; 2: user code only" },
	{ "sudo setcap cap_perfmon+ep $(command -v tsprof)",
	  "for whoever runs tsprof: all processes (Linux 5.8; Ubuntu's kernels want "
	  "cap_sys_admin)" },
};

static const struct remedy filter_remedies[] = {
	{ "docker run --cap-add PERFMON ...",
	  "for this container; needs Docker 23, containerd 1.7 or newer" },
	{ "docker run --security-opt seccomp=PROFILE.json ...",
	  "for this container; PROFILE.json: the default profile with perf_event_open allowed" },
	{ "docker run --security-opt seccomp=unconfined ...",
	  "for this container, without any filter" },
};

static const struct remedy no_events_remedies[] = {
	{ "scripts/config --enable PERF_EVENTS", "a kernel that is built with perf events" },
};

static const struct remedy target_remedies[] = {
	{ "sudo tsprof ...", "the processes of all users" },
	{ "sudo setcap cap_perfmon,cap_sys_ptrace+ep $(command -v tsprof)",
	  "for whoever runs tsprof: the processes of all users" },
};

static const struct remedy all_remedies[] = {
	{ "sudo sysctl kernel.perf_event_paranoid=0", "for everybody: all processes" },
	{ "sudo setcap cap_perfmon,cap_sys_ptrace+ep $(command -v tsprof)",
	  "for whoever runs tsprof: all processes" },
};

static const struct remedy other_remedies[] = {
	{ "sudo ausearch -m avc -ts recent", "shows whether SELinux or AppArmor refused it" },
};

static int errno_of_open(struct perf_event_attr *attr, unsigned long flags)
{
	const long fd = syscall(SYS_perf_event_open, attr, 0, -1, -1, flags);

	if (fd < 0)
		return errno;
	(void)close((int)fd);
	return 0;
}

struct perf_refusal perf_refusal_find(int code, pid_t pid)
{
	/* Counts nothing, and only in user code. */
	struct perf_event_attr modest = {
		.size = sizeof(modest),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
	};
	struct perf_refusal_evidence evidence = { 0 };

	evidence.has_level = proc_files_read_number(&evidence.level, PARANOID_PATH) == 0;
	evidence.code_of_nonsense = errno_of_open(&modest, ~0UL);
	evidence.code_of_itself = errno_of_open(&modest, PERF_FLAG_FD_CLOEXEC);
	return perf_refusal_judge(code, pid, &evidence);
}

struct perf_refusal perf_refusal_judge(int code, pid_t pid,
				       const struct perf_refusal_evidence *evidence)
{
	struct perf_refusal refusal = {
		.kind = PERF_REFUSAL_OTHER,
		.code = code,
		.has_level = evidence->has_level,
		.level = evidence->level,
	};

	if (code == 0)
		refusal.kind = PERF_REFUSAL_NONE;
	else if (!evidence->has_level && evidence->code_of_nonsense == ENOSYS)
		refusal.kind = PERF_REFUSAL_NO_EVENTS;
	else if (evidence->code_of_nonsense != EINVAL)
		refusal.kind = PERF_REFUSAL_FILTER;
	else if (evidence->code_of_itself == 0 && pid > 0)
		refusal.kind = PERF_REFUSAL_TARGET;
	else if (evidence->code_of_itself == 0 && pid < 0)
		refusal.kind = PERF_REFUSAL_ALL;
	else if (evidence->has_level && evidence->level > 2)
		refusal.kind = PERF_REFUSAL_LEVEL;
	return refusal;
}

const char *perf_refusal_cause(char text[PERF_REFUSAL_TEXT_BYTES],
			       const struct perf_refusal *refusal)
{
	char level[40] = "";

	if (refusal->has_level)
		(void)snprintf(level, sizeof(level), "kernel.perf_event_paranoid is %lld",
			       (long long)refusal->level);
	switch (refusal->kind) {
	case PERF_REFUSAL_NONE:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES, "perf_event_open is permitted");
		break;
	case PERF_REFUSAL_NO_EVENTS:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES,
			       "this kernel was built without perf events "
			       "(CONFIG_PERF_EVENTS)");
		break;
	case PERF_REFUSAL_FILTER:
		(void)snprintf(
			text, PERF_REFUSAL_TEXT_BYTES,
			"a seccomp filter, as containers have one, blocks perf_event_open: %s",
			strerror(-refusal->code));
		break;
	case PERF_REFUSAL_LEVEL:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES,
			       "the kernel forbids perf_event_open to ordinary users: %s", level);
		break;
	case PERF_REFUSAL_TARGET:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES,
			       "the process belongs to another user, or has more privileges");
		break;
	case PERF_REFUSAL_ALL:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES,
			       "ordinary users may not watch all processes: %s", level);
		break;
	case PERF_REFUSAL_OTHER:
		(void)snprintf(text, PERF_REFUSAL_TEXT_BYTES,
			       "perf_event_open was refused although %s: %s",
			       *level ? level : "the kernel has perf events",
			       strerror(-refusal->code));
		break;
	}
	return text;
}

size_t perf_refusal_remedies(const struct remedy **ret_remedies, const struct perf_refusal *refusal)
{
#define REMEDIES(table) (*ret_remedies = (table), sizeof(table) / sizeof((table)[0]))
	switch (refusal->kind) {
	case PERF_REFUSAL_NONE:
		return 0;
	case PERF_REFUSAL_NO_EVENTS:
		return REMEDIES(no_events_remedies);
	case PERF_REFUSAL_FILTER:
		return REMEDIES(filter_remedies);
	case PERF_REFUSAL_LEVEL:
		return REMEDIES(level_remedies);
	case PERF_REFUSAL_TARGET:
		return REMEDIES(target_remedies);
	case PERF_REFUSAL_ALL:
		return REMEDIES(all_remedies);
	case PERF_REFUSAL_OTHER:
		return REMEDIES(other_remedies);
	}
#undef REMEDIES
	return 0;
}
