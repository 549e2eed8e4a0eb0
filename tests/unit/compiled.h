#ifndef TSPROF_TESTS_UNIT_COMPILED_H
#define TSPROF_TESTS_UNIT_COMPILED_H

/*
 * Small programs compiled while a test runs, in a directory of their own that
 * goes away with it.  Commands run in that directory.
 */
#include "unit.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "symbol/elf_image.h"

struct compiled {
	char directory[64];
	char path[128];
};

/* True when the shell command succeeds in the directory. */
__attribute__((format(printf, 2, 3))) static inline bool
compiled_run(const struct compiled *compiled, const char *format, ...)
{
	char command[2048];
	char whole[2304];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	(void)snprintf(whole, sizeof(whole), "cd %s && { %s; } >/dev/null 2>&1",
		       compiled->directory, command);
	return system(whole) == 0;
}

/*
 * Write `source` to NAME in a new directory; false when `command` then cannot
 * make "program" from it, as where a compiler is missing.
 */
static inline bool compiled_init(struct compiled *compiled, const char *name, const char *source,
				 const char *command)
{
	FILE *file;

	(void)snprintf(compiled->directory, sizeof(compiled->directory), "/tmp/tsprof-test-XXXXXX");
	assert_non_null(mkdtemp(compiled->directory));
	(void)snprintf(compiled->path, sizeof(compiled->path), "%s/%s", compiled->directory, name);
	file = fopen(compiled->path, "w");
	assert_non_null(file);
	assert_true(fputs(source, file) >= 0);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(compiled->path, sizeof(compiled->path), "%s/program", compiled->directory);
	return compiled_run(compiled, "%s", command) && access(compiled->path, R_OK) == 0;
}

static inline void compiled_release(const struct compiled *compiled)
{
	assert_true(compiled_run(compiled, "rm -rf %s", compiled->directory));
}

#endif
