/* Folded text; what was accepted and written again must be accepted whole, and stay as it is. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "export/folded.h"
#include "tree/calltree.h"
#include "tree/view.h"

/* Returns the number of bad lines, or -1 when nothing could be read. */
static int64_t fold(struct buffer *out, const uint8_t *data, size_t size)
{
	const struct view view = VIEW_INIT;
	struct profile profile;
	struct calltree tree;
	struct error err = ERROR_INIT;
	uint64_t n_bad, first_bad;

	if (folded_read(&profile, data, size, "fuzz", &n_bad, &first_bad, &err) < 0) {
		if (!err.message[0] || strchr(err.message, '\n'))
			abort();
		return -1;
	}
	if (calltree_build(&tree, &profile, &view, &err) == 0) {
		folded_write(out, &tree, false);
		calltree_release(&tree);
	}
	profile_release(&profile);
	return (int64_t)n_bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buffer once = BUFFER_INIT;
	struct buffer twice = BUFFER_INIT;

	if (fold(&once, data, size) >= 0) {
		if (fold(&twice, (const uint8_t *)buffer_string(&once), once.size) != 0 ||
		    once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0)
			abort();
	}
	buffer_release(&once);
	buffer_release(&twice);
	return 0;
}
