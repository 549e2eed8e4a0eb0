#ifndef TSPROF_PROFILE_MARKS_FORMAT_H
#define TSPROF_PROFILE_MARKS_FORMAT_H

#include <stdint.h>

/* What the layout of marks needs besides profile/profile_format.h. */
enum profile_snapshot_flags {
	PROFILE_SNAPSHOT_TEXT = 1,
	PROFILE_SNAPSHOT_CUT = 2,
	PROFILE_SNAPSHOT_KNOWN_FLAGS = 3,
};

enum profile_marks_flags {
	PROFILE_MARKS_ALL_CALLS = 1, /* CALL holds every call of every scope */
};

/*
 * What is remembered within a chunk, under the number's lowest bits: the last
 * scope of a thread, 0 at first, so that most samples need no word about theirs; …
 */
enum { PROFILE_SCOPE_THREADS = 256 };

struct profile_scope_memory {
	uint32_t scopes[PROFILE_SCOPE_THREADS];
};

/* … and the last resources of a process, all 0 at first. */
enum { PROFILE_RESOURCE_PIDS = 64, PROFILE_RESOURCE_FIELDS = 8 };

struct profile_resource_memory {
	uint64_t fields[PROFILE_RESOURCE_PIDS][PROFILE_RESOURCE_FIELDS];
};

#endif
