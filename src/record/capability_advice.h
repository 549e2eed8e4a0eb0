#ifndef TSPROF_RECORD_CAPABILITY_ADVICE_H
#define TSPROF_RECORD_CAPABILITY_ADVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/machine_settings.h"

/*
 * How somebody in this situation gets capabilities: with setcap on the program,
 * with the options of a container that was started without them, or not at all
 * in a user namespace.
 */

/* Those that tsprof has a use for, ended by a NULL name. */
struct capability_name {
	unsigned int number;
	const char *name; /* "PERFMON" */
};

extern const struct capability_name capability_names[];

/* The capabilities that a setcap command names; 0 when it is none. */
uint64_t capability_advice_mask(const char *command);

/*
 * The command that gives `mask`, and for an ordinary user keeps what the program
 * has already: setcap replaces what an earlier one gave.  False, and "", when
 * there is none.
 */
bool capability_advice_command(char *command, size_t size, uint64_t mask,
			       const struct machine_settings *settings, bool is_root);

#endif
