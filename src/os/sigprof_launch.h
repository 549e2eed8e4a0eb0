#ifndef TSPROF_OS_SIGPROF_LAUNCH_H
#define TSPROF_OS_SIGPROF_LAUNCH_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* How the library gets into a program: where it is, what the environment says, who refuses it. */

/* "NAME=VALUE" that a sampled command is started with. */
struct sigprof_environment {
	char *preload; /* what was preloaded before is kept, ours added */
	char *session;
	char *strings[3]; /* both, ended by NULL */
};

struct sigprof_session_text {
	const char *socket_name;
	const uint8_t *token;
	uint64_t period_ns;
	uint64_t stack_bytes;
	uint64_t ring_bytes;
	bool with_waits;
	const char *triggers; /* letters of enum sigprof_trigger */
};

/* Where the library is: beside tsprof, or where it was installed; TSPROF_LIBRARY overrides. */
int sigprof_library_find(char ret_path[PATH_MAX], struct error *err);

/* Fails when the library's path cannot be written into LD_PRELOAD. */
int sigprof_environment_init(struct sigprof_environment *environment, const char *library,
			     const struct sigprof_session_text *text, struct error *err);
void sigprof_environment_release(struct sigprof_environment *environment);

/*
 * Would the dynamic linker load a library into this command, searched in PATH?
 * -ENOEXEC with the reason when not: statically linked, set-user-ID, or of
 * another architecture.  0 also for what is no ELF file, or is not there.
 */
int sigprof_check_command(const char *command, struct error *err);

#endif
