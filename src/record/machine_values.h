#ifndef TSPROF_RECORD_MACHINE_VALUES_H
#define TSPROF_RECORD_MACHINE_VALUES_H

#include <stddef.h>

#include "os/machine_probes.h"
#include "os/machine_settings.h"

/* The settings of a machine as texts, each with what it means for this process. */
enum { MACHINE_MAX_VALUES = 20, MACHINE_VALUE_BYTES = 200 };

struct machine_value {
	const char *key;  /* "perf_event_paranoid", for programs */
	const char *name; /* "perf_event_paranoid", for people */
	char value[MACHINE_VALUE_BYTES];
	char meaning[MACHINE_VALUE_BYTES]; /* a clause; may be empty */
};

struct machine_values {
	struct machine_value items[MACHINE_MAX_VALUES];
	size_t n_items;
};

void machine_values_make(struct machine_values *values, const struct machine_settings *settings,
			 const struct machine_probes *probes);

#endif
