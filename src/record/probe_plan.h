#ifndef TSPROF_RECORD_PROBE_PLAN_H
#define TSPROF_RECORD_PROBE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"
#include "os/trace_events.h"
#include "record/probe_spec.h"

/*
 * Which functions are to be marked or traced, where they are, and what the
 * kernel is to be asked for.  Made before anything runs: a function that is not
 * there is an error, with what may have been meant.
 */
struct probe_request {
	const char *const *marks; /* as with --mark-function */
	size_t n_marks;
	const char *const *traces; /* as with --trace-function */
	size_t n_traces;
	const char *command; /* to be launched; NULL: */
	pid_t pid;	     /* … what runs already; 0: everything */
};

/* A function that is marked or traced. */
struct probe {
	const struct probe_spec *spec; /* of the plan */
	char *name;		       /* demangled, without parameters unless they tell it apart */
	char *module;		       /* the last component of its file's path */
	bool is_stepped;	       /* each hit takes long; see symbol/probe_spot.h */
	bool has_arguments;	       /* they are fetched */
};

struct probe_plan {
	struct probe_spec *specs;
	size_t n_specs;
	struct probe *probes;
	size_t n_probes, probes_capacity;
	struct probe_point *points; /* what the kernel is asked for … */
	size_t n_points, points_capacity;
	uint32_t *owners; /* … and by point, index of the probe */
	size_t owners_capacity;
	struct buffer remarks; /* lines for the user */
};

/* An empty plan when nothing is asked for. */
int probe_plan_make(struct probe_plan *plan, const struct probe_request *request,
		    struct error *err);
void probe_plan_release(struct probe_plan *plan);

/* Is that, demangled, its function's name, by what its own says? */
bool probe_is_of(const struct probe *probe, const char *function);

enum { PROBE_PLAN_MAX_FUNCTIONS = TRACE_EVENTS_MAX / 2 };

#endif
