#ifndef TSPROF_RECORD_MACHINE_CHECKS_H
#define TSPROF_RECORD_MACHINE_CHECKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/machine_probes.h"
#include "os/machine_settings.h"

/*
 * What the facts of a machine mean for tsprof: for each thing that it can do
 * whether it can do it here, why, and the commands that would change that.  A
 * pure function of its arguments.
 */
enum machine_verdict {
	MACHINE_YES,
	MACHINE_PARTLY,
	MACHINE_NO,
};

enum {
	MACHINE_MAX_CHECKS = 16,
	MACHINE_MAX_REMEDIES = 4,
	MACHINE_WHY_BYTES = 300,
	MACHINE_COMMAND_BYTES = 160,
};

/* One line for a shell, or for the configuration of a container, and what it gives. */
struct machine_remedy {
	char command[MACHINE_COMMAND_BYTES];
	char gain[MACHINE_COMMAND_BYTES];
	uint64_t capabilities; /* what the command gives, bit n for number n; 0: none of these */
};

struct machine_check {
	const char *key;  /* "kernel_time", for programs */
	const char *name; /* "kernel time", for people */
	enum machine_verdict verdict;
	char why[MACHINE_WHY_BYTES]; /* a clause without a full stop */
	struct machine_remedy remedies[MACHINE_MAX_REMEDIES];
	size_t n_remedies;
};

struct machine_checks {
	const char *engine; /* the one `record` would take; NULL: it cannot work */
	char reason[MACHINE_WHY_BYTES];
	char all_capabilities[MACHINE_COMMAND_BYTES]; /* a command for all checks; "": none */
	struct machine_check items[MACHINE_MAX_CHECKS];
	size_t n_items;
};

/* The rate that `record` asks for unless it is told another. */
#define MACHINE_USUAL_RATE_HZ UINT64_C(997)

void machine_checks_make(struct machine_checks *checks, const struct machine_settings *settings,
			 const struct machine_probes *probes);

#endif
