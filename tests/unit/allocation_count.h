#ifndef TSPROF_TESTS_UNIT_ALLOCATION_COUNT_H
#define TSPROF_TESTS_UNIT_ALLOCATION_COUNT_H

#include <stdint.h>

/*
 * How often this process asked for heap memory so far, libc's own calls
 * included.  A program that links this has its malloc replaced by one that
 * counts; where a sanitizer has replaced it already, that one is asked to tell.
 */
uint64_t allocation_count(void);

#endif
