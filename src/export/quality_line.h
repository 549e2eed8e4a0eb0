#ifndef TSPROF_EXPORT_QUALITY_LINE_H
#define TSPROF_EXPORT_QUALITY_LINE_H

#include "base/buffer.h"
#include "model/profile.h"

/*
 * How far a profile can be trusted, in one line without a newline:
 *
 *	4,985 samples at 997 Hz over 5.01 s, 0 lost, 99.9 % complete stacks
 *	(0.1 % stack dump), 0.3 % unresolved, sampled 5.00 s of 5.02 s CPU
 *
 * What is zero and would only reassure is left out, except "0 lost".  Imports
 * tell their samples and where they come from; a cut file says so.  Contains
 * no text of the target, so it needs no escaping.
 */
void quality_line_write(struct buffer *out, const struct profile *profile);

#endif
