#ifndef TSPROF_OS_ALLOCATION_COUNTER_H
#define TSPROF_OS_ALLOCATION_COUNTER_H

#include "base/error.h"

/*
 * Have the commands that this process starts from now on count what they
 * allocate (lib/count_allocations.c).  -ENOENT: the library is not there; -EINVAL: its path
 * cannot be told to the dynamic linker.  Changes the environment: before threads.
 */
int allocation_counter_preload(struct error *err);

#endif
