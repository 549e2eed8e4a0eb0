#ifndef TSPROF_OS_CPU_CLOCKS_H
#define TSPROF_OS_CPU_CLOCKS_H

#include <stdint.h>

/*
 * The CPU time of a process and its threads, of which what a hypervisor takes away
 * is no part.  What its threads have run since the kernel's last tick may be missing.
 * Returns 0, or a negative errno when it is gone.
 */
int cpu_clocks_read_process(uint64_t *ret_ns, uint32_t pid);

/* Time of all CPUs that a hypervisor took from the machine since boot, by the 10 ms; 0: not known.
 */
uint64_t cpu_clocks_stolen_ns(void);

#endif
