/*
 * Profile files: as they are, and once more with the CRCs made good, because
 * no mutation would ever get past those.
 */
#include "fuzz.h"
#include "mark_tables.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc32.h"
#include "export/folded.h"
#include "export/quality_line.h"
#include "profile/profile_encode.h"
#include "profile/profile_reader.h"
#include "tree/calltree.h"
#include "tree/view.h"

/* By phase, scope and category, and between whatever milestones there are. */
static void look_at_marks(const struct profile *profile, struct buffer *out)
{
	static const char *const phases[] = { NULL, "loaded..ready", "..end", "0..ready#2" };
	struct calltree tree;

	for (unsigned int i = 0; i < 12; i++) {
		struct view view = VIEW_INIT;
		struct error err = ERROR_INIT;

		view.states = SAMPLE_STATES_ALL;
		view.by = VIEW_BY_PHASE + i % 3;
		view.with_scopes = i & 1;
		view.phase = phases[i / 3];
		view.in_scope = i % 4 == 3 ? "*" : NULL;
		if (view_resolve(&view, profile, &err) < 0) {
			if (!err.message[0] || strchr(err.message, '\n'))
				abort();
		} else if (calltree_build(&tree, profile, &view, &err) == 0) {
			if (view_duration_ns(&view, profile) > INT64_MAX)
				abort();
			folded_write(out, &tree, true);
			calltree_release(&tree);
		}
		view_release(&view);
	}
}

static void look_at(const uint8_t *data, size_t size)
{
	struct view view = VIEW_INIT;
	struct profile profile;
	struct calltree tree;
	struct buffer out = BUFFER_INIT;
	struct error err = ERROR_INIT;

	if (profile_read_bytes(&profile, data, size, "fuzz", &err) < 0) {
		if (!err.message[0] || strchr(err.message, '\n'))
			abort();
		return;
	}
	view.with_thread = true;
	for (int i = 0; i < 3; i++) {
		view.states = i ? SAMPLE_STATES_ALL : 0;
		view.by = i == 2 ? VIEW_BY_STATE : VIEW_BY_NONE;
		view.from_ns = i == 1 ? 1000 : 0;
		if (calltree_build(&tree, &profile, &view, &err) == 0) {
			folded_write(&out, &tree, true);
			calltree_release(&tree);
		}
	}
	look_at_marks(&profile, &out);
	mark_tables_write_all(&out, &profile);
	quality_line_write(&out, &profile);
	buffer_release(&out);
	profile_release(&profile);
}

static void reseal(char *bytes, size_t size)
{
	size_t at = PROFILE_HEADER_BYTES;
	uint32_t payload_bytes;
	uint32_t crc;

	if (size < PROFILE_HEADER_BYTES)
		return;
	memcpy(bytes, PROFILE_MAGIC, PROFILE_MAGIC_BYTES);
	crc = crc32_of(0, bytes, 12);
	memcpy(bytes + 12, &crc, sizeof(crc));
	while (size - at >= PROFILE_CHUNK_HEADER_BYTES) {
		memcpy(&payload_bytes, bytes + at + 4, sizeof(payload_bytes));
		at += PROFILE_CHUNK_HEADER_BYTES;
		if (payload_bytes > size - at)
			return;
		profile_encode_chunk_seal(bytes + at - PROFILE_CHUNK_HEADER_BYTES, payload_bytes);
		at += payload_bytes;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	look_at(data, size);
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	reseal(copy, size);
	look_at((const uint8_t *)copy, size);
	free(copy);
	return 0;
}
