#ifndef TSPROF_RECORD_PROBE_INLINES_H
#define TSPROF_RECORD_PROBE_INLINES_H

#include "model/profile.h"
#include "record/probe_plan.h"

/*
 * The first probe whose function was seen inlined into another of the same
 * file: such calls hit nothing.  NULL: none; then only calls that no
 * sample fell into can have been missed.  The profile has its names.
 */
const struct probe *probe_inlines_find(const struct probe_plan *plan,
				       const struct profile *profile);

#endif
