/* Instruction patterns: Intel SDM volume 2 for calls, Arm ARM C4.1 for aarch64. */
#include "unwind/code_bytes.h"

#include <stddef.h>
#include <string.h>

enum {
	X86_CALL_RELATIVE = 0xe8,
	X86_GROUP_5 = 0xff, /* with 2 in the reg field: call near indirect */
	X86_CALL_MAX_BYTES = 7,
	X86_EXIT_WINDOW = 16, /* moving the result into place takes a few bytes */
};

/* The length of `ff /2` with these operands, 0 when it is something else. */
static size_t x86_indirect_call_size(const uint8_t *code)
{
	const unsigned int mode = code[1] >> 6;
	const unsigned int operand = code[1] & 7;
	size_t size = 2;

	if (code[0] != X86_GROUP_5 || ((code[1] >> 3) & 7) != 2)
		return 0;
	if (mode == 3)
		return size;
	if (operand == 4)
		size++; /* SIB byte */
	if (mode == 1)
		size += 1;
	else if (mode == 2 || operand == 5 || (operand == 4 && (code[2] & 7) == 5))
		size += 4;
	return size;
}

static bool x86_is_call_end(const struct elf_image *image, uint64_t vaddr)
{
	/* Most calls are relative; the others may begin up to seven bytes before. */
	const uint8_t *code = elf_image_at_vaddr(image, vaddr - 5, 5);

	if (code && code[0] == X86_CALL_RELATIVE)
		return true;
	code = elf_image_at_vaddr(image, vaddr - X86_CALL_MAX_BYTES, X86_CALL_MAX_BYTES);
	for (size_t size = 2; code && size <= X86_CALL_MAX_BYTES; size++) {
		uint8_t call[X86_CALL_MAX_BYTES] = { 0 };

		memcpy(call, code + X86_CALL_MAX_BYTES - size, size);
		if (x86_indirect_call_size(call) == size)
			return true;
	}
	return false;
}

static uint32_t aarch64_instruction(const struct elf_image *image, uint64_t vaddr)
{
	const uint8_t *code = elf_image_at_vaddr(image, vaddr, 4);
	uint32_t instruction = 0;

	if (code)
		memcpy(&instruction, code, sizeof(instruction));
	return instruction;
}

static bool aarch64_is_call_end(const struct elf_image *image, uint64_t vaddr)
{
	const uint32_t code = aarch64_instruction(image, vaddr - 4);

	return (code & 0xfc000000) == 0x94000000 || /* bl */
	       (code & 0xfffffc1f) == 0xd63f0000 || /* blr */
	       (code & 0xfefff800) == 0xd63f0800;   /* blraa, blrab, blraaz, blrabz */
}

bool code_is_call_end(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	return arch == ARCH_X86_64 ? x86_is_call_end(image, vaddr)
				   : aarch64_is_call_end(image, vaddr);
}

bool code_call_target(const struct elf_image *image, enum arch arch, uint64_t vaddr,
		      uint64_t *ret_target)
{
	enum { X86_CALL_BYTES = 5, AARCH64_OFFSET_BITS = 26 };
	const uint8_t *code = elf_image_at_vaddr(image, vaddr - X86_CALL_BYTES, X86_CALL_BYTES);
	const uint32_t instruction = aarch64_instruction(image, vaddr - 4);
	int32_t offset;

	if (arch == ARCH_AARCH64) {
		offset = (int32_t)(instruction << (32 - AARCH64_OFFSET_BITS)) >>
			 (32 - AARCH64_OFFSET_BITS);
		*ret_target = vaddr - 4 + (uint64_t)(offset * INT64_C(4));
		return (instruction & 0xfc000000) == 0x94000000;
	}
	if (!code || code[0] != 0xe8)
		return false;
	memcpy(&offset, code + 1, sizeof(offset));
	*ret_target = vaddr + (uint64_t)(int64_t)offset;
	return true;
}

bool code_is_sigreturn(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	/* mov $15,%rax (or %eax); syscall */
	static const uint8_t x86_long[] = { 0x48, 0xc7, 0xc0, 15, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t x86_short[] = { 0xb8, 15, 0, 0, 0, 0x0f, 0x05 };
	/* mov x8,#139; svc #0 */
	static const uint8_t aarch64[] = { 0x68, 0x11, 0x80, 0xd2, 0x01, 0, 0, 0xd4 };
	/* Where the code begins, seen from vaddr: at its own instructions or one behind. */
	static const int8_t starts[] = { 1, 0, -4, -5, -7, -8, -9 };

	for (size_t i = 0; i < sizeof(starts); i++) {
		const uint64_t start = vaddr + (uint64_t)(int64_t)starts[i];
		const uint8_t *code = elf_image_at_vaddr(image, start, sizeof(x86_short));

		if (!code)
			continue;
		if (arch == ARCH_X86_64 && memcmp(code, x86_short, sizeof(x86_short)) == 0)
			return true;
		code = elf_image_at_vaddr(image, start, sizeof(aarch64));
		if (code && arch == ARCH_AARCH64 && memcmp(code, aarch64, sizeof(aarch64)) == 0)
			return true;
		code = elf_image_at_vaddr(image, start, sizeof(x86_long));
		if (code && arch == ARCH_X86_64 && memcmp(code, x86_long, sizeof(x86_long)) == 0)
			return true;
	}
	return false;
}

bool code_is_before_exit(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	/* mov $60,%eax; syscall and mov $60,%al; syscall */
	static const uint8_t x86_long[] = { 0xb8, 60, 0, 0, 0, 0x0f, 0x05 };
	static const uint8_t x86_short[] = { 0xb0, 60, 0x0f, 0x05 };
	const uint64_t behind = vaddr + 1;
	const uint8_t *code;

	if (!code_is_call_end(image, arch, behind))
		return false;
	/* mov x8,#93; svc #0 */
	if (arch == ARCH_AARCH64)
		return aarch64_instruction(image, behind) == 0xd2800ba8 &&
		       aarch64_instruction(image, behind + 4) == 0xd4000001;
	code = elf_image_at_vaddr(image, behind, X86_EXIT_WINDOW);
	return code && (memmem(code, X86_EXIT_WINDOW, x86_long, sizeof(x86_long)) ||
			memmem(code, X86_EXIT_WINDOW, x86_short, sizeof(x86_short)));
}

/* nop; call; nop where a function begins, and mov x0,x0; bl */
bool code_is_goexit(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	enum { ALIGNMENT = 16, NOP = 0x90, CALL = 0xe8, CALL_AT = 1, SECOND_AT = 6, BYTES = 7 };
	const uint64_t first = vaddr & ~UINT64_C(3);
	const uint8_t *code = elf_image_at_vaddr(image, vaddr, BYTES);

	if (arch == ARCH_AARCH64)
		return first % ALIGNMENT == 0 && aarch64_instruction(image, first) == 0xaa0003e0 &&
		       (aarch64_instruction(image, first + 4) & 0xfc000000) == 0x94000000;
	return vaddr % ALIGNMENT == 0 && code && code[0] == NOP && code[CALL_AT] == CALL &&
	       code[SECOND_AT] == NOP;
}

/* syscall; test %rax,%rax; jl …; je …, or as musl has it: syscall; test %eax,%eax; jne … */
static bool x86_is_new_thread(const struct elf_image *image, uint64_t vaddr)
{
	static const uint8_t offsets[] = { 2, 5, 7 };
	static const uint8_t musl[] = { 0x0f, 0x05, 0x85, 0xc0, 0x75 };
	static const uint8_t glibc[] = { 0x0f, 0x05, 0x48, 0x85, 0xc0, 0x7c };
	enum { JE_AT = 7, GLIBC_BYTES = 9 };
	const uint8_t *code = elf_image_at_vaddr(image, vaddr - 2, sizeof(musl));

	if (code && memcmp(code, musl, sizeof(musl)) == 0)
		return true;
	for (size_t i = 0; i < sizeof(offsets); i++) {
		code = elf_image_at_vaddr(image, vaddr - offsets[i], GLIBC_BYTES);
		if (code && memcmp(code, glibc, sizeof(glibc)) == 0 && code[JE_AT] == 0x74)
			return true;
	}
	return false;
}

/* svc #0; cmp x0,#0; b.eq …, or as musl has it: svc #0; cbz x0,… */
static bool aarch64_is_new_thread(const struct elf_image *image, uint64_t vaddr)
{
	const uint32_t before = aarch64_instruction(image, vaddr - 4);
	const uint32_t code = aarch64_instruction(image, vaddr);
	const uint32_t behind = aarch64_instruction(image, vaddr + 4);

	if (before == 0xf100001f && (code & 0xff00001f) == 0x54000000)
		return aarch64_instruction(image, vaddr - 8) == 0xd4000001;
	if (before != 0xd4000001)
		return false;
	return (code & 0xff00001f) == 0xb4000000 ||
	       (code == 0xf100001f && (behind & 0xff00001f) == 0x54000000);
}

bool code_is_new_thread(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	return arch == ARCH_X86_64 ? x86_is_new_thread(image, vaddr)
				   : aarch64_is_new_thread(image, vaddr);
}

static int16_t crt_cfa_words(const struct elf_section *section, uint64_t vaddr)
{
	static const uint8_t landing_pad[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	static const uint8_t prologue[] = { 0x48, 0x83, 0xec, 0x08 };
	static const uint8_t epilogue[] = { 0x48, 0x83, 0xc4, 0x08, 0xc3 };
	const uint64_t offset = vaddr - section->vaddr;
	size_t body = 0;

	if (!section->bytes || offset >= section->size_bytes || section->is_compressed ||
	    section->size_bytes < sizeof(landing_pad) + sizeof(prologue) + sizeof(epilogue))
		return 0;
	if (!memcmp(section->bytes, landing_pad, sizeof(landing_pad)))
		body = sizeof(landing_pad);
	if (memcmp(section->bytes + body, prologue, sizeof(prologue)) != 0 ||
	    memcmp(section->bytes + section->size_bytes - sizeof(epilogue), epilogue,
		   sizeof(epilogue)) != 0)
		return 0;
	body += sizeof(prologue);
	return offset < body || offset + 1 == section->size_bytes ? 1 : 2;
}

int16_t code_crt_cfa_words(const struct elf_image *image, enum arch arch, uint64_t vaddr)
{
	static const char *const names[] = { ".init", ".fini" };

	for (size_t i = 0; arch == ARCH_X86_64 && i < sizeof(names) / sizeof(names[0]); i++) {
		const struct elf_section section = elf_image_section(image, names[i]);
		const int16_t words = crt_cfa_words(&section, vaddr);

		if (words)
			return words;
	}
	return 0;
}
