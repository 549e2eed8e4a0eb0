/* Nothing but the list of modules and when it was read. */
#include "record/kernel_map.h"

#include "base/units.h"

#define MODULES_PATH "/proc/modules"
#define RELOAD_INTERVAL_NS NS_PER_S

int kernel_map_init(struct kernel_map *map, struct module_table *table)
{
	*map = (struct kernel_map){ .table = table };
	return kernel_modules_load(&map->modules, MODULES_PATH);
}

void kernel_map_release(struct kernel_map *map)
{
	kernel_modules_release(&map->modules);
	*map = (struct kernel_map){ 0 };
}

int kernel_map_find(struct kernel_map *map, uint64_t ip, uint64_t time_ns, uint32_t *ret_module)
{
	const struct kernel_module *found = kernel_modules_find(&map->modules, ip);
	int r;

	/* Most of the kernel is in none of them, so without a list there is nothing to renew. */
	if (!found && map->modules.n_modules && time_ns - map->loaded_ns >= RELOAD_INTERVAL_NS) {
		map->loaded_ns = time_ns;
		kernel_modules_release(&map->modules);
		r = kernel_modules_load(&map->modules, MODULES_PATH);
		if (r < 0)
			return r;
		found = kernel_modules_find(&map->modules, ip);
	}
	if (found)
		return module_table_kernel(map->table, found->name, ret_module);
	*ret_module = map->table->kernel;
	return 0;
}
