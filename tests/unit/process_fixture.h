#ifndef TSPROF_TESTS_UNIT_PROCESS_FIXTURE_H
#define TSPROF_TESTS_UNIT_PROCESS_FIXTURE_H

#include <stdint.h>
#include <sys/types.h>

#include "unwind/unwinder.h"

/*
 * What the recorder would know of a running process, taken from /proc/PID/maps:
 * its executable mappings and their images, the vDSO's from its memory.
 */
struct process_fixture {
	struct unwind_process process;
	struct unwind_images images;
	struct elf_image *opened[64]; /* by module id; 0 stays NULL */
	char *paths[64];
};

/* Returns 0 or a negative errno value. */
int process_fixture_load(struct process_fixture *fixture, pid_t pid);

/* Look again: what was loaded since then is added. */
int process_fixture_refresh(struct process_fixture *fixture, pid_t pid);

void process_fixture_release(struct process_fixture *fixture);

/* The module whose path ends with the name, or NULL. */
const struct elf_image *process_fixture_image(const struct process_fixture *fixture,
					      const char *name);

#endif
