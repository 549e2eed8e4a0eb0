#ifndef TSPROF_OS_MARK_SENDER_H
#define TSPROF_OS_MARK_SENDER_H

#include "base/error.h"

/*
 * A milestone of now, sent to the recorder that the environment names (see
 * lib/marks_hello_wire.h); `data` may be empty.  Waits for nobody: a recorder that is
 * stopped finds it later.  -ENOENT: this is not part of a recording; -E2BIG: too long.
 */
int mark_send(const char *name, const char *data, struct error *err);

#endif
