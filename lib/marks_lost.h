#ifndef TSPROF_LIB_MARKS_LOST_H
#define TSPROF_LIB_MARKS_LOST_H

#include <stdbool.h>
#include <stdint.h>

#include "tsprof.h"

/*
 * The open scopes of a thread since one of which the begin found no room.  The
 * end of such a one is left out, too, and that of every other gets through: else
 * a scope would stay open for good, with all that follows inside it.  While there is one
 * the fast way is closed, so that every begin and end is seen.
 */
enum { MARKS_LOST_MAX = 64 };

struct marks_lost {
	uint32_t n_open;   /* 0: none was lost */
	uint32_t n_deeper; /* beyond MARKS_LOST_MAX: all left out */
	uint64_t lost_bits;
	const struct tsprof_site *sites[MARKS_LOST_MAX];
};

/* Is there one?  Then every begin and end has to be told. */
static inline bool marks_lost_any(const struct marks_lost *lost)
{
	return lost->n_open > 0;
}

/* Is another begin to be left out, room or not? */
static inline bool marks_lost_is_full(const struct marks_lost *lost)
{
	return lost->n_open == MARKS_LOST_MAX;
}

void marks_lost_begin(struct marks_lost *lost, const struct tsprof_site *site, bool is_lost);

/* True when the begin was lost.  Ends what was left open inside, as the recorder does. */
bool marks_lost_end(struct marks_lost *lost, const struct tsprof_site *site);

#endif
