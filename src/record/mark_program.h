#ifndef TSPROF_RECORD_MARK_PROGRAM_H
#define TSPROF_RECORD_MARK_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/marks_memory.h"
#include "record/mark_thread.h"

/*
 * A program that marks through the library: the memory that it shares with the
 * recorder, and the threads that write there.  A process that execs is another program, and
 * so is a second copy of the library in it.
 */
struct mark_ring {
	struct marks_ring ring;
	struct mark_program *program;
	uint32_t segment;	    /* of the program's */
	bool has_counter;	    /* times are of the processor's counter */
	struct mark_thread *thread; /* NULL while it is not known whose it is */
	uint32_t tid;		    /* of who writes, as the recorder numbers it */
	uint64_t seen_ns;	    /* when its first record was seen; 0: there was none */
	uint64_t n_lost;	    /* as of the last look */
};

struct mark_program {
	struct mark_program *next;
	uint64_t session;
	uint32_t pid;
	uint32_t inner_pid;  /* as the program sees it */
	int pid_fd;	     /* readable when it has ended; -1: nobody tells */
	uint64_t start_ns;   /* when it said hello */
	bool has_ended;	     /* or became another program */
	uint64_t end_ns;     /* … then */
	uint64_t noticed_ns; /* … which the recorder saw then */
	struct mark_segment {
		struct marks_memory memory;
		struct mark_ring *rings;
		uint32_t n_used;     /* those beyond were never written to */
		uint64_t n_homeless; /* as of the last look */
	} * segments;
	size_t n_segments, capacity;
	uint64_t n_sites_dropped;	 /* as of the last look */
	uint32_t sites[MARKS_MAX_SITES]; /* by its ids, less one: ours, plus one; 0: not known */
};

enum { MARK_PROGRAM_MAX_SEGMENTS = 512 };

/* NULL when memory is short. */
struct mark_program *mark_program_new(uint64_t session, uint32_t pid);
void mark_program_free(struct mark_program *program);

/* Takes the memory, also when it fails.  Returns 0, -ENOMEM or -ENOSPC. */
int mark_program_add(struct mark_program *program, struct marks_memory *memory);

/* Have it mark no more. */
void mark_program_stop(struct mark_program *program);

/* How many marks and places it had no room for since the last look. */
void mark_program_count(struct mark_program *program, struct marks_quality *quality);

/* In numbers of threads: it is none. */
#define MARK_PROGRAM_NO_THREAD UINT32_C(0x80000000)

/* The number that a thread has here; one that cannot be found is a number that none has. */
uint32_t mark_program_tid(const struct mark_program *program, uint32_t inner_tid);

#endif
