#ifndef TSPROF_BASE_UNITS_H
#define TSPROF_BASE_UNITS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

enum { UNITS_TEXT_BYTES = 32 }; /* room for any of the texts below */

/* "1.23 s", "45.6 ms", "789 µs", "12 ns": three significant digits. */
const char *units_duration(char text[UNITS_TEXT_BYTES], uint64_t duration_ns);

/* "512 B", "1.5 KiB", "64 MiB". */
const char *units_bytes(char text[UNITS_TEXT_BYTES], uint64_t bytes);

/* "1,234,567". */
const char *units_count(char text[UNITS_TEXT_BYTES], uint64_t count);

/*
 * What a user types.  Durations: "1.5" (seconds), "2s", "300ms", "10us", "5ns",
 * "1m".  Sizes: "65528", "32k", "1M", "1G" (powers of 1024).  Rates: "997",
 * "4k", "997Hz" (powers of 1000).  -EINVAL names what was expected.
 */
int units_parse_duration(uint64_t *ret_ns, const char *text, struct error *err);
int units_parse_bytes(uint64_t *ret_bytes, const char *text, struct error *err);
int units_parse_rate(uint64_t *ret_hz, const char *text, struct error *err);
int units_parse_count(uint64_t *ret_count, const char *text, struct error *err);

#endif
