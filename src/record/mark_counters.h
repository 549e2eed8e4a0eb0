#ifndef TSPROF_RECORD_MARK_COUNTERS_H
#define TSPROF_RECORD_MARK_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

/*
 * The values of counters: all of them, or an even choice.  When a counter has
 * more than fit, every second one is left out and from then on only as many are
 * taken; its last value is always there.  They come into profile->marks.counters
 * at the end.
 */
enum {
	MARK_COUNTERS_MAX_VALUES = 1 << 20, /* of all counters together, nearly */
	MARK_COUNTERS_SITE_VALUES = 1 << 14,
	MARK_COUNTERS_SITE_MIN_VALUES = 64,
};

struct mark_counters {
	struct profile *profile; /* borrowed */
	struct site_counter {
		struct counter_value *values;
		size_t n_values, capacity;
		uint64_t n_seen;
		uint64_t stride; /* one in so many is taken; 0: none came so far */
		struct counter_value last;
	} * sites; /* by site id */
	size_t n_sites, sites_capacity;
	size_t n_used; /* sites that have values */
};

void mark_counters_init(struct mark_counters *counters, struct profile *profile);
void mark_counters_release(struct mark_counters *counters);

/* Both return 0 or -ENOMEM. */
int mark_counters_add(struct mark_counters *counters, const struct counter_value *value);
int mark_counters_finish(struct mark_counters *counters);

#endif
