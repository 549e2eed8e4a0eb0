#ifndef TSPROF_TESTS_FAKE_RECORDER_H
#define TSPROF_TESTS_FAKE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/marks_memory.h"

/*
 * Plays the recorder for a program that marks, which is the test itself.  Asserts
 * that what comes is as agreed.
 */
#define FAKE_RECORDER_TOKEN "000102030405060708090a0b0c0d0eff"

enum { FAKE_RECORDER_RING_BYTES = 1 << 20, FAKE_RECORDER_MAX_MEMORIES = 64 };

struct fake_recorder {
	int listener;	/* -1: nobody listens */
	char text[200]; /* as in MARKS_ENVIRONMENT */
	struct marks_memory memories[FAKE_RECORDER_MAX_MEMORIES];
	uint64_t sessions[FAKE_RECORDER_MAX_MEMORIES];
	int memory_fds[FAKE_RECORDER_MAX_MEMORIES];
	size_t n_memories;
};

extern struct fake_recorder recorder;

/* For setup and teardown of a test: the library knows where to connect. */
int fake_recorder_start(void **state);
int fake_recorder_stop(void **state);

/* Take one connection; false: there is none. */
bool fake_recorder_greet(void);

struct marks_ring fake_recorder_ring(size_t memory, uint32_t slot);

/* Take all there is; how many records of a kind.  Everything: of who has come until now. */
size_t fake_recorder_take(size_t memory, uint32_t slot, uint32_t what);
size_t fake_recorder_take_everything(uint32_t what);

#endif
