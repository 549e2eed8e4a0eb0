/* The table of backends, and what all of them share. */
#include "unwind/unwinder.h"

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

void unwind_process_release(struct unwind_process *process)
{
	if (process->cache && process->release_cache)
		process->release_cache(process->cache);
	address_space_release(&process->space);
	*process = (struct unwind_process){ 0 };
}
