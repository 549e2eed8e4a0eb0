#ifndef TSPROF_OS_BPF_PROBES_H
#define TSPROF_OS_BPF_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "os/bpf_program.h"
#include "os/bpf_rings.h"
#include "os/sampler_record.h"
#include "os/trace_events.h"

/*
 * Hits of probes that a program in the kernel writes down, at half the price of
 * perf's records: a program for each point, a ring for each CPU, merged by time.  The
 * perf events on the probes are there for their break points alone, and which processes have them.
 */
struct bpf_probes_cpu {
	struct bpf_ring *ring;
	const struct bpf_program_cpu *line; /* of the state */
	const uint8_t *next;		    /* a record, NULL when there is none */
	size_t next_bytes;
	uint64_t next_time_ns; /* UINT64_MAX when there is nothing to tell */
	uint64_t last_time_ns;
	uint64_t busy_since_ns; /* 0: it is not */
	uint64_t n_lost;	/* told of */
};

struct bpf_probes {
	int state_fd;
	struct bpf_program_state *state; /* NULL: not open */
	size_t state_bytes;
	struct bpf_rings rings;
	struct bpf_probes_cpu *cpus; /* one for each ring */
	int *programs;		     /* by point */
	size_t n_programs;
	bool is_final;			/* this batch is the last */
	struct bpf_probes_cpu *current; /* whose record is out with the caller */
	bool is_whole;			/* … not only what was lost before it */
};

#define BPF_PROBES_INIT ((struct bpf_probes){ .state_fd = -1, .rings = BPF_RINGS_INIT })

/*
 * Programs and rings, of `ring_bytes` at most.  They are off.  A negative errno with the reason
 * when this kernel or its rules do not allow them; perf's records can do the same then.
 */
int bpf_probes_open(struct bpf_probes *probes, const struct probe_point *points, size_t n_points,
		    uint64_t ring_bytes, struct error *err);
void bpf_probes_close(struct bpf_probes *probes);

static inline bool bpf_probes_is_open(const struct bpf_probes *probes)
{
	return probes->state;
}

/* The descriptor gets readable when a ring has filled to its mark. */
int bpf_probes_poll(const struct bpf_probes *probes, int epoll_fd, struct error *err);

void bpf_probes_set_enabled(const struct bpf_probes *probes, bool is_on);

/* See what there is.  `is_final`: records that are still being written are waited for. */
void bpf_probes_begin(struct bpf_probes *probes, bool is_final);

/*
 * What is told of before this moment is complete: UINT64_MAX, or less while somebody
 * is writing the record that is next.
 */
uint64_t bpf_probes_limit_ns(struct bpf_probes *probes);

/* The time of the oldest record of the batch; UINT64_MAX when there is none. */
uint64_t bpf_probes_next_time_ns(const struct bpf_probes *probes);

/* It: a PROBE or LOST_PROBES, valid until bpf_probes_finish. */
void bpf_probes_take(struct bpf_probes *probes, struct sampler_record *record);
void bpf_probes_finish(struct bpf_probes *probes);

/* Give all that was taken back to the kernel. */
void bpf_probes_publish(struct bpf_probes *probes);

#endif
