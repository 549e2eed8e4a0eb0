#ifndef TSPROF_PROFILE_MERGE_MARKS_H
#define TSPROF_PROFILE_MERGE_MARKS_H

#include "profile/merge_maps.h"

/*
 * The marks of one profile into another whose threads and runs are there
 * already; sets maps->scopes.  Places that are alike are one, and so are
 * scopes nested alike, whose statistics are added up.  0, -ENOMEM, or -EOVERFLOW when
 * it is more than one profile can hold.
 */
int merge_marks(struct merge_maps *maps);

#endif
