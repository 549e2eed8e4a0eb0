#include <dlfcn.h>
#include <string.h>

#include "lib/wrapper.h"

void wrapper_find(void *ret_function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	/* A C library that is itself preloaded lies before this one, and all find it first. */
	if (!found)
		found = dlsym(RTLD_DEFAULT, name);
	/* C has no conversion between data and functions; POSIX wants them alike. */
	memcpy(ret_function, &found, sizeof(found));
}
