/* What the instructions are: linux/bpf.h, and Documentation/bpf/instruction-set.rst. */
#include "os/bpf_code.h"

#include <linux/bpf.h>
#include <string.h>

void bpf_code_add(struct bpf_code *code, unsigned int operation, unsigned int to, unsigned int from,
		  int at, int32_t value)
{
	const struct bpf_insn insn = {
		.code = (uint8_t)operation,
		.dst_reg = to & 0xf,
		.src_reg = from & 0xf,
		.off = (int16_t)at,
		.imm = value,
	};

	if (code->n_insns < BPF_CODE_MAX_INSNS)
		memcpy(&code->insns[code->n_insns], &insn, sizeof(insn));
	code->n_insns++;
}

void bpf_code_number(struct bpf_code *code, unsigned int to, int32_t value)
{
	bpf_code_add(code, BPF_ALU64 | BPF_MOV | BPF_K, to, 0, 0, value);
}

void bpf_code_compute(struct bpf_code *code, unsigned int operation, unsigned int to, int32_t value)
{
	bpf_code_add(code, BPF_ALU64 | operation | BPF_K, to, 0, 0, value);
}

void bpf_code_combine(struct bpf_code *code, unsigned int operation, unsigned int to,
		      unsigned int with)
{
	bpf_code_add(code, BPF_ALU64 | operation | BPF_X, to, with, 0, 0);
}

void bpf_code_move(struct bpf_code *code, unsigned int to, unsigned int from, int32_t plus)
{
	bpf_code_combine(code, BPF_MOV, to, from);
	if (plus)
		bpf_code_compute(code, BPF_ADD, to, plus);
}

void bpf_code_load(struct bpf_code *code, unsigned int to, unsigned int from, int at)
{
	bpf_code_add(code, BPF_LDX | BPF_MEM | BPF_DW, to, from, at, 0);
}

void bpf_code_store(struct bpf_code *code, unsigned int to, int at, unsigned int from,
		    size_t size_bytes)
{
	const unsigned int size = size_bytes == 1   ? BPF_B
				  : size_bytes == 2 ? BPF_H
				  : size_bytes == 4 ? BPF_W
						    : BPF_DW;

	bpf_code_add(code, BPF_STX | BPF_MEM | size, to, from, at, 0);
}

void bpf_code_call(struct bpf_code *code, int32_t function)
{
	bpf_code_add(code, BPF_JMP | BPF_CALL, 0, 0, 0, function);
}

void bpf_code_map(struct bpf_code *code, unsigned int to, unsigned int kind, int fd)
{
	bpf_code_add(code, BPF_LD | BPF_DW | BPF_IMM, to, kind, 0, fd);
	bpf_code_add(code, 0, 0, 0, 0, 0);
}

size_t bpf_code_jump(struct bpf_code *code, unsigned int condition, unsigned int of, int32_t value)
{
	bpf_code_add(code, BPF_JMP | condition | BPF_K, of, 0, 0, value);
	return code->n_insns - 1;
}

size_t bpf_code_jump_by(struct bpf_code *code, unsigned int condition, unsigned int of,
			unsigned int than)
{
	bpf_code_add(code, BPF_JMP | condition | BPF_X, of, than, 0, 0);
	return code->n_insns - 1;
}

size_t bpf_code_go(struct bpf_code *code)
{
	bpf_code_add(code, BPF_JMP | BPF_JA, 0, 0, 0, 0);
	return code->n_insns - 1;
}

void bpf_code_jump_here(struct bpf_code *code, size_t from)
{
	struct bpf_insn insn;

	if (code->n_insns > BPF_CODE_MAX_INSNS)
		return;
	memcpy(&insn, &code->insns[from], sizeof(insn));
	insn.off = (int16_t)(code->n_insns - from - 1);
	memcpy(&code->insns[from], &insn, sizeof(insn));
}

void bpf_code_go_back(struct bpf_code *code, size_t to)
{
	bpf_code_add(code, BPF_JMP | BPF_JA, 0, 0, (int)to - (int)code->n_insns - 1, 0);
}
