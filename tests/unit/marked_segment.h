#ifndef TSPROF_TESTS_UNIT_MARKED_SEGMENT_H
#define TSPROF_TESTS_UNIT_MARKED_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/marks_wire.h"
#include "os/marks_memory.h"

/*
 * A segment of shared memory that the test program itself marks into, and the
 * rings of its slots as the recorder would read them.  Its rings have
 * MARKS_RING_MIN_BYTES each.
 */
struct marked_segment {
	struct marks_segment *segment;
	struct marks_memory memory;
	struct marks_ring rings[16];
	uint32_t n_slots;
	char payload[MARKS_PAYLOAD_MAX_BYTES]; /* of the record taken last */
};

/* At most 16 slots; 0, or -1 when there is no memory.  Marks are on from now on. */
int marked_segment_start(struct marked_segment *marked, uint32_t n_slots);

/* Marks are off. */
int marked_segment_stop(struct marked_segment *marked);

/* The slot's next record; false when there is none. */
bool marked_segment_take(struct marked_segment *marked, size_t slot, struct marks_record *record);

#endif
