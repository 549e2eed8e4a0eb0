#ifndef TSPROF_SYMBOL_PROBE_SPOT_H
#define TSPROF_SYMBOL_PROBE_SPOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Where in the first instructions of a function a probe costs least.
 *
 * A probe replaces an instruction by a break point.  The kernel carries out a
 * few kinds of instructions by itself; all others it has to run in a place of
 * their own, one at a time, which takes ten to twenty times as long
 * (arch/x86/kernel/uprobes.c, arch/arm64/kernel/probes/decode-insn.c).
 *
 * Another spot than the first instruction is only taken when it is as good for
 * everything that is asked at a function's entry: whoever enters the function
 * comes there, once; the stack pointer, the return address and the registers of
 * the arguments are what they were.
 */
struct probe_spot {
	uint32_t skip_bytes; /* from the function's first byte */
	bool is_stepped;     /* dear */
};

/* `machine` is EM_X86_64 or EM_AARCH64; `code` are the function's first bytes. */
struct probe_spot probe_spot_find(uint16_t machine, const uint8_t *code, size_t size_bytes);

#endif
