#ifndef TSPROF_OS_PERF_REFUSAL_H
#define TSPROF_OS_PERF_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Why perf_event_open said no, and what would change its mind: the one place
 * that `record`'s message and `doctor` take both from.
 */
enum perf_refusal_kind {
	PERF_REFUSAL_NONE,
	PERF_REFUSAL_NO_EVENTS, /* the kernel was built without them */
	PERF_REFUSAL_FILTER,	/* the call never got to the kernel: a seccomp filter */
	PERF_REFUSAL_LEVEL,	/* perf_event_paranoid is above 2 */
	PERF_REFUSAL_TARGET,	/* itself it may watch, but not that process */
	PERF_REFUSAL_ALL,	/* itself it may watch, but not all processes */
	PERF_REFUSAL_OTHER,	/* a security module, or nobody knows */
};

struct perf_refusal {
	enum perf_refusal_kind kind;
	int code;	/* negative errno of what was refused */
	bool has_level; /* perf_event_paranoid could be read */
	int64_t level;
};

/* A command that would lift a limit, and what it gives. */
struct remedy {
	const char *command;
	const char *gain;
};

enum { PERF_REFUSAL_MAX_REMEDIES = 3, PERF_REFUSAL_TEXT_BYTES = 200 };

/*
 * What stands behind `code`, which perf_event_open gave for `pid` (-1: all
 * processes; 0: itself).  Finds out by calls that could do no harm if they
 * were let through.
 */
struct perf_refusal perf_refusal_find(int code, pid_t pid);

/* The same from what such calls gave: the judgement alone. */
struct perf_refusal_evidence {
	int code_of_nonsense; /* errno of unknown flags: EINVAL from a kernel */
	int code_of_itself;   /* 0, or errno of the most modest event on the caller */
	bool has_level;
	int64_t level;
};
struct perf_refusal perf_refusal_judge(int code, pid_t pid,
				       const struct perf_refusal_evidence *evidence);

/* A clause without a full stop; returns `text`. */
const char *perf_refusal_cause(char text[PERF_REFUSAL_TEXT_BYTES],
			       const struct perf_refusal *refusal);

/* Borrowed, static: the simplest first.  Returns how many. */
size_t perf_refusal_remedies(const struct remedy **ret_remedies,
			     const struct perf_refusal *refusal);

#endif
