#include "os/bpf_rings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "os/bpf_kernel.h"
#include "os/cpus.h"

static int open_ring(struct bpf_rings *rings, size_t cpu, struct error *err)
{
	struct bpf_ring *ring = &rings->rings[cpu];
	int r = bpf_ring_open(ring, rings->data_bytes, err);

	if (r < 0)
		return r;
	if (rings->list_fd < 0)
		rings->list_fd = bpf_kernel_new_ring_list((uint32_t)rings->n_rings, ring->fd);
	r = rings->list_fd < 0 ? rings->list_fd
			       : bpf_kernel_set_ring(rings->list_fd, (uint32_t)cpu, ring->fd);
	return r < 0 ? bpf_kernel_error(r, err) : 0;
}

static int open_all(struct bpf_rings *rings, size_t data_bytes, struct error *err)
{
	const size_t n_cpus = cpus_configured();
	bool is_online[CPUS_MAX];
	int r = 0;

	*rings = BPF_RINGS_INIT;
	rings->rings = calloc(n_cpus, sizeof(*rings->rings));
	if (!rings->rings)
		return error_set_no_memory(err);
	rings->n_rings = n_cpus;
	rings->data_bytes = data_bytes;
	for (size_t i = 0; i < n_cpus; i++)
		rings->rings[i] = BPF_RING_INIT;
	(void)cpus_find_online(is_online, n_cpus);
	for (size_t i = 0; r == 0 && i < n_cpus; i++)
		r = is_online[i] ? open_ring(rings, i, err) : 0;
	return r;
}

int bpf_rings_open(struct bpf_rings *rings, size_t data_bytes, size_t min_bytes, struct error *err)
{
	struct error refusal = ERROR_INIT;
	int r = open_all(rings, data_bytes, &refusal);

	while (r == -ENOMEM && data_bytes / 2 >= min_bytes) {
		bpf_rings_close(rings);
		data_bytes /= 2;
		r = open_all(rings, data_bytes, &refusal);
	}
	if (r < 0 && err)
		*err = refusal;
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

		if (rings->rings[i].fd >= 0 &&
		    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, rings->rings[i].fd, &interest) < 0)
			return error_set_errno(err, -errno, "epoll_ctl");
	}
	return 0;
}

uint64_t bpf_rings_waiting_bytes(const struct bpf_rings *rings)
{
	uint64_t most = 0;

	for (size_t i = 0; i < rings->n_rings; i++) {
		const uint64_t waiting = bpf_ring_waiting_bytes(&rings->rings[i]);

		if (waiting > most)
			most = waiting;
	}
	return most;
}

void bpf_rings_publish(struct bpf_rings *rings)
{
	for (size_t i = 0; i < rings->n_rings; i++)
		bpf_ring_publish(&rings->rings[i]);
}
