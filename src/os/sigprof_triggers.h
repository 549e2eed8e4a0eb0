#ifndef TSPROF_OS_SIGPROF_TRIGGERS_H
#define TSPROF_OS_SIGPROF_TRIGGERS_H

#include <stdbool.h>

/*
 * The triggers that are worth trying in the target, best first, as letters of
 * enum sigprof_trigger: what this process may do, its children may too, unless
 * they are confined.  TSPROF_TRIGGERS in the environment overrides, for tests.
 */
const char *sigprof_triggers(void);

/* Does the best of them see time in the kernel, too? */
bool sigprof_triggers_have_kernel(const char *triggers);

#endif
