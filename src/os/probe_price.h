#ifndef TSPROF_OS_PROBE_PRICE_H
#define TSPROF_OS_PROBE_PRICE_H

#include <stdint.h>

#include "base/error.h"

/*
 * What a hit of a probe costs on this machine, found by calling probed code of
 * our own: medians, in nanoseconds.
 */
struct probe_price {
	double entry_ns;   /* where a function is entered */
	double call_ns;	   /* … and returns, together */
	double stepped_ns; /* more than that when the first instruction has to be stepped */
};

enum probe_price_way {
	PROBE_PRICE_KERNEL,   /* its part alone, which counts hits and records nothing */
	PROBE_PRICE_RECORDS,  /* perf writes them down */
	PROBE_PRICE_PROGRAMS, /* BPF programs do; -EPERM or the like when they cannot be had */
};

int probe_price_measure(struct probe_price *ret_price, enum probe_price_way way, struct error *err);

#endif
