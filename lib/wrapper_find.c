#include <dlfcn.h>
#include <string.h>

#include "lib/wrapper.h"

void wrapper_find(void *ret_function, const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	/* C has no conversion between data and functions; POSIX wants them alike. */
	memcpy(ret_function, &found, sizeof(found));
}
