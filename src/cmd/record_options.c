/* What options mean together. */
#include "cmd/record_options.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "os/perf_event.h"
#include "record/resources.h"

enum {
	STACK_MIN_BYTES = 1024,
	FILE_MIN_BYTES = 65536,
};

/* "123", or several with commas. */
static int add_pids(struct record_options *options, const char *text, struct error *err)
{
	const char *at = text;

	for (;;) {
		size_t capacity = options->n_pids;
		char *end;
		const unsigned long number = strtoul(at, &end, 10);
		pid_t *grown;

		if (*at < '0' || *at > '9' || !number || number > INT32_MAX ||
		    (*end && *end != ','))
			return error_set(err, -EINVAL, "-p: '%s' is not the number of a process",
					 text);
		grown = array_grown(options->pids, &capacity, options->n_pids + 1, sizeof(*grown));
		if (!grown)
			return error_set_no_memory(err);
		options->pids = grown;
		grown[options->n_pids++] = (pid_t)number;
		if (!*end)
			return 0;
		at = end + 1;
	}
}

static int check_ready_fd(struct record_options *options, struct error *err)
{
	char *end;
	long number;

	if (!options->ready_text)
		return 0;
	number = strtol(options->ready_text, &end, 10);
	if (*options->ready_text < '0' || *options->ready_text > '9' || *end || number > INT_MAX ||
	    fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
		return error_set(err, -EINVAL, "--ready-fd: '%s' is no open descriptor",
				 options->ready_text);
	options->ready_fd = (int)number;
	return 0;
}

static int compile_pattern(struct record_options *options, struct error *err)
{
	const char *text = options->mark_output;
	char reason[128];
	int code;

	if (!text)
		return 0;
	code = regcomp(&options->output_pattern, text, REG_EXTENDED);
	options->has_output_pattern = code == 0;
	if (code == 0)
		return 0;
	(void)regerror(code, &options->output_pattern, reason, sizeof(reason));
	return error_set(err, -EINVAL, "--mark-output: '%s' is no regular expression: %s", text,
			 reason);
}

/* What cannot be said together, or not at all. */
static int check_options(struct record_options *options, int n_operands, struct error *err)
{
	const bool is_attaching = options->is_system || options->processes.n_strings;
	int r = 0;

	for (size_t i = 0; r == 0 && i < options->processes.n_strings; i++)
		r = add_pids(options, options->processes.strings[i], err);
	if (r < 0)
		return r;
	if (n_operands == 0 && !is_attaching)
		return error_set(err, -EINVAL, "expected a command to run; see 'tsprof record -h'");
	if (n_operands && is_attaching)
		return error_set(err, -EINVAL,
				 "%s samples what runs already: give either it or a command",
				 options->is_system ? "-a" : "-p");
	if (is_attaching && options->mark_output)
		return error_set(err, -EINVAL,
				 "--mark-output reads what a command prints: give one");
	if (is_attaching && options->counts_allocations)
		return error_set(err, -EINVAL,
				 "--count-allocations is for a command that starts now: give one");
	if (options->is_system && options->n_pids)
		return error_set(err, -EINVAL,
				 "-a samples every process: -p makes no sense with it");
	if (is_attaching && strcmp(options->engine, "sigprof") == 0)
		return error_set(err, -EINVAL,
				 "the engine sigprof can only launch commands, not attach");
	if (options->max_bytes && options->max_bytes < FILE_MIN_BYTES)
		return error_set(err, -EINVAL,
				 "--max-size is %" PRIu64 " bytes, expected at least 64k",
				 options->max_bytes);
	if (options->resources_hz != RESOURCES_UNSET && options->resources_hz > RESOURCES_MAX_HZ)
		return error_set(err, -EINVAL, "--resources is %" PRIu64 " Hz, expected at most %d",
				 options->resources_hz, RESOURCES_MAX_HZ);
	if (options->resources_hz != RESOURCES_UNSET && options->resources_hz && options->is_system)
		return error_set(err, -EINVAL,
				 "--resources is for a command or -p, not for the whole system");
	if (options->delay_ns && options->is_paused)
		return error_set(err, -EINVAL, "--delay and --start-paused exclude each other");
	if (options->with_kernel && options->without_kernel)
		return error_set(err, -EINVAL, "--kernel and --no-kernel exclude each other");
	if (options->rate_hz == 0)
		return error_set(err, -EINVAL, "-F is 0 Hz, expected at least 1");
	if (options->stack_bytes > PERF_EVENT_STACK_MAX_BYTES ||
	    (options->stack_bytes && options->stack_bytes < STACK_MIN_BYTES))
		return error_set(err, -EINVAL,
				 "--stack-size is %" PRIu64 " bytes, expected %d to %d",
				 options->stack_bytes, STACK_MIN_BYTES, PERF_EVENT_STACK_MAX_BYTES);
	return 0;
}

int record_options_check(struct record_options *options, int n_operands, struct error *err)
{
	int r = check_options(options, n_operands, err);

	if (r == 0)
		r = check_ready_fd(options, err);
	return r < 0 ? r : compile_pattern(options, err);
}

void record_options_release(struct record_options *options)
{
	if (options->has_output_pattern)
		regfree(&options->output_pattern);
	free(options->processes.strings);
	free(options->marked_functions.strings);
	free(options->traced_functions.strings);
	free(options->pids);
}
