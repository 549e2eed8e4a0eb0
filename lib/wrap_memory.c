/*
 * A program that unmaps what it did not map, such as all shared memory, takes
 * ours with it: no handler may touch it from then on.
 */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sigprof_client.h"
#include "lib/wrapper.h"

WRAPPER int munmap(void *start, size_t size_bytes)
{
	if (client_slots_are_in(start, size_bytes))
		client_set_mode(CLIENT_IS_OFF);
	return (int)syscall(SYS_munmap, start, size_bytes);
}
