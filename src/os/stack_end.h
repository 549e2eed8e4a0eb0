#ifndef TSPROF_OS_STACK_END_H
#define TSPROF_OS_STACK_END_H

#include <stdint.h>

/*
 * Where the stack that holds `sp` ends, for a thread of which no walk has shown it, by /proc: a
 * program's first stack where the kernel put its arguments, another with its mapping.  That may
 * be too high: threads have data of their own above, and mappings side by side can be one.
 * 0 when it is not told.  Costs some 50 us.
 */
uint64_t stack_end_find(uint32_t tid, uint64_t sp);

/*
 * The same of the first stack of a program that was just executed, which the kernel may be setting
 * up: waits for that, some 2 ms at most.
 */
uint64_t stack_end_of_program(uint32_t pid);

#endif
