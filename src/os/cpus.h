#ifndef TSPROF_OS_CPUS_H
#define TSPROF_OS_CPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * CPUs that this machine can have, switched off ones too; at least 1, at most CPUS_MAX.
 * Virtual machines often could have a hundred more than they do.
 */
size_t cpus_configured(void);

/* Those of the first `n_cpus` that are switched on, and how many they are; all, if it is not known.
 */
size_t cpus_find_online(bool is_online[], size_t n_cpus);

/* The same of a line of the kernel's, such as "0-3,8"; 0 when it is not one. */
size_t cpus_parse_list(bool is_in[], size_t n_cpus, const char *text);

/* The next power of two, so that any CPU's number is inside when it is masked. */
size_t cpus_power_of_two(void);

enum { CPUS_MAX = 8192 };

/*
 * What each CPU's ring can have: `ring_bytes`, halved until those of all CPUs that are
 * switched on take at most `all_bytes` together, or to `min_bytes`.
 */
uint64_t cpus_fit_ring(uint64_t ring_bytes, uint64_t min_bytes, uint64_t all_bytes);

#endif
