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

/* What is known of the function. */
struct probe_code {
	uint16_t machine;    /* EM_X86_64 or EM_AARCH64 */
	uint64_t vaddr;	     /* of the function */
	uint64_t size_bytes; /* of it; 0: not known, and then little can be told */
	const uint8_t *text; /* the segment that it is in, from where others might jump to it */
	size_t text_bytes;
	uint64_t text_vaddr;
	bool keeps_arguments; /* they are asked for at the spot */
};

struct probe_spot probe_spot_find(const struct probe_code *function);

#endif
