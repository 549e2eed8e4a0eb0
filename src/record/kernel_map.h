#ifndef TSPROF_RECORD_KERNEL_MAP_H
#define TSPROF_RECORD_KERNEL_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "os/kernel_modules.h"
#include "record/module_table.h"

/* Which module of the profile a kernel ip is in: "[kernel]", or "[ext4]" and its like. */
struct kernel_map {
	struct module_table *table; /* borrowed */
	struct kernel_modules modules;
	uint64_t loaded_ns; /* a sample's time */
};

/* Returns 0 or -ENOMEM. */
int kernel_map_init(struct kernel_map *map, struct module_table *table);
void kernel_map_release(struct kernel_map *map);

/*
 * The module of `ip`, made when new.  Modules can be loaded at any time: their list
 * is read again, at most once a second, for ips outside of it.  Returns 0 or
 * -ENOMEM.
 */
int kernel_map_find(struct kernel_map *map, uint64_t ip, uint64_t time_ns, uint32_t *ret_module);

#endif
