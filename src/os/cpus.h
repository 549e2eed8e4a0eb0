#ifndef TSPROF_OS_CPUS_H
#define TSPROF_OS_CPUS_H

#include <stddef.h>
#include <stdint.h>

/* CPUs that this machine can have, switched off ones too; at least 1, at most CPUS_MAX. */
size_t cpus_configured(void);

/* The next power of two, so that any CPU's number is inside when it is masked. */
size_t cpus_power_of_two(void);

enum { CPUS_MAX = 8192 };

/*
 * What each CPU's ring can have: `ring_bytes`, halved until those of all CPUs take at
 * most `all_bytes` together, or to `min_bytes`.
 */
uint64_t cpus_fit_ring(uint64_t ring_bytes, uint64_t min_bytes, uint64_t all_bytes);

#endif
