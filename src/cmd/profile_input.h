#ifndef TSPROF_CMD_PROFILE_INPUT_H
#define TSPROF_CMD_PROFILE_INPUT_H

#include "base/buffer.h"
#include "base/error.h"
#include "cmd/command.h"
#include "model/profile.h"

/*
 * The -i of every command that reads: a profile file or folded text, recognised
 * by its beginning; "-" is standard input, NULL is profile.tsprof.  Initialises
 * `profile` and releases it on failure.  Says on app->messages when the file was
 * cut or has lines that are not folded stacks.
 */
int profile_input_read(struct app *app, struct profile *profile, const char *path,
		       struct error *err);

/*
 * Read that file, have `show` look at it, and return the exit status; what
 * failed is said.  `options` are those of `show`.
 */
int profile_input_show(struct app *app, const char *path,
		       int (*show)(struct app *app, const void *options,
				   const struct profile *profile, struct error *err),
		       const void *options);

/* The line of export/quality_line.h. */
void profile_quality_line(struct buffer *out, const struct profile *profile);

#endif
