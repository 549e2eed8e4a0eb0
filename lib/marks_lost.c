/* Which of a thread's open scopes the recorder does not know of. */
#include "lib/marks_lost.h"

void marks_lost_begin(struct marks_lost *lost, const struct tsprof_site *site, bool is_lost)
{
	const uint64_t bit = UINT64_C(1) << lost->n_open % MARKS_LOST_MAX;

	if (marks_lost_is_full(lost)) {
		lost->n_deeper++;
		return;
	}
	lost->sites[lost->n_open++] = site;
	lost->lost_bits = is_lost ? lost->lost_bits | bit : lost->lost_bits & ~bit;
}

bool marks_lost_end(struct marks_lost *lost, const struct tsprof_site *site)
{
	uint32_t at = lost->n_open;

	if (lost->n_deeper) {
		lost->n_deeper--;
		return true;
	}
	while (at && lost->sites[at - 1] != site)
		at--;
	/* Of one that is around them all, which ends them. */
	if (!at) {
		lost->n_open = 0;
		return false;
	}
	lost->n_open = at - 1;
	return lost->lost_bits >> (at - 1) & 1;
}
