#ifndef TSPROF_TESTS_FUZZ_MARK_TABLES_H
#define TSPROF_TESTS_FUZZ_MARK_TABLES_H

#include "base/buffer.h"
#include "model/profile.h"

/* Every table of marks in every format, of the whole and of a part. */
void mark_tables_write_all(struct buffer *out, const struct profile *profile);

#endif
