#include "os/bpf_rings.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "os/bpf_kernel.h"
#include "os/cpus.h"

static int open_ring(struct bpf_rings *rings, size_t n_cpus, size_t cpu, size_t data_bytes,
		     struct error *err)
{
	struct bpf_ring *ring = &rings->rings[cpu];
	int r = bpf_ring_open(ring, data_bytes, err);

	if (r < 0)
		return r;
	rings->n_rings++;
	if (rings->list_fd < 0)
		rings->list_fd = bpf_kernel_new_ring_list((uint32_t)n_cpus, ring->fd);
	r = rings->list_fd < 0 ? rings->list_fd
			       : bpf_kernel_set_ring(rings->list_fd, (uint32_t)cpu, ring->fd);
	return r < 0 ? bpf_kernel_error(r, err) : 0;
}

int bpf_rings_open(struct bpf_rings *rings, size_t data_bytes, struct error *err)
{
	const size_t n_cpus = cpus_configured();
	int r = 0;

	*rings = BPF_RINGS_INIT;
	rings->rings = calloc(n_cpus, sizeof(*rings->rings));
	if (!rings->rings)
		return error_set_no_memory(err);
	for (size_t i = 0; r == 0 && i < n_cpus; i++)
		r = open_ring(rings, n_cpus, i, data_bytes, err);
	return r;
}

void bpf_rings_close(struct bpf_rings *rings)
{
	for (size_t i = 0; i < rings->n_rings; i++)
		bpf_ring_close(&rings->rings[i]);
	if (rings->list_fd >= 0)
		(void)close(rings->list_fd);
	free(rings->rings);
	*rings = BPF_RINGS_INIT;
}

int bpf_rings_poll(const struct bpf_rings *rings, int epoll_fd, struct error *err)
{
	for (size_t i = 0; i < rings->n_rings; i++) {
		struct epoll_event interest = { .events = EPOLLIN | EPOLLET };

		if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, rings->rings[i].fd, &interest) < 0)
			return error_set_errno(err, -errno, "epoll_ctl");
	}
	return 0;
}

void bpf_rings_publish(struct bpf_rings *rings)
{
	for (size_t i = 0; i < rings->n_rings; i++)
		bpf_ring_publish(&rings->rings[i]);
}
