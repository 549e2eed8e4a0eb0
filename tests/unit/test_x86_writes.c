/* Which registers instructions write: one of each kind, as assembled by binutils. */
#include "unit.h"

#include "unwind/x86_writes.h"

enum {
	RAX = 1 << 0,
	RCX = 1 << 1,
	RDX = 1 << 2,
	RBX = 1 << 3,
	RSP = 1 << 4,
	RBP = 1 << 5,
	RSI = 1 << 6,
	RDI = 1 << 7,
	R8 = 1 << 8,
	R12 = 1 << 12,
	R13 = 1 << 13,
	R15 = 1 << 15,
};

struct wanted {
	const char *text;
	const char *bytes;
	size_t n_bytes;
	uint32_t written;
};

#define WRITES(text, bytes, written)                                                               \
	{                                                                                          \
		text, bytes, sizeof(bytes) - 1, written                                            \
	}

static const struct wanted all_wanted[] = {
	WRITES("add %rbx,%rsp", "\x48\x01\xdc", RSP),
	WRITES("add (%rbx),%rbp", "\x48\x03\x2b", RBP),
	WRITES("cmp %rbx,%rbp", "\x48\x39\xdd", 0),
	WRITES("xor %dh,%bl", "\x30\xf3", RBX),
	WRITES("xor %bl,%dh", "\x30\xde", RDX),
	WRITES("xor %bl,%sil", "\x40\x30\xde", RSI),
	WRITES("and $1,%al", "\x24\x01", RAX),
	WRITES("movslq %ebx,%rbp", "\x48\x63\xeb", RBP),
	WRITES("imul $3,%rax,%r12", "\x4c\x6b\xe0\x03", R12),
	WRITES("andq $-32,%rsp", "\x48\x83\xe4\xe0", RSP),
	WRITES("cmpq $1,%rbx", "\x48\x83\xfb\x01", 0),
	WRITES("test %rbx,%rbx", "\x48\x85\xdb", 0),
	WRITES("xchg %rbx,%rsi", "\x48\x87\xf3", RBX | RSI),
	WRITES("mov %rbx,(%rbp)", "\x48\x89\x5d\x00", 0),
	WRITES("mov (%rbp),%rbx", "\x48\x8b\x5d\x00", RBX),
	WRITES("lea 8(%rbp),%rbx", "\x48\x8d\x5d\x08", RBX),
	WRITES("nop", "\x90", 0),
	WRITES("xchg %rax,%r8", "\x49\x90", RAX | R8),
	WRITES("xchg %rax,%rsp", "\x48\x94", RAX | RSP),
	WRITES("cqo", "\x48\x99", RDX),
	WRITES("rep movsb", "\xf3\xa4", RSI | RDI | RCX | RAX),
	WRITES("test $1,%al", "\xa8\x01", 0),
	WRITES("addr32 mov 0x12345678,%eax", "\x67\xa1\x78\x56\x34\x12", RAX),
	WRITES("mov $1,%bh", "\xb7\x01", RBX),
	WRITES("mov $1,%r13d", "\x41\xbd\x01\x00\x00\x00", R13),
	WRITES("shl $2,%rbp", "\x48\xc1\xe5\x02", RBP),
	WRITES("movl $1,(%rbp)", "\xc7\x45\x00\x01\x00\x00\x00", 0),
	WRITES("frndint", "\xd9\xfc", 0),
	WRITES("neg %rbx", "\x48\xf7\xdb", RBX),
	WRITES("mul %rbx", "\x48\xf7\xe3", RAX | RDX),
	WRITES("incl %ebp", "\xff\xc5", RBP),
	WRITES("cmove %rbx,%rsp", "\x48\x0f\x44\xe3", RSP),
	WRITES("movzbl (%rbx),%ebp", "\x0f\xb6\x2b", RBP),
	WRITES("sete %bl", "\x0f\x94\xc3", RBX),
	WRITES("sete %spl", "\x40\x0f\x94\xc4", RSP),
	WRITES("bswap %r15", "\x49\x0f\xcf", R15),
	WRITES("cpuid", "\x0f\xa2", RAX | RBX | RCX | RDX),
	WRITES("bt $5,%rbx", "\x48\x0f\xba\xe3\x05", 0),
	WRITES("bts $5,%rbx", "\x48\x0f\xba\xeb\x05", RBX),
	WRITES("cmpxchg %rbx,%rbp", "\x48\x0f\xb1\xdd", RAX | RBP),
	WRITES("endbr64", "\xf3\x0f\x1e\xfa", 0),
	WRITES("rdsspq %rbx", "\xf3\x48\x0f\x1e\xcb", RBX),
	WRITES("movaps %xmm5,(%rsp)", "\x0f\x29\x2c\x24", 0),
	WRITES("movups (%rsp),%xmm5", "\x0f\x10\x2c\x24", 0),
	WRITES("movq %xmm0,%rbx", "\x66\x48\x0f\x7e\xc3", RBX),
	WRITES("movq %xmm3,%xmm5", "\xf3\x0f\x7e\xeb", 0),
	WRITES("cvttsd2si %xmm0,%rbx", "\xf2\x48\x0f\x2c\xd8", RBX),
	WRITES("extrq $1,$2,%xmm3", "\x66\x0f\x78\xc3\x02\x01", 0),
	WRITES("pextrq $1,%xmm0,%rbx", "\x66\x48\x0f\x3a\x16\xc3\x01", RBX),
	WRITES("crc32q %rbx,%rbp", "\xf2\x48\x0f\x38\xf1\xeb", RBP),
	WRITES("vmovdqu (%rsp),%ymm5", "\xc5\xfe\x6f\x2c\x24", 0),
	WRITES("vmovq %xmm0,%rbx", "\xc4\xe1\xf9\x7e\xc3", RBX),
	WRITES("vpmovmskb %ymm0,%ebx", "\xc5\xfd\xd7\xd8", RBX),
	WRITES("kmovd %k1,%ebx", "\xc5\xfb\x93\xd9", RBX),
	WRITES("kandb %k1,%k2,%k5", "\xc5\xed\x41\xe9", 0),
	WRITES("blsr %rbp,%rbx", "\xc4\xe2\xe0\xf3\xcd", RBX),
	WRITES("mulx %rsi,%rbx,%rbp", "\xc4\xe2\xe3\xf6\xee", RBX | RBP),
	WRITES("shlx %rbx,%rsi,%rbp", "\xc4\xe2\xe1\xf7\xee", RBP),
	WRITES("rorx $1,%rsi,%rbp", "\xc4\xe3\xfb\xf0\xee\x01", RBP),
};

static void instructions__write_these_registers(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ITEMS(all_wanted); i++) {
		const struct wanted *wanted = &all_wanted[i];
		struct x86_instruction instruction;
		uint32_t written;

		if (!x86_instruction_read(&instruction, (const uint8_t *)wanted->bytes,
					  wanted->n_bytes) ||
		    instruction.size_bytes != wanted->n_bytes)
			fail_msg("%s: %zu bytes", wanted->text, instruction.size_bytes);
		written = x86_instruction_writes(&instruction);
		if (written != wanted->written)
			fail_msg("%s: %x instead of %x", wanted->text, written, wanted->written);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions__write_these_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
