/* What the kernel emulates, by the first bytes of an instruction; see probe_spot.h. */
#include "symbol/probe_spot.h"

#include <elf.h>
#include <string.h>

#include "symbol/skippable.h"

enum { ENDBR_BYTES = 4, NOP_MAX_BYTES = 8, SKIPPED_MAX = 8 };

/* The nops that the kernel itself pads with (asm/nops.h), by length; it knows no others. */
static const uint8_t nops[NOP_MAX_BYTES + 1][NOP_MAX_BYTES] = {
	{ 0 },
	{ 0x90 },
	{ 0x66, 0x90 },
	{ 0x0f, 0x1f, 0x00 },
	{ 0x0f, 0x1f, 0x40, 0x00 },
	{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
	{ 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00 },
};

static bool x86_is_nop(const uint8_t *code, size_t size_bytes)
{
	for (size_t n = 1; n <= NOP_MAX_BYTES && n <= size_bytes; n++)
		if (memcmp(code, nops[n], n) == 0)
			return true;
	return false;
}

static bool x86_is_push(const uint8_t *code, size_t size_bytes)
{
	const size_t prefix = size_bytes > 1 && code[0] == 0x41;

	return size_bytes > prefix && code[prefix] >= 0x50 && code[prefix] <= 0x57;
}

/* jmp, call and conditional jumps, relative; none with a prefix. */
static bool x86_is_branch(const uint8_t *code, size_t size_bytes)
{
	const uint8_t first = size_bytes ? code[0] : 0;

	if (first == 0xeb || first == 0xe9 || first == 0xe8 || (first >= 0x70 && first <= 0x7f))
		return true;
	return size_bytes > 1 && first == 0x0f && code[1] >= 0x80 && code[1] <= 0x8f;
}

static bool x86_is_emulated(const uint8_t *code, size_t size_bytes)
{
	return x86_is_nop(code, size_bytes) || x86_is_push(code, size_bytes) ||
	       x86_is_branch(code, size_bytes);
}

static bool x86_is_endbr(const uint8_t *code, size_t size_bytes)
{
	static const uint8_t endbr64[ENDBR_BYTES] = { 0xf3, 0x0f, 0x1e, 0xfa };

	return size_bytes >= ENDBR_BYTES && memcmp(code, endbr64, ENDBR_BYTES) == 0;
}

/*
 * Nobody comes to the bytes behind `vaddr` up to the spot but from the function's
 * beginning, as far as direct jumps and calls of the whole segment go; and the function itself
 * does not compute where it jumps.
 */
static bool is_straight(const struct probe_code *function, const uint8_t *code, size_t size_bytes,
			uint64_t spot)
{
	return function->size_bytes && size_bytes >= function->size_bytes &&
	       !skippable_may_jump_anywhere(code, function->size_bytes) &&
	       !skippable_may_be_jumped_to(function->text, function->text_bytes,
					   function->text_vaddr, function->vaddr + 1, spot);
}

/* Behind what may be skipped, the first instruction that is cheap; 0 when there is none. */
static size_t x86_cheaper(const struct probe_code *function, const uint8_t *code, size_t size_bytes)
{
	size_t at = x86_is_endbr(code, size_bytes) ? ENDBR_BYTES : 0;

	for (int i = 0; i < SKIPPED_MAX; i++) {
		const size_t n = at < size_bytes ? skippable_bytes(code + at, size_bytes - at,
								   function->keeps_arguments)
						 : 0;

		if (!n || at + n >= function->size_bytes)
			return 0;
		at += n;
		if (x86_is_emulated(code + at, size_bytes - at))
			return is_straight(function, code, size_bytes, function->vaddr + at) ? at
											     : 0;
	}
	return 0;
}

/* endbr64 is stepped; it changes nothing, so what follows it will do. */
static struct probe_spot x86_find(const struct probe_code *function, const uint8_t *code,
				  size_t size_bytes)
{
	size_t skipped;

	if (x86_is_emulated(code, size_bytes))
		return (struct probe_spot){ 0 };
	if (x86_is_endbr(code, size_bytes) &&
	    x86_is_emulated(code + ENDBR_BYTES, size_bytes - ENDBR_BYTES))
		return (struct probe_spot){ .skip_bytes = ENDBR_BYTES };
	skipped = x86_cheaper(function, code, size_bytes);
	return (struct probe_spot){ .skip_bytes = (uint32_t)skipped, .is_stepped = !skipped };
}

/* Branches, and what reads memory or an address relative to the pc. */
static bool aarch64_is_simulated(uint32_t word)
{
	return (word & 0x7c000000) == 0x14000000 || /* b, bl */
	       (word & 0xff000010) == 0x54000000 || /* b.cond */
	       (word & 0x7e000000) == 0x34000000 || /* cbz, cbnz */
	       (word & 0x7e000000) == 0x36000000 || /* tbz, tbnz */
	       (word & 0xff9ffc1f) == 0xd61f0000 || /* br, blr, ret */
	       (word & 0x1f000000) == 0x10000000 || /* adr, adrp */
	       (word & 0xbf000000) == 0x18000000 || /* ldr literal */
	       (word & 0xff000000) == 0x98000000;   /* ldrsw literal */
}

static struct probe_spot aarch64_find(const uint8_t *code, size_t size_bytes)
{
	uint32_t word = 0;

	if (size_bytes >= sizeof(word))
		memcpy(&word, code, sizeof(word));
	return (struct probe_spot){ .is_stepped = !aarch64_is_simulated(word) };
}

struct probe_spot probe_spot_find(const struct probe_code *function)
{
	const uint64_t offset = function->vaddr - function->text_vaddr;
	const uint8_t *code;

	if (offset >= function->text_bytes)
		return (struct probe_spot){ .is_stepped = true };
	code = function->text + offset;
	return function->machine == EM_X86_64
		       ? x86_find(function, code, function->text_bytes - offset)
		       : aarch64_find(code, function->text_bytes - offset);
}
