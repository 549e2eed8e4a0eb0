#ifndef TSPROF_OS_BPF_KERNEL_H
#define TSPROF_OS_BPF_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/bpf_code.h"

/*
 * bpf(2), as far as tsprof needs it.  What is made has a descriptor of its own, and is
 * gone with it.  All return a negative errno when the kernel refuses: to those without rights
 * (CAP_BPF and CAP_PERFMON), in containers with a filter, where it is not built in.
 */

/* A value that programs and this process share, to be mapped; all zeros. */
int bpf_kernel_new_value(size_t value_bytes);

/* A ring that programs write to, see os/bpf_ring.h.  A power of two of pages. */
int bpf_kernel_new_ring(size_t data_bytes);

/* A list of rings, which programs choose from; `ring_fd` is one like those that it will have. */
int bpf_kernel_new_ring_list(uint32_t n_rings, int ring_fd);
int bpf_kernel_set_ring(int list_fd, uint32_t index, int ring_fd);

/*
 * A table from numbers to numbers.  When it is full those that programs asked for
 * least lately are forgotten.
 */
int bpf_kernel_new_table(uint32_t n_entries);
int bpf_kernel_set_number(int table_fd, uint32_t key, uint64_t value);

/*
 * Programs number processes and threads as the first pid namespace does.  0 when that is ours,
 * so that perf's numbers are the same; else -EOPNOTSUPP, or why it cannot be told.
 */
int bpf_kernel_check_pids(struct error *err);

/* What a program is run for. */
enum bpf_kernel_purpose { BPF_KERNEL_PROBE, BPF_KERNEL_SAMPLE };

/* A program, checked by the kernel and made into machine code. */
int bpf_kernel_load(enum bpf_kernel_purpose purpose, const struct bpf_code *code);

/* What one of them returned, in words; returns it. */
int bpf_kernel_error(int code, struct error *err);

#endif
