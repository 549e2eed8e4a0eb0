#ifndef TSPROF_RECORD_MARK_CALLS_H
#define TSPROF_RECORD_MARK_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

/*
 * Which single calls of scopes are kept: for each site the slowest, those that
 * failed, and those that never ended, as far as there is room; or all.  What is
 * kept comes into profile->marks.calls at the end, of `keeps_all` at once.
 */
enum {
	MARK_CALLS_SLOWEST = 10,       /* of each site */
	MARK_CALLS_MAX_ERRORS = 10000, /* of all sites together; the first ones … */
	MARK_CALLS_SITE_ERRORS = 1000, /* … and of each */
	MARK_CALLS_MAX_OPEN = 10000,
	MARK_CALLS_TEXT_BYTES = 64 << 20, /* of arguments and errors together */
};

/* A text that is borrowed for the call. */
struct mark_text {
	const char *bytes;
	size_t size_bytes;
};

struct mark_calls {
	struct profile *profile; /* borrowed */
	bool keeps_all;
	struct site_calls {
		/* Of a call that is not as slow nothing is kept. */
		uint64_t threshold_ns;
		struct kept_call *slowest; /* MARK_CALLS_SLOWEST of them */
		uint32_t n_slowest;
		uint32_t n_errors;
	} * sites;
	size_t n_sites, sites_capacity;
	struct kept_call *others; /* with errors, and open */
	size_t n_others, others_capacity;
	size_t n_errors;
	size_t n_open;
	uint64_t text_bytes;
};

void mark_calls_init(struct mark_calls *calls, struct profile *profile, bool keeps_all);
void mark_calls_release(struct mark_calls *calls);

/*
 * Would a call of this duration be kept that did not fail?  For the usual call
 * this is all.
 */
static inline bool mark_calls_wants(const struct mark_calls *calls, uint32_t site,
				    uint64_t duration_ns)
{
	return calls->keeps_all || site >= calls->n_sites ||
	       duration_ns > calls->sites[site].threshold_ns;
}

/*
 * A call ended, or never will; `call->arguments` and `call->error` are not looked
 * at.  Returns 0 or -ENOMEM.
 */
int mark_calls_add(struct mark_calls *calls, uint32_t site, const struct scope_call *call,
		   struct mark_text arguments, struct mark_text error);

/* Everything was told: put what is kept into the profile.  Returns 0 or -ENOMEM. */
int mark_calls_finish(struct mark_calls *calls);

#endif
