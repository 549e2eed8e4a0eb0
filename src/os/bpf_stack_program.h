#ifndef TSPROF_OS_BPF_STACK_PROGRAM_H
#define TSPROF_OS_BPF_STACK_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "model/raw_sample.h"
#include "model/registers.h"
#include "os/bpf_code.h"

/*
 * The program that the kernel runs at each tick, before perf makes its sample: it copies
 * the user stack into the ring of its CPU, as much of it as is in use.  perf's own
 * dump reserves the whole length that was asked for, and copies until it faults.
 *
 * Pages that are not there, as large arrays have that nothing was written to yet, are left out of
 * a stack whose end is known.  Of one that is deeper than can be copied the outermost end is
 * copied besides.  So it is where the thread is on another stack, as its handlers of signals may
 * be.  A deep stack of a thread that the recorder has told nothing of yet is taken to end where the
 * first page is not there, which the program tells itself.
 *
 * Where the record can tell all that perf would, it is whole, and perf makes no sample: the
 * thread was in its own code of 64 bits, and the tick before on this CPU was its own too, at
 * most `whole_ns` ago, so that this one stands for a period.
 */
enum {
	BPF_STACK_N_REGISTERS = ARCH_NATIVE == ARCH_X86_64 ? X86_64_N_REGISTERS
							   : AARCH64_N_REGISTERS
};

struct bpf_stack_record {
	uint64_t time_ns; /* CLOCK_MONOTONIC, when the program began */
	uint32_t tid;	  /* of the first pid namespace */
	uint32_t pid;
	uint64_t sp; /* the user's */
	uint64_t ip;
	uint32_t size_bytes; /* copied; they follow */
	uint32_t is_limited; /* to the end that the table tells, else by what is mapped */
	uint32_t is_whole;   /* else registers are not set, and the rest is in perf's sample */
	uint32_t is_paged;   /* page by page, else at once */
	uint32_t top_bytes;  /* of the outermost end; 0: it was not copied */
	uint32_t unused;
	uint64_t top; /* where they are from */
	/* Pages of the stack that are not there, from that of sp on: bits. */
	uint64_t absent[RAW_SAMPLE_PAGE_WORDS];
	uint64_t length; /* of what is copied page by page */
	uint64_t limit;	 /* of pages that are not there: behind so many bytes the first ends it */
	uint64_t registers[BPF_STACK_N_REGISTERS]; /* as struct registers has them */
};

/* A CPU's last tick. */
struct bpf_stack_cpu {
	uint64_t thread; /* pid and tid; 0: there is nothing to go on from */
	uint64_t time_ns;
	uint64_t is_whole; /* what is written now */
	uint64_t is_new;   /* … is of a thread that the table has nothing of */
	uint64_t unused[4];
};

/*
 * Of the end of a thread's stack, as the table tells it: copying all of it at once has failed, and
 * is not tried again until this is taken off.  The program sets it.
 */
#define BPF_STACK_IS_PAGED UINT64_C(1)

struct bpf_stack_options {
	int list_fd;		/* of rings, by CPU */
	int table_fd;		/* where the stacks of threads end, by tid; 0: not known */
	int cpus_fd;		/* a value: a struct bpf_stack_cpu for each CPU */
	uint32_t n_cpus;	/* of it; a power of two */
	uint32_t whole_ns;	/* whole within that time after the tick before; 0: never */
	uint32_t asked_bytes;	/* of each stack, at most */
	uint32_t most_bytes;	/* … of one whose end is known; not less */
	bool with_top;		/* the outermost end, where not all of a stack is copied */
	uint32_t wake_up_bytes; /* wake the recorder when so many wait in a ring */
};

/* The most of both pieces. */
enum { BPF_STACK_TOP_BYTES = 65536, BPF_STACK_MOST_BYTES = 524288 };

/* Where the outermost end is in a record that has it. */
uint32_t bpf_stack_program_top_at(uint32_t asked_bytes);

void bpf_stack_program_make(struct bpf_code *code, const struct bpf_stack_options *options);

#endif
