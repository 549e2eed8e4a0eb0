#ifndef TSPROF_LIB_ALLOCATED_BYTES_H
#define TSPROF_LIB_ALLOCATED_BYTES_H

#include <stdint.h>

/*
 * The border between libtsprof.so, which asks, and libtsprof-alloc.so, which
 * `record --count-allocations` preloads and which counts: bytes that the calling thread has
 * ever asked malloc and its relatives for.
 */
#define ALLOCATED_BYTES_UNKNOWN UINT64_MAX

/*
 * ALLOCATED_BYTES_UNKNOWN when the program's allocator cannot be counted.  Any
 * thread, any signal handler.  NULL where nothing is preloaded.
 */
extern uint64_t tsprof_allocated_bytes_1(void) __attribute__((weak, visibility("default")));

#endif
