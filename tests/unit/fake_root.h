#ifndef TSPROF_TESTS_UNIT_FAKE_ROOT_H
#define TSPROF_TESTS_UNIT_FAKE_ROOT_H

#include <stddef.h>

/* A directory to look into instead of "/", removed at the end of a test. */
struct fake_root {
	char path[64];
};

void fake_root_make(struct fake_root *root);
void fake_root_remove(const struct fake_root *root);

/* `name` starts with "/"; directories on the way are made. */
void fake_root_add(const struct fake_root *root, const char *name, const void *data, size_t size);
void fake_root_add_text(const struct fake_root *root, const char *name, const char *text);
void fake_root_add_link(const struct fake_root *root, const char *name, const char *target);

#endif
