/* One way in for everything that can be looked at. */
#include "cmd/profile_input.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/mapped_file.h"
#include "base/units.h"
#include "export/folded.h"
#include "export/quality_line.h"
#include "profile/profile_reader.h"

#define PROFILE_INPUT_USUAL "profile.tsprof"

static int profile_input_open(struct mapped_file *file, const char *path, const char *name,
			      struct error *err)
{
	int r;

	if (path && strcmp(path, "-") == 0)
		return mapped_file_open_fd(file, STDIN_FILENO, name, err);
	r = mapped_file_open(file, name, err);
	if (r == -ENOENT && !path)
		return error_set(err, r,
				 "%s: not found (run 'tsprof record COMMAND' first, or name a "
				 "file with -i)",
				 name);
	return r;
}

static int profile_input_read_folded(struct app *app, struct profile *profile,
				     const struct mapped_file *file, const char *name,
				     struct error *err)
{
	uint64_t n_bad, first_bad;
	char count[UNITS_TEXT_BYTES];
	const int r = folded_read(profile, file->bytes, file->size_bytes, name, &n_bad, &first_bad,
				  err);

	if (r == -EINVAL)
		return error_set(err, r, "%s: is neither a profile file nor folded stacks", name);
	if (r < 0 || !n_bad)
		return r;
	app_say(app,
		"%s: %s %s not of the form 'frame;frame COUNT' and ignored (the first is line "
		"%" PRIu64 ")",
		name, units_count(count, n_bad), n_bad == 1 ? "line is" : "lines are", first_bad);
	return 0;
}

int profile_input_read(struct app *app, struct profile *profile, const char *path,
		       struct error *err)
{
	const bool is_stdin = path && strcmp(path, "-") == 0;
	const char *name = is_stdin ? "standard input" : path ? path : PROFILE_INPUT_USUAL;
	struct mapped_file file = MAPPED_FILE_INIT;
	int r = profile_input_open(&file, path, name, err);

	if (r < 0)
		return r;
	if (file.size_bytes == 0)
		r = error_set(err, -EINVAL, "%s: is empty", name);
	else if (profile_is_profile(file.bytes, file.size_bytes))
		r = profile_read_bytes(profile, file.bytes, file.size_bytes, name, err);
	else
		r = profile_input_read_folded(app, profile, &file, name, err);
	mapped_file_release(&file);
	if (r == 0 && profile->info.is_cut && profile->n_runs < 2)
		app_say(app, "%s: was cut; what was recorded until then is shown", name);
	return r;
}

int profile_input_show(struct app *app, const char *path,
		       int (*show)(struct app *app, const void *options,
				   const struct profile *profile, struct error *err),
		       const void *options)
{
	struct error err = ERROR_INIT;
	struct profile profile;
	int r = profile_input_read(app, &profile, path, &err);

	if (r == 0) {
		r = show(app, options, &profile, &err);
		profile_release(&profile);
	}
	return r < 0 ? app_fail(app, EXIT_FAILED, &err) : EXIT_OK;
}

void profile_quality_line(struct buffer *out, const struct profile *profile)
{
	quality_line_write(out, profile);
}
