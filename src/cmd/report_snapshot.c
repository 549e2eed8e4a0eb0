/* One snapshot, byte by byte: what the program handed over is anything at all. */
#include "cmd/report_snapshot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/escape.h"
#include "base/output_file.h"
#include "base/units.h"

static const char *snapshot_name(const struct marks *marks, const struct interner *strings,
				 size_t at)
{
	const uint32_t site = marks->snapshots[at].site;

	return interner_get(strings, site < marks->n_sites ? marks->sites[site].name : 0);
}

/* The last one in time. */
static const struct snapshot *find_by_name(const struct profile *profile, const char *name)
{
	const struct marks *marks = &profile->marks;
	const struct snapshot *last = NULL;

	for (size_t i = 0; i < marks->n_snapshots; i++)
		if (strcmp(snapshot_name(marks, &profile->strings, i), name) == 0 &&
		    (!last || marks->snapshots[i].time_ns >= last->time_ns))
			last = &marks->snapshots[i];
	return last;
}

static const struct snapshot *find_by_id(const struct marks *marks, const char *text)
{
	uint64_t id;

	if (text[strspn(text, "0123456789")] || units_parse_count(&id, text, NULL) < 0)
		return NULL;
	return id && id <= marks->n_snapshots ? &marks->snapshots[id - 1] : NULL;
}

static int find_snapshot(const struct snapshot **ret_snapshot, const struct profile *profile,
			 const char *which, struct error *err)
{
	const struct marks *marks = &profile->marks;

	*ret_snapshot = find_by_id(marks, which);
	if (!*ret_snapshot)
		*ret_snapshot = find_by_name(profile, which);
	if (!*ret_snapshot && !marks->n_snapshots)
		return error_set(err, -ENODATA,
				 "no snapshot was taken (TSPROF_SNAPSHOT in the program takes one; "
				 "see docs/marks.md)");
	if (!*ret_snapshot)
		return error_set(err, -EINVAL,
				 "there is no snapshot '%s'; ids go from 1 to %zu (report "
				 "--snapshots lists them)",
				 which, marks->n_snapshots);
	if ((*ret_snapshot)->bytes_offset > marks->n_bytes ||
	    (*ret_snapshot)->size_bytes > marks->n_bytes - (*ret_snapshot)->bytes_offset)
		return error_set(err, -EINVAL,
				 "the profile does not hold the bytes of snapshot '%s'", which);
	return 0;
}

/* Lines, tabs and all that can be printed. */
static void add_safe_text(struct buffer *out, const char *text, size_t size)
{
	struct buffer piece = BUFFER_INIT;

	for (size_t i = 0; i < size;) {
		const size_t start = i;

		while (i < size && text[i] && text[i] != '\n' && text[i] != '\t')
			i++;
		buffer_clear(&piece);
		buffer_add(&piece, text + start, i - start);
		escape_terminal(out, buffer_string(&piece));
		if (i < size && !text[i])
			utf8_add(out, 0xfffd);
		else if (i < size)
			buffer_add_char(out, text[i]);
		i++;
	}
	if (size && text[size - 1] != '\n')
		buffer_add_char(out, '\n');
	out->is_failed |= piece.is_failed;
	buffer_release(&piece);
}

static int write_file(const char *path, const void *bytes, size_t size, struct error *err)
{
	struct output_file file = OUTPUT_FILE_INIT;
	int r = output_file_open(&file, path, 0666, err);

	if (r < 0)
		return r;
	r = output_file_write(&file, bytes, size, err);
	if (r == 0)
		return output_file_commit(&file, err);
	output_file_discard(&file);
	return r;
}

static int write_terminal(struct app *app, const struct snapshot *snapshot, const char *bytes,
			  struct error *err)
{
	struct buffer safe = BUFFER_INIT;
	char size[UNITS_TEXT_BYTES];
	int r;

	if (!snapshot->is_text)
		return error_set(
			err, -EINVAL,
			"the snapshot is %s of bytes, which may spoil a terminal (redirect "
			"it, name a file with -o, or insist with --force)",
			units_bytes(size, snapshot->size_bytes));
	add_safe_text(&safe, bytes, snapshot->size_bytes);
	r = safe.is_failed ? error_set_no_memory(err)
			   : app_write(app, buffer_string(&safe), safe.size, err);
	buffer_release(&safe);
	return r;
}

int report_snapshot_write(struct app *app, const struct profile *profile, const char *which,
			  const char *path, bool is_forced, struct error *err)
{
	const struct snapshot *snapshot;
	const char *bytes;
	int r = find_snapshot(&snapshot, profile, which, err);

	if (r < 0)
		return r;
	bytes = (const char *)profile->marks.bytes + snapshot->bytes_offset;
	if (path)
		return write_file(path, bytes, snapshot->size_bytes, err);
	if (isatty(fileno(app->out)) && !is_forced)
		return write_terminal(app, snapshot, bytes, err);
	return app_write(app, bytes, snapshot->size_bytes, err);
}
