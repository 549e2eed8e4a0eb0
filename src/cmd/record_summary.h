#ifndef TSPROF_CMD_RECORD_SUMMARY_H
#define TSPROF_CMD_RECORD_SUMMARY_H

#include "base/error.h"
#include "cmd/command.h"
#include "model/profile.h"
#include "record/recorder.h"

/* What tsprof record says at its end. */
void record_summary_show(struct app *app, const struct profile *profile,
			 const struct recorder_result *result, const char *path);

/* What --strict asks for: -EIO, saying what was lost, or which stacks are cut. */
int record_summary_check(const struct profile *profile, const struct recorder_result *result,
			 struct error *err);

#endif
