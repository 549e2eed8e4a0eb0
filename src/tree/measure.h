#ifndef TSPROF_TREE_MEASURE_H
#define TSPROF_TREE_MEASURE_H

#include <stdint.h>

#include "base/interval.h"
#include "tree/calltree.h"

/*
 * A value of a tree as a report states it: in the tree's unit (nanoseconds, or
 * samples when it is not timed), as a share of the whole tree, and with the
 * 95 % confidence interval of that share.
 *
 * The trials behind the interval are the tree's samples as such, not the ticks
 * that they stand for: a tick that was missed has not been drawn.  Where some
 * stand for more than others, as after ticks that did not come or in a merge of
 * runs at several rates, they are fewer: as many of equal weight as would have
 * the same error.  Imports give counts only, and there every counted one is a
 * trial.
 */
struct measure {
	uint64_t weight;
	uint64_t n_ticks;
	double share; /* 0…1; 0 in an empty tree */
	struct interval interval;
};

struct measure measure_of(const struct calltree *tree, const struct calltree_value *value);

#endif
