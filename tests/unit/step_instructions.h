#ifndef TSPROF_TESTS_UNIT_STEP_INSTRUCTIONS_H
#define TSPROF_TESTS_UNIT_STEP_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a stepper has to know of the x86-64 instruction that comes next. */

/* call rel32 is e8, call r/m is ff /2; bnd, notrack, data16 and REX may stand before them. */
static inline bool is_call(const uint8_t *bytes)
{
	size_t i = 0;

	while (i < 4 && (bytes[i] == 0xf2 || bytes[i] == 0x3e || bytes[i] == 0x66 ||
			 bytes[i] == 0x67 || bytes[i] == 0x2e || (bytes[i] & 0xf0) == 0x40))
		i++;
	return bytes[i] == 0xe8 || (bytes[i] == 0xff && (bytes[i + 1] & 0x38) == 0x10);
}

static inline bool is_syscall(const uint8_t *bytes)
{
	return bytes[0] == 0x0f && bytes[1] == 0x05;
}

#endif
