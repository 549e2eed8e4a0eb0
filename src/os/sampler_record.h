#ifndef TSPROF_OS_SAMPLER_RECORD_H
#define TSPROF_OS_SAMPLER_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"
#include "model/raw_sample.h"

/*
 * How late a record may become visible: a tick's copying takes 30 µs, and in a VM the CPU can be
 * away in the middle of it.  What is younger waits, so that records of different rings get in
 * order.
 */
#define SAMPLER_LAG_NS (2 * NS_PER_MS)

/*
 * What a sampler tells, whichever engine it is: samples, and what has to be
 * known to make sense of them.  Texts and samples are borrowed from the engine's
 * ring, until it is asked for the next record.
 */
enum sampler_record_kind {
	SAMPLER_RECORD_BAD,   /* not what its type promises */
	SAMPLER_RECORD_OTHER, /* a type that tsprof has no use for */
	SAMPLER_RECORD_SAMPLE,
	SAMPLER_RECORD_MAP, /* executable memory was mapped */
	SAMPLER_RECORD_COMM,
	SAMPLER_RECORD_FORK,
	SAMPLER_RECORD_EXIT,
	SAMPLER_RECORD_LOST,	     /* records that found the ring full */
	SAMPLER_RECORD_LOST_SAMPLES, /* samples that the hardware dropped */
	SAMPLER_RECORD_THROTTLE,
	SAMPLER_RECORD_UNTHROTTLE,
	SAMPLER_RECORD_SWITCH_STACK,  /* a thread is about to leave; its stacks are in `sample` */
	SAMPLER_RECORD_SWITCH_OUT,    /* it left */
	SAMPLER_RECORD_SWITCH_IN,     /* it came back */
	SAMPLER_RECORD_LOST_SWITCHES, /* leaving and coming back found the ring full */
	SAMPLER_RECORD_PROBE,	      /* a thread came by a probe; see `probe` */
	SAMPLER_RECORD_LOST_PROBES,   /* … and found the ring full */
};

enum { SAMPLER_BUILD_ID_MAX_BYTES = 20 };

struct sampler_mapping {
	uint64_t start;
	uint64_t size_bytes;
	uint64_t file_offset;
	uint32_t device_major; /* 0 with inode 0 when the build-id came instead */
	uint32_t device_minor;
	uint64_t inode;
	uint8_t build_id[SAMPLER_BUILD_ID_MAX_BYTES];
	uint8_t build_id_size; /* 0: none */
	bool is_executable;
	const char *path; /* "//anon", "[vdso]", "/usr/bin/xz", … */
};

/* What a probe tells of the thread that came by. */
struct sampler_hit {
	size_t index;	      /* of the probe among those that were asked for */
	uint64_t ip;	      /* where it is in the process */
	const uint8_t *bytes; /* the whole record of the kernel's event; fields come behind the ip,
				 in a return's behind the address returned to */
	size_t size_bytes;
};

struct sampler_record {
	enum sampler_record_kind kind;
	bool is_exec;	      /* COMM: the process became another program */
	bool is_preempted;    /* SWITCH_OUT: it could have gone on */
	bool is_from_sampler; /* not from the side-band */
	bool is_after_loss;   /* perf's SAMPLE: the first behind what was lost */
	uint32_t pid;	      /* as the recorder's pid namespace sees it */
	uint32_t tid;
	uint32_t parent_pid; /* FORK and EXIT */
	uint32_t parent_tid;
	uint64_t time_ns;	    /* CLOCK_MONOTONIC */
	uint64_t n_lost;	    /* LOST, LOST_SAMPLES, LOST_SWITCHES, LOST_PROBES */
	uint64_t stream_id;	    /* perf's SAMPLE: one event of one thread on one CPU */
	uint64_t read_value;	    /* perf's SAMPLE: what that event counted so far … */
	uint64_t read_time_ns;	    /* … and how long it was running */
	const char *comm;	    /* COMM */
	struct sampler_mapping map; /* MAP */
	struct raw_sample sample;   /* SAMPLE */
	struct sampler_hit probe;   /* PROBE */
};

/* Of no kind yet, and with nothing of the last but the registers, which it is said not to have. */
void sampler_record_clear(struct sampler_record *record);

#endif
