#ifndef TSPROF_OS_SAMPLER_H
#define TSPROF_OS_SAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/sampler_options.h"
#include "os/sampler_record.h"

/*
 * Everything an engine has to say about a command or running processes, their
 * threads and the children that they start, in the order in which it happened.
 *
 *	open → environment for the child → watch its pid → the child execs
 *	or: open → attach → what /proc tells is read → resume
 *	sampler_begin(sampler, false);
 *	while (sampler_next(sampler, &record))
 *		…
 *	sampler_stop, a last batch with is_final, close
 *
 * One thread only.  struct sampler is the first member of an engine's own struct.
 */
struct sampler {
	const struct sampler_engine *engine;
	struct sampler_facts facts;
};

struct sampler_engine {
	const char *name; /* as in --engine */
	bool has_probes;  /* it can tell when threads come by a probe */
	/* Would it work here, for this user and with these options?  0, or a negative errno with
	 * the reason: -EACCES, -EPERM or -ENOSYS when this engine is not permitted, so that
	 * another may be, anything else when no other would do better. */
	int (*probe)(const struct sampler_options *options, struct error *err);
	int (*open)(struct sampler **ret_sampler, const struct sampler_options *options,
		    struct error *err);
	/* "NAME=VALUE" for the child's environment, ended by NULL; borrowed, NULL for none. */
	char *const *(*environment)(const struct sampler *sampler);
	/* `pid` has not yet execed; sampling starts when it does, unless it is paused. */
	int (*watch)(struct sampler *sampler, pid_t pid, struct error *err);
	/* All threads of processes; no pids: the whole system.  NULL: only from their start on. */
	int (*attach)(struct sampler *sampler, const pid_t *pids, size_t n_pids, struct error *err);
	/* Stop taking samples and go on; all else is still told.  NULL: the caller drops them. */
	void (*pause)(struct sampler *sampler);
	void (*resume)(struct sampler *sampler);
	/* Readable when there is something to take; to be polled together with others. */
	int (*fd)(const struct sampler *sampler);
	/* The command was executed, this moment.  May be NULL. */
	void (*started)(struct sampler *sampler, pid_t pid);
	/* Whether there are only samples, which can wait to be more.  May be NULL. */
	bool (*can_wait)(const struct sampler *sampler);
	/* Whether a sample that should not wait is still within SAMPLER_LAG_NS.  May be NULL. */
	bool (*is_hurried)(const struct sampler *sampler);
	void (*begin)(struct sampler *sampler, bool is_final);
	bool (*next)(struct sampler *sampler, struct sampler_record *record);
	/* The last sample's stack was walked, and so much of it needed.  May be NULL. */
	void (*walked)(struct sampler *sampler, bool is_complete, uint64_t needed_bytes);
	void (*stop)(struct sampler *sampler);
	uint64_t (*counted_ns)(const struct sampler *sampler);
	uint64_t (*n_lost)(const struct sampler *sampler);
	/* What limits the result, one line to be freed; NULL: nothing.  May be NULL itself. */
	char *(*remark)(const struct sampler *sampler);
	void (*close)(struct sampler *sampler);
};

extern const struct sampler_engine sampler_engine_perf;
extern const struct sampler_engine sampler_engine_sigprof;

static inline int sampler_open(const struct sampler_engine *engine, struct sampler **ret_sampler,
			       const struct sampler_options *options, struct error *err)
{
	return engine->open(ret_sampler, options, err);
}

static inline char *const *sampler_environment(const struct sampler *sampler)
{
	return sampler->engine->environment ? sampler->engine->environment(sampler) : NULL;
}

static inline int sampler_watch(struct sampler *sampler, pid_t pid, struct error *err)
{
	return sampler->engine->watch(sampler, pid, err);
}

static inline int sampler_attach(struct sampler *sampler, const pid_t *pids, size_t n_pids,
				 struct error *err)
{
	return sampler->engine->attach(sampler, pids, n_pids, err);
}

static inline void sampler_pause(struct sampler *sampler)
{
	if (sampler->engine->pause)
		sampler->engine->pause(sampler);
}

static inline void sampler_resume(struct sampler *sampler)
{
	if (sampler->engine->resume)
		sampler->engine->resume(sampler);
}

static inline int sampler_fd(const struct sampler *sampler)
{
	return sampler->engine->fd(sampler);
}

/* See what there is; `is_final` leaves out the lag: there will be no more. */
static inline void sampler_begin(struct sampler *sampler, bool is_final)
{
	sampler->engine->begin(sampler, is_final);
}

/* False at the end of the batch.  What `record` points to is valid until the next call. */
static inline bool sampler_next(struct sampler *sampler, struct sampler_record *record)
{
	return sampler->engine->next(sampler, record);
}

/* Stop sampling, so that a last batch is the last. */
static inline void sampler_stop(struct sampler *sampler)
{
	sampler->engine->stop(sampler);
}

/* CPU time of the target so far, sampled or not; 0 when it is not known. */
static inline uint64_t sampler_counted_ns(const struct sampler *sampler)
{
	return sampler->engine->counted_ns(sampler);
}

/* Samples that there was no room for, so far. */
static inline uint64_t sampler_n_lost(const struct sampler *sampler)
{
	return sampler->engine->n_lost(sampler);
}

static inline void sampler_close(struct sampler *sampler)
{
	if (sampler)
		sampler->engine->close(sampler);
}

#endif
