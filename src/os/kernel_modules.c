/* "ext4 1130496 2 - Live 0xffffffffc0a1b000": name, size, users, by whom, state, address. */
#include "os/kernel_modules.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/array.h"

enum { LINE_MAX_BYTES = 4096 };

static bool parse_line(struct kernel_module *module, const char *line)
{
	char name[KERNEL_MODULE_NAME_BYTES - 2];
	uint64_t size_bytes;

	if (sscanf(line, "%61s %" SCNu64 " %*s %*s %*s %" SCNx64, name, &size_bytes,
		   &module->start) != 3)
		return false;
	if (!module->start || !size_bytes || module->start + size_bytes < module->start)
		return false;
	module->end = module->start + size_bytes;
	(void)snprintf(module->name, sizeof(module->name), "[%s]", name);
	return true;
}

static int compare_starts(const void *a, const void *b)
{
	const struct kernel_module *left = a;
	const struct kernel_module *right = b;

	return (left->start > right->start) - (left->start < right->start);
}

int kernel_modules_load(struct kernel_modules *modules, const char *path)
{
	char line[LINE_MAX_BYTES];
	FILE *file = fopen(path, "re");
	int r = 0;

	*modules = (struct kernel_modules){ 0 };
	while (file && r == 0 && modules->n_modules < KERNEL_MODULES_MAX &&
	       fgets(line, sizeof(line), file)) {
		struct kernel_module module;
		struct kernel_module *grown;

		if (!parse_line(&module, line))
			continue;
		grown = array_grown(modules->modules, &modules->capacity, modules->n_modules + 1,
				    sizeof(*grown));
		if (!grown) {
			r = -ENOMEM;
			break;
		}
		modules->modules = grown;
		grown[modules->n_modules++] = module;
	}
	if (file)
		(void)fclose(file);
	if (r < 0)
		kernel_modules_release(modules);
	else if (modules->n_modules)
		qsort(modules->modules, modules->n_modules, sizeof(*modules->modules),
		      compare_starts);
	return r;
}

void kernel_modules_release(struct kernel_modules *modules)
{
	free(modules->modules);
	*modules = (struct kernel_modules){ 0 };
}

const struct kernel_module *kernel_modules_find(const struct kernel_modules *modules, uint64_t ip)
{
	size_t low = 0;
	size_t high = modules->n_modules;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (modules->modules[middle].start <= ip)
			low = middle + 1;
		else
			high = middle;
	}
	return low && ip < modules->modules[low - 1].end ? &modules->modules[low - 1] : NULL;
}
