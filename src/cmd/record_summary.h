#ifndef TSPROF_CMD_RECORD_SUMMARY_H
#define TSPROF_CMD_RECORD_SUMMARY_H

#include <stdbool.h>

#include "cmd/command.h"
#include "model/profile.h"
#include "record/recorder.h"

/* What tsprof record says at its end. */
void record_summary_show(struct app *app, const struct profile *profile,
			 const struct recorder_result *result, const char *path);

/* Nothing was lost, no stack is cut: what --strict asks for. */
bool record_summary_is_flawless(const struct quality *quality);

#endif
