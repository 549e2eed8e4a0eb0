#ifndef TSPROF_OS_PERF_ATTACH_H
#define TSPROF_OS_PERF_ATTACH_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "os/perf_sources.h"

/*
 * Events for all threads of running processes.  -ESRCH: one of them has ended;
 * -EACCES or -EPERM: it is not ours.  The processes are not touched.
 */
int perf_attach(struct perf_sources *sources, const pid_t *pids, size_t n_pids, struct error *err);

#endif
