#ifndef TSPROF_LIB_MARKS_CLIENT_H
#define TSPROF_LIB_MARKS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/marks_wire.h"
#include "tsprof.h"

/*
 * The marking program's side.  Runs inside somebody else's program: nothing
 * allocates, prints or waits, and errno is kept.
 */

/* The calling thread's place; what tsprof.h's fast way uses is its first member. */
struct marks_thread {
	struct tsprof_thread_ fast;
	struct marks_slot *slot; /* NULL while it has none */
	unsigned char *ring;
	uint32_t generation; /* of the segments, see marks_generation */
	bool has_ended;
	struct marks_thread *next; /* in the list of all that have a slot */
	struct marks_thread **from;
};

extern _Thread_local struct marks_thread marks_thread
	__attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * Begin to mark into `memory`, a segment of `size_bytes` whose header and slots
 * are zero but for n_slots and ring_bytes; it must stay mapped.  False when the sizes make no
 * sense.  marks_stop ends it: marks that are on their way still go there.
 * marks_pause keeps what there is, and marks nothing until it is told otherwise.
 */
bool marks_start(void *memory, size_t size_bytes);
void marks_pause(bool is_paused);
void marks_stop(void);

/* The segment that is marked into; NULL: none. */
struct marks_segment *marks_segment(void);

/* Counts marks_start, so that a thread sees that its slot is of another one. */
uint32_t marks_generation(void);

/* Threads that have to learn of a new segment; leaving twice does no harm. */
void marks_threads_enter(struct marks_thread *thread);
void marks_threads_leave(struct marks_thread *thread);

/* The site's id, given when it has none; never 0. */
uint32_t marks_site_id(struct marks_segment *segment, struct tsprof_site *site);

/* Tell a new segment of the sites that have ids already. */
void marks_sites_publish(struct marks_segment *segment);

/* A time stamp as the segment's clock gives it. */
uint64_t marks_time(const struct marks_segment *segment);

extern const struct tsprof_api_ marks_api;

#endif
