#ifndef TSPROF_OS_BPF_CODE_H
#define TSPROF_OS_BPF_CODE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Instructions of a BPF program, one after the other.  What does not fit any more is
 * only counted: who is done asks once whether n_insns is more than BPF_CODE_MAX_INSNS.
 */
enum { BPF_CODE_MAX_INSNS = 2048 };

struct bpf_code {
	uint64_t insns[BPF_CODE_MAX_INSNS]; /* struct bpf_insn of <linux/bpf.h> */
	size_t n_insns;
};

void bpf_code_add(struct bpf_code *code, unsigned int operation, unsigned int to, unsigned int from,
		  int at, int32_t value);

void bpf_code_number(struct bpf_code *code, unsigned int to, int32_t value);

/* BPF_AND, BPF_OR, BPF_LSH, BPF_RSH, BPF_ADD, BPF_SUB with a constant, and with a register. */
void bpf_code_compute(struct bpf_code *code, unsigned int operation, unsigned int to,
		      int32_t value);
void bpf_code_combine(struct bpf_code *code, unsigned int operation, unsigned int to,
		      unsigned int with);

void bpf_code_move(struct bpf_code *code, unsigned int to, unsigned int from, int32_t plus);
void bpf_code_load(struct bpf_code *code, unsigned int to, unsigned int from, int at);
void bpf_code_store(struct bpf_code *code, unsigned int to, int at, unsigned int from,
		    size_t size_bytes);
void bpf_code_call(struct bpf_code *code, int32_t function);

/* A map, or the only value of one, by `kind` BPF_PSEUDO_MAP_…: two words. */
void bpf_code_map(struct bpf_code *code, unsigned int to, unsigned int kind, int fd);

/*
 * BPF_JEQ, BPF_JGT, … with a constant, with a register, or always; the place to fill in
 * with bpf_code_jump_here.
 */
size_t bpf_code_jump(struct bpf_code *code, unsigned int condition, unsigned int of, int32_t value);
size_t bpf_code_jump_by(struct bpf_code *code, unsigned int condition, unsigned int of,
			unsigned int than);
size_t bpf_code_go(struct bpf_code *code);
void bpf_code_jump_here(struct bpf_code *code, size_t from);

/* Always, to the instruction with that number, n_insns at its time. */
void bpf_code_go_back(struct bpf_code *code, size_t to);

#endif
