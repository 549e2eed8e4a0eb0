#ifndef TSPROF_TREE_FUNCTION_FIND_H
#define TSPROF_TREE_FUNCTION_FIND_H

#include <stdbool.h>

#include "base/error.h"
#include "tree/calltree.h"

/*
 * The frames of one function, from what a user types: its name, else its name
 * less the parameters, else a part of one name, else an extended regular
 * expression that fits one name.  A name that several modules have is one
 * function here.  `is_wanted` has tree->n_frames entries, all written.
 *
 * -ENOENT, listing the nearest names, when nothing fits; -EINVAL, listing the
 * heaviest candidates, when several names do.
 */
int function_find(const struct calltree *tree, const char *text, bool *is_wanted,
		  struct error *err);

#endif
