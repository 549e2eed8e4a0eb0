#ifndef TSPROF_OS_KERNEL_MODULES_H
#define TSPROF_OS_KERNEL_MODULES_H

#include <stddef.h>
#include <stdint.h>

/*
 * Where the kernel's modules are, from /proc/modules.  Where the kernel hides
 * addresses (kernel.kptr_restrict), or has no modules, the list is empty.
 */
enum { KERNEL_MODULE_NAME_BYTES = 64, KERNEL_MODULES_MAX = 4096 };

struct kernel_module {
	uint64_t start;
	uint64_t end;
	char name[KERNEL_MODULE_NAME_BYTES]; /* "[ext4]", as kallsyms writes it */
};

struct kernel_modules {
	struct kernel_module *modules; /* sorted by start */
	size_t n_modules, capacity;
};

/* A missing or unreadable file is an empty list; only lack of memory fails, with -ENOMEM. */
int kernel_modules_load(struct kernel_modules *modules, const char *path);
void kernel_modules_release(struct kernel_modules *modules);

/* Borrowed; NULL when the ip is in none of them. */
const struct kernel_module *kernel_modules_find(const struct kernel_modules *modules, uint64_t ip);

#endif
