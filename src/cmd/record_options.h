#ifndef TSPROF_CMD_RECORD_OPTIONS_H
#define TSPROF_CMD_RECORD_OPTIONS_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "cmd/command.h"

/* What `tsprof record` was told; the table that fills it is in record.c. */
#define RESOURCES_UNSET UINT64_MAX

struct record_options {
	const char *output;
	uint64_t rate_hz;
	const char *event;
	uint64_t stack_bytes;
	const char *unwinder;
	bool without_symbols;
	bool is_strict;
	bool with_kernel;
	bool without_kernel;
	bool is_quiet;
	const char *engine;
	struct option_strings processes;
	bool is_system;
	uint64_t duration_ns;
	uint64_t delay_ns;
	bool is_paused;
	const char *ready_text;
	int ready_fd;
	uint64_t max_bytes;
	bool with_waits;
	bool counts_allocations;
	bool keeps_events;
	uint64_t n_snapshots;
	uint64_t resources_hz; /* RESOURCES_UNSET: as suits the target */
	const char *mark_output;
	regex_t output_pattern; /* … compiled */
	bool has_output_pattern;
	struct option_strings marked_functions;
	struct option_strings traced_functions;
	pid_t *pids; /* what `processes` says */
	size_t n_pids;
};

/*
 * Find what cannot be said together, or not at all, and understand the rest.  Returns 0, -ENOMEM
 * or -EINVAL; release is wanted in any case.
 */
int record_options_check(struct record_options *options, int n_operands, struct error *err);
void record_options_release(struct record_options *options);

#endif
