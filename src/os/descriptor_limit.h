#ifndef TSPROF_OS_DESCRIPTOR_LIMIT_H
#define TSPROF_OS_DESCRIPTOR_LIMIT_H

/*
 * Allow this process as many descriptors as it may allow itself: each program that is
 * recorded takes one or two.  Children that are made later inherit it, so the command
 * comes first.
 */
void descriptor_limit_raise(void);

#endif
