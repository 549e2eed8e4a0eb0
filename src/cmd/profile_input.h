#ifndef TSPROF_CMD_PROFILE_INPUT_H
#define TSPROF_CMD_PROFILE_INPUT_H

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/command.h"
#include "model/profile.h"

/*
 * The -i of every command that reads: a profile file or folded text, recognised
 * by its beginning; "-" is standard input, NULL is profile.tsprof.
 */
int profile_input_read(struct app *app, struct profile *profile, const char *path,
		       struct error *err);

/* "4,985 samples at 997 Hz over 5.01 s, 0 lost, 99.9 % complete stacks, …": see docs. */
void profile_quality_line(struct buffer *out, const struct profile *profile);

#endif
