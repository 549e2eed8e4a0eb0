/* The table of backends, and what all of them share. */
#include "unwind/unwinder.h"

#include <stdlib.h>
#include <string.h>

const struct unwind_backend *const unwind_backends[] = {
	&unwind_backend_cfi,   &unwind_backend_fp,     &unwind_backend_libunwind,
	&unwind_backend_libdw, &unwind_backend_verify, NULL,
};

const struct unwind_backend *unwind_backend_find(const char *name)
{
	for (const struct unwind_backend *const *at = unwind_backends; *at; at++) {
		if (strcmp((*at)->name, name) == 0)
			return *at;
	}
	return NULL;
}

int unwinder_new(struct unwinder **ret_unwinder, size_t unwinder_bytes,
		 struct location_table *locations, struct error *err)
{
	struct location_table **unwinder = calloc(1, unwinder_bytes);

	if (!unwinder)
		return error_set_no_memory(err);
	*unwinder = locations;
	*ret_unwinder = (struct unwinder *)(void *)unwinder;
	return 0;
}

void unwinder_free(struct unwinder *unwinder)
{
	free(unwinder);
}

void unwind_process_release(struct unwind_process *process)
{
	if (process->cache && process->release_cache)
		process->release_cache(process->cache);
	address_space_release(&process->space);
	*process = (struct unwind_process){ 0 };
}
