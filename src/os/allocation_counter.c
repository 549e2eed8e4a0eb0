/* A static program ignores it, and then nobody knows what it allocates. */
#include "os/allocation_counter.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/sigprof_launch.h"

#define LIBRARY_NAME "libtsprof-alloc.so"
#define VARIABLE "LD_PRELOAD"

/* Beside the other one. */
static int find(char ret_path[PATH_MAX], struct error *err)
{
	int r = sigprof_library_find(ret_path, err);
	char *slash;

	if (r < 0)
		return r;
	slash = strrchr(ret_path, '/');
	if (!slash || (size_t)(slash + 1 - ret_path) + sizeof(LIBRARY_NAME) > PATH_MAX)
		return error_set(err, -ENOENT, "%s: no folder", ret_path);
	memcpy(slash + 1, LIBRARY_NAME, sizeof(LIBRARY_NAME));
	if (access(ret_path, R_OK) < 0)
		return error_set(err, -ENOENT, "no library at %s (install tsprof)", ret_path);
	if (strpbrk(ret_path, " :"))
		return error_set(err, -EINVAL,
				 "%s: " VARIABLE " cannot hold a path with blanks or colons",
				 ret_path);
	return 0;
}

int allocation_counter_preload(struct error *err)
{
	const char *before = getenv(VARIABLE);
	char path[PATH_MAX];
	char *value;
	int r = find(path, err);

	if (r < 0)
		return r;
	if (asprintf(&value, "%s%s%s", before ? before : "", before && *before ? ":" : "", path) <
	    0)
		return error_set_no_memory(err);
	if (setenv(VARIABLE, value, 1) < 0)
		r = error_set_no_memory(err);
	free(value);
	return r;
}
