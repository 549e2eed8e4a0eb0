#ifndef TSPROF_OS_SAMPLER_H
#define TSPROF_OS_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/perf_event.h"
#include "os/sampler_record.h"

/*
 * Everything an engine has to say about a command, its threads and its
 * children, in the order in which it happened.
 *
 *	open → environment for the child → watch its pid → the child execs
 *	sampler_begin(sampler, false);
 *	while (sampler_next(sampler, &record))
 *		…
 *	sampler_stop, a last batch with is_final, close
 *
 * One thread only.
 */
struct sampler_options {
	const struct perf_event_kind *event;
	uint64_t rate_hz;
	uint64_t stack_bytes; /* of each dump, at most; 0: as much as fits */
};

/* What the engine got; valid once the target is watched. */
struct sampler_facts {
	bool has_kernel;      /* samples in the kernel, with their kernel stacks */
	uint64_t period_ns;   /* 0 when the event does not count time */
	uint64_t stack_bytes; /* of each dump */
	uint64_t ring_bytes;  /* for each CPU, or thread */
	uint32_t n_cpus;      /* online */
};

/* The first member of an engine's own struct. */
struct sampler {
	const struct sampler_engine *engine;
	struct sampler_facts facts;
};

struct sampler_engine {
	const char *name; /* as in --engine */
	int (*open)(struct sampler **ret_sampler, const struct sampler_options *options,
		    struct error *err);
	/* "NAME=VALUE" for the child's environment, ended by NULL; borrowed, NULL for none. */
	char *const *(*environment)(const struct sampler *sampler);
	/* `pid` has not yet execed; sampling starts when it does. */
	int (*watch)(struct sampler *sampler, pid_t pid, struct error *err);
	/* Readable when there is something to take; to be polled together with others. */
	int (*fd)(const struct sampler *sampler);
	void (*begin)(struct sampler *sampler, bool is_final);
	bool (*next)(struct sampler *sampler, struct sampler_record *record);
	void (*stop)(struct sampler *sampler);
	uint64_t (*counted_ns)(const struct sampler *sampler);
	uint64_t (*n_lost)(const struct sampler *sampler);
	void (*close)(struct sampler *sampler);
};

extern const struct sampler_engine sampler_engine_perf;

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
