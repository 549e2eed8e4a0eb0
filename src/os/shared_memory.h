#ifndef TSPROF_OS_SHARED_MEMORY_H
#define TSPROF_OS_SHARED_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Will memory that a stranger sent be there when it is read?  A memfd of so many bytes at
 * least that cannot shrink, and of ordinary pages: huge ones may be out by then.
 * Otherwise SIGBUS could end whoever has it mapped.
 */
bool shared_memory_stays(int fd, uint64_t size_bytes);

#endif
