#ifndef TSPROF_OS_PERF_RECORD_H
#define TSPROF_OS_PERF_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/raw_sample.h"

/*
 * One record of a perf ring, decoded.  Nothing is trusted: every size is checked
 * against the record's own, texts must end inside it, and what does not fit is
 * PERF_RECORD_KIND_BAD.  Pointers are borrowed from the record's bytes.
 */
enum perf_record_kind {
	PERF_RECORD_KIND_BAD,	/* not what its type promises */
	PERF_RECORD_KIND_OTHER, /* a type that tsprof has no use for */
	PERF_RECORD_KIND_SAMPLE,
	PERF_RECORD_KIND_MAP, /* executable memory was mapped */
	PERF_RECORD_KIND_COMM,
	PERF_RECORD_KIND_FORK,
	PERF_RECORD_KIND_EXIT,
	PERF_RECORD_KIND_LOST,	       /* records that found the ring full */
	PERF_RECORD_KIND_LOST_SAMPLES, /* samples that the hardware dropped */
	PERF_RECORD_KIND_THROTTLE,
	PERF_RECORD_KIND_UNTHROTTLE,
};

enum { PERF_BUILD_ID_MAX_BYTES = 20 };

struct perf_mapping {
	uint64_t start;
	uint64_t size_bytes;
	uint64_t file_offset;
	uint32_t device_major; /* 0 with inode 0 when the build-id came instead */
	uint32_t device_minor;
	uint64_t inode;
	uint8_t build_id[PERF_BUILD_ID_MAX_BYTES];
	uint8_t build_id_size; /* 0: none */
	bool is_executable;
	const char *path; /* "//anon", "[vdso]", "/usr/bin/xz", … */
};

struct perf_record {
	enum perf_record_kind kind;
	bool is_exec;	      /* COMM: the process became another program */
	bool is_from_sampler; /* not from the side-band */
	uint32_t pid;	      /* as the recorder's pid namespace sees it */
	uint32_t tid;
	uint32_t parent_pid; /* FORK and EXIT */
	uint32_t parent_tid;
	uint64_t time_ns;	  /* CLOCK_MONOTONIC */
	uint64_t n_lost;	  /* LOST, LOST_SAMPLES */
	uint64_t stream_id;	  /* SAMPLE: one event of one thread on one CPU */
	uint64_t read_value;	  /* SAMPLE: what that event counted so far … */
	uint64_t read_time_ns;	  /* … and how long it was running */
	const char *comm;	  /* COMM */
	struct perf_mapping map;  /* MAP */
	struct raw_sample sample; /* SAMPLE; weight_ns is left 0 */
};

/* What the attributes of an event say about its records. */
struct perf_layout {
	uint64_t sample_type; /* PERF_SAMPLE_… */
	uint64_t read_format; /* PERF_FORMAT_… */
};

/*
 * The user registers tsprof asks for, as the kernel's bit mask: all that DWARF
 * numbers, nothing else.
 */
uint64_t perf_record_register_mask(void);

/*
 * The time of the record of `size_bytes` at `bytes` without decoding it, so that
 * rings can be merged; 0 when there is none.
 */
uint64_t perf_record_time_ns(const struct perf_layout *layout, const uint8_t *bytes,
			     size_t size_bytes);

/* `bytes` must be aligned to 8 and hold `size_bytes`, at least a header. */
void perf_record_parse(struct perf_record *record, const struct perf_layout *layout,
		       const uint8_t *bytes, size_t size_bytes);

#endif
