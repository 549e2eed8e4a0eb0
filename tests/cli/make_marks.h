#ifndef TSPROF_TESTS_CLI_MAKE_MARKS_H
#define TSPROF_TESTS_CLI_MAKE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/units.h"
#include "model/profile.h"

#define START_NS (100 * NS_PER_S)

/* Ends the program with a message unless all is well. */
void need(bool is_good, const char *what);

uint32_t text_id(struct profile *profile, const char *text);

/* "PROCESS/PID" and "THREAD/TID", which are cut up. */
uint32_t thread_of(struct profile *profile, char *process, char *name);

/* The node of "OUTER/INNER", its sites made where they are not there. */
uint32_t scope_of(struct profile *profile, char *path);

/* A line that starts with '!'. */
void take_mark(struct profile *profile, char *line);

#endif
