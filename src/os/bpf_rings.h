#ifndef TSPROF_OS_BPF_RINGS_H
#define TSPROF_OS_BPF_RINGS_H

#include <stddef.h>

#include "base/error.h"
#include "os/bpf_ring.h"

/*
 * A ring for each CPU, and the list in which programs find that of theirs.  A CPU that is
 * switched off has none, and gets none later: perf's events have it left out too.  Programs
 * that run there nevertheless find no ring, as if there were no room.
 */
struct bpf_rings {
	int list_fd;
	struct bpf_ring *rings; /* by CPU; NULL: not open */
	size_t n_rings;
	size_t data_bytes; /* of each */
};

#define BPF_RINGS_INIT ((struct bpf_rings){ .list_fd = -1 })

/*
 * `data_bytes` for each of them, a power of two of pages; less where the kernel has no memory
 * for it, down to `min_bytes`.  A negative errno with the reason; what is open then is for
 * bpf_rings_close.
 */
int bpf_rings_open(struct bpf_rings *rings, size_t data_bytes, size_t min_bytes, struct error *err);
void bpf_rings_close(struct bpf_rings *rings);

/* The descriptor gets readable when a program wakes its reader. */
int bpf_rings_poll(const struct bpf_rings *rings, int epoll_fd, struct error *err);

/* In the ring that has most of it. */
uint64_t bpf_rings_waiting_bytes(const struct bpf_rings *rings);

/* bpf_ring_publish for each. */
void bpf_rings_publish(struct bpf_rings *rings);

#endif
