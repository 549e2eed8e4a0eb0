#ifndef TSPROF_CMD_RECORD_PROBES_H
#define TSPROF_CMD_RECORD_PROBES_H

#include <stdbool.h>

#include "cmd/command.h"
#include "record/probe_plan.h"

/*
 * Finds the functions that are to be marked and traced, before anything runs, and says
 * what is to be said of them.  An exit status; the plan is to be released in any case.
 */
int record_probes_plan(struct app *app, struct probe_plan *plan,
		       const struct probe_request *request, bool is_quiet);

#endif
