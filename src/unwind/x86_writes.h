#ifndef TSPROF_UNWIND_X86_WRITES_H
#define TSPROF_UNWIND_X86_WRITES_H

#include <stdint.h>

#include "unwind/x86_instruction.h"

/*
 * The general registers that an instruction writes, as instructions number them: bit n for
 * the register n.  What calls, pushes and pops do is left out.  Source: Intel SDM volume 2,
 * appendix A.  Here and there it is one too many, of those that calls change anyway.
 */
uint32_t x86_instruction_writes(const struct x86_instruction *instruction);

#endif
