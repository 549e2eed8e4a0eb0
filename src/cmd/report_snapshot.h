#ifndef TSPROF_CMD_REPORT_SNAPSHOT_H
#define TSPROF_CMD_REPORT_SNAPSHOT_H

#include <stdbool.h>

#include "base/error.h"
#include "cmd/command.h"
#include "model/profile.h"

/*
 * The snapshot with that number in `report --snapshots`, or the last one of
 * that name, as it is: to `path`, or to standard output when that is NULL.  On a
 * terminal text is made safe, and bytes are refused unless `is_forced`.
 */
int report_snapshot_write(struct app *app, const struct profile *profile, const char *which,
			  const char *path, bool is_forced, struct error *err);

#endif
