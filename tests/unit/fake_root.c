/* Files below a temporary directory, by the names that they have on a machine. */
#include "fake_root.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

void fake_root_make(struct fake_root *root)
{
	(void)snprintf(root->path, sizeof(root->path), "/tmp/tsprof-root-XXXXXX");
	assert_non_null(mkdtemp(root->path));
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
	(void)status;
	(void)kind;
	(void)place;
	return remove(path);
}

void fake_root_remove(const struct fake_root *root)
{
	assert_int_equal(nftw(root->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void full_path(char path[PATH_MAX], const struct fake_root *root, const char *name)
{
	const int n_written = snprintf(path, PATH_MAX, "%s%s", root->path, name);

	assert_in_range(n_written, 1, PATH_MAX - 1);
	for (char *slash = strchr(path + strlen(root->path) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
}

void fake_root_add(const struct fake_root *root, const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	full_path(path, root, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

void fake_root_add_text(const struct fake_root *root, const char *name, const char *text)
{
	fake_root_add(root, name, text, strlen(text));
}

void fake_root_add_link(const struct fake_root *root, const char *name, const char *target)
{
	char path[PATH_MAX];

	full_path(path, root, name);
	assert_int_equal(symlink(target, path), 0);
}
