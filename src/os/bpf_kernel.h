#ifndef TSPROF_OS_BPF_KERNEL_H
#define TSPROF_OS_BPF_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

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
 * A program for probes, checked by the kernel and made into machine code.  `insns` are
 * struct bpf_insn of <linux/bpf.h>.
 */
int bpf_kernel_load(const uint64_t *insns, size_t n_insns);

#endif
