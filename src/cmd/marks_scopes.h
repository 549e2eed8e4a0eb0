#ifndef TSPROF_CMD_MARKS_SCOPES_H
#define TSPROF_CMD_MARKS_SCOPES_H

#include <stdbool.h>

#include "cmd/marks_part.h"

/* The parts of --scopes, --tree and --hot, of --slowest, and of --errors. */
int marks_scopes_add(const struct marks_maker *maker);
int marks_scopes_add_slowest(const struct marks_maker *maker);
int marks_scopes_add_errors(const struct marks_maker *maker);

/* Is every call of every scope among those that were kept?  Of short runs all are. */
bool marks_scopes_have_all_calls(const struct marks *marks);

#endif
