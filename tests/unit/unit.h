#ifndef TSPROF_TESTS_UNIT_UNIT_H
#define TSPROF_TESTS_UNIT_UNIT_H

/* What cmocka wants to see before its own header, in one place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_ITEMS(array) (sizeof(array) / sizeof((array)[0]))

#endif
