/* Which engine: what the user named, or the best that is permitted here. */
#include "os/sampler_choice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct sampler_engine *const sampler_engines[] = {
	&sampler_engine_perf,
	&sampler_engine_sigprof,
	NULL,
};

static bool is_not_permitted(int code)
{
	return code == -EACCES || code == -EPERM || code == -ENOSYS;
}

/* Engines that can only launch are no choice for what runs already. */
static bool is_able(const struct sampler_engine *engine, const struct sampler_options *options)
{
	return (engine->attach || !options->is_attaching) &&
	       (engine->has_probes || !options->n_probes);
}

static int choose_named(struct sampler_choice *choice, const char *name,
			const struct sampler_options *options, struct error *err)
{
	for (size_t i = 0; sampler_engines[i]; i++) {
		const struct sampler_engine *engine = sampler_engines[i];
		int r = 0;

		if (strcmp(engine->name, name) != 0)
			continue;
		if (options->n_probes && !engine->has_probes)
			return error_set(err, -EINVAL,
					 "the engine %s has no probes in functions (leave out "
					 "--mark-function and --trace-function, or use --engine "
					 "perf)",
					 name);
		if (!is_able(engine, options))
			return error_set(err, -EINVAL,
					 "the engine %s cannot attach to running processes", name);
		if (engine->probe)
			r = engine->probe(options, err);
		if (r < 0)
			return r;
		choice->engine = engine;
		(void)snprintf(choice->reason, sizeof(choice->reason), "asked for with --engine %s",
			       name);
		return 0;
	}
	return error_set(err, -EINVAL, "this tsprof was built without the engine %s", name);
}

static int choose(struct sampler_choice *ret_choice, const char *name,
		  const struct sampler_options *options, struct error *err)
{
	struct error first = ERROR_INIT;
	struct error cause = ERROR_INIT;

	*ret_choice = (struct sampler_choice){ .event = options->event };
	if (strcmp(name, "auto") != 0)
		return choose_named(ret_choice, name, options, err);
	for (size_t i = 0; sampler_engines[i]; i++) {
		const struct sampler_engine *engine = sampler_engines[i];
		int r = 0;

		if (!is_able(engine, options))
			continue;
		if (engine->probe)
			r = engine->probe(options, &cause);
		if (r == 0) {
			ret_choice->engine = engine;
			ret_choice->is_fallback = first.code < 0;
			(void)snprintf(ret_choice->reason, sizeof(ret_choice->reason), "%s",
				       first.code < 0 ? first.message
						      : "the first choice, and permitted");
			return 0;
		}
		if (first.code == 0)
			first = cause;
		if (!is_not_permitted(r))
			break;
	}
	return error_set(err, first.code, "%s", first.message);
}

/*
 * What processors count is not there in most virtual machines, may be in use or
 * forbidden; time passes everywhere.
 */
static int choose_by_time(struct sampler_choice *ret_choice, const char *name,
			  const struct sampler_options *options, const struct error *cause)
{
	struct sampler_options by_time = *options;
	int r;

	by_time.event = &perf_event_kinds[0];
	r = choose(ret_choice, name, &by_time, NULL);
	if (r < 0)
		return r;
	ret_choice->is_fallback = true;
	(void)snprintf(ret_choice->reason, sizeof(ret_choice->reason), "%s", cause->message);
	return 0;
}

int sampler_choose(struct sampler_choice *ret_choice, const char *name,
		   const struct sampler_options *options, struct error *err)
{
	struct error cause = ERROR_INIT;
	int r = choose(ret_choice, name, options, &cause);

	if (r == 0)
		return 0;
	if (!options->event->is_time && !options->is_event_required &&
	    choose_by_time(ret_choice, name, options, &cause) == 0)
		return 0;
	return error_set(err, r, "%s%s", cause.message,
			 perf_event_is_missing(r) ? " (use --event cpu-clock)" : "");
}
