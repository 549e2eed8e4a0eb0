#ifndef TSPROF_OS_PROBE_PRICE_H
#define TSPROF_OS_PROBE_PRICE_H

#include <stdbool.h>
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

/* `is_bare`: the kernel's part alone, which counts hits and records nothing. */
int probe_price_measure(struct probe_price *ret_price, bool is_bare, struct error *err);

#endif
