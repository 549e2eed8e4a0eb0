#ifndef TSPROF_MODEL_PROFILE_INFO_H
#define TSPROF_MODEL_PROFILE_INFO_H

#include <stdbool.h>
#include <stdint.h>

/* One run: what was recorded, where, when and how.  Texts are ids in the profile's strings. */
struct profile_info {
	uint32_t command; /* shell-quoted argv */
	uint32_t host;
	uint32_t kernel; /* uname -r */
	uint32_t tool;	 /* "tsprof 0.1.0", or what was imported */
	uint32_t engine; /* "perf" */
	uint32_t engine_reason;
	uint32_t event;	   /* "cpu-clock", "cycles", … */
	uint32_t unwinder; /* "cfi" */
	uint8_t arch;	   /* enum arch */
	bool has_times;	   /* false for imports: counts only */
	bool is_cut;	   /* the file ended before its end chunk, or one that was merged did */
	bool is_symbolized;
	uint32_t n_cpus;
	uint64_t period_ns; /* asked time between ticks; 0 when the event is not time */
	uint64_t stack_dump_bytes;
	uint64_t start_epoch_ns; /* CLOCK_REALTIME at the start */
	uint64_t start_ns;	 /* CLOCK_MONOTONIC at the start: time 0 of every view */
	uint64_t duration_ns;
	int32_t exit_status; /* as `record` returned it */
};

#endif
