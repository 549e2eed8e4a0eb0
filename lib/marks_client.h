#ifndef TSPROF_LIB_MARKS_CLIENT_H
#define TSPROF_LIB_MARKS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/marks_lost.h"
#include "lib/marks_wire.h"
#include "tsprof.h"

/*
 * The marking program's side.  Runs inside somebody else's program: nothing
 * allocates, prints or waits for anybody, and errno is kept.
 *
 *	marks_link     who marks (programs and shared objects), and whether they shall
 *	marks_connect  the recorder: where it is, and memory that it is sent
 *	marks_places   segments of this program and the places for threads in them
 *	marks_sites    what ids mean
 *	marks_room     where in a ring the next record goes
 *	marks_thread   the marks themselves
 *	marks_costs    what a thread has cost, for scopes that tell it
 */

/*
 * A thread's place.  Lies in memory that a fork's child finds wiped, so that even
 * one that the C library knows nothing of never writes into its parent's ring.  What
 * tsprof.h's fast way uses is its first member.
 */
struct marks_thread {
	_Alignas(128) struct tsprof_thread_ fast;
	struct marks_segment *segment;
	struct marks_slot *slot; /* NULL: nobody's */
	unsigned char *ring;
	uint64_t touched_bytes; /* of the ring, whoever had it */
	uint32_t n_full;	/* marks that found no room */
	uint32_t generation;	/* see marks_generation */
	struct marks_lost lost; /* of the thread that has it */
};

/* Everything of the parent's is let go of; for children that no handler was called in, too. */
void marks_fork_child(void);

/* Objects that mark: on while there is somewhere to go, and nobody paused. */
void marks_links_update(void);
void marks_pause(bool shall_pause);
void marks_unlink(struct tsprof_link_ *link);

/*
 * Where the recorder is: `text` as in MARKS_ENVIRONMENT.  Nothing is sent before the first
 * mark.  False when the text makes no sense.
 */
bool marks_open(const char *text);

/* The environment is looked at, once. */
void marks_environment_read(void);

/* Is there a recorder to send segments to?  From marks_gone on there is none. */
bool marks_can_connect(void);
void marks_gone(void);

/* Was the recorder killed, so that it could not say that it stops?  Asks by connecting. */
bool marks_recorder_is_gone(void);

/* Is somebody there, as far as one can tell from outside? */
bool marks_is_recorder_there(void);

/* Send a request with the descriptor that the answer will come on; false: nobody is there. */
bool marks_ask(uint32_t request, int reply_fd);

/* In a child: the same recorder, another program. */
void marks_connect_fork_child(void);

/* Another segment, which the recorder has been sent; NULL: none.  With marks_lock held. */
struct marks_segment *marks_segment_new(uint32_t n_slots, size_t *ret_size_bytes);

/*
 * Begin to mark into `memory`, a segment of `size_bytes` whose header and slots
 * are zero but for n_slots and ring_bytes; it must stay mapped.  There will not be another.
 * False when the sizes make no sense.  marks_stop ends it, and what marks_open began: marks
 * that are on their way still go there.
 */
bool marks_start(void *memory, size_t size_bytes);
void marks_stop(void);
/* … when nobody will read what there is: its memory is given back, its addresses are not. */
void marks_stop_for_good(void);
/* In parts, with marks_lock held. */
void marks_segments_leave(void);
void marks_segments_give_back(void);

/* Is there a segment? */
bool marks_have_segment(void);

/* Changes when threads have to look for other places. */
uint32_t marks_generation(void);

/* A place for the calling thread, NULL when there is none; and giving it back. */
struct marks_thread *marks_place_claim(void);
void marks_place_leave(struct marks_thread *thread);

/* A mark of a thread without one. */
void marks_homeless_count(void);

/* How many bytes of its ring a thread may use, so that all of them stay within reason. */
uint64_t marks_ring_share(uint64_t ring_bytes);

/* In a child: no segment, no places. */
void marks_places_fork_child(void);

/* Held for moments when objects, segments and threads come and go, with all signals blocked. */
bool marks_lock(uint64_t *ret_signals);
void marks_unlock(const uint64_t *signals);

/* The calling thread lost its place, in a fork's child. */
void marks_thread_fork_child(void);

/* Make ready for the ends of threads, once, early. */
void marks_thread_ends_expect(void);

/* The site's id, given when it has none; never 0. */
uint32_t marks_site_id(struct tsprof_site *site);

/* Tell a new segment of the sites that have ids already. */
void marks_sites_publish(struct marks_segment *segment);

/* Calls `tell` for each segment. */
void marks_segments_each(void (*tell)(struct marks_segment *segment, uint32_t index),
			 uint32_t index);

/*
 * Room for a record of `size_bytes` in one piece at the ring's head, of which `reserved` bytes
 * more are left free; NULL when there is none.
 */
unsigned char *marks_room_get(struct marks_thread *thread, uint64_t size_bytes, uint64_t reserved);

/* Let the fast way go on until the next step. */
void marks_room_open(struct marks_thread *thread);

/* A time stamp as the segment's clock gives it; clocks are chosen once. */
uint64_t marks_time(const struct marks_segment *segment);
void marks_clock_set(struct marks_segment *segment);
uint64_t marks_monotonic_ns(void);

/* See struct tsprof_api_. */
void marks_costs_now(struct tsprof_costs_ *ret_costs);
void marks_put_costs(struct tsprof_site *site, const struct tsprof_costs_ *at_begin);

extern const struct tsprof_api_ marks_api;

#endif
