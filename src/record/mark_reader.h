#ifndef TSPROF_RECORD_MARK_READER_H
#define TSPROF_RECORD_MARK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "os/counter_clock.h"
#include "record/mark_program.h"
#include "record/marks_store.h"

/*
 * From a ring's records to the store: what they mean, when they were made, and
 * whether that can be.
 *
 * Functions return 0 or -ENOMEM.
 */
struct mark_reader {
	struct marks_store *store; /* borrowed */
	struct counter_clock clock;
	struct counter_line line; /* of `clock` as it is now */
	uint64_t limit_ns;	  /* nothing can be younger */
	uint8_t *payload;	  /* MARKS_PAYLOAD_MAX_BYTES */
};

int mark_reader_init(struct mark_reader *reader, struct marks_store *store);
void mark_reader_release(struct mark_reader *reader);

/* Read the clocks, for what is taken from now on. */
void mark_reader_set_time(struct mark_reader *reader);

/*
 * Find out who writes to a ring whose first record was seen.  After what else the
 * recorder knows of the thread, so that it has its name.
 */
int mark_reader_settle(struct mark_reader *reader, struct mark_ring *ring);

/* Take what is not younger than `until_ns`, of what the last refresh saw. */
int mark_reader_advance(struct mark_reader *reader, struct mark_ring *ring, uint64_t until_ns);

/* Take all of it. */
int mark_reader_drain(struct mark_reader *reader, struct mark_ring *ring);

#endif
