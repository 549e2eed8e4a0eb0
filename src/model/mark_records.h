#ifndef TSPROF_MODEL_MARK_RECORDS_H
#define TSPROF_MODEL_MARK_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Single things that marks are made of, see model/marks.h.  All text is an id in
 * profile.strings (0: none), times are CLOCK_MONOTONIC.
 */
enum mark_kind {
	MARK_MILESTONE = 1, /* as enum tsprof_kind of include/tsprof.h */
	MARK_SCOPE = 2,
	MARK_COUNTER = 3,
	MARK_SNAPSHOT = 4,
};

enum mark_source {
	MARK_SOURCE_LIBRARY, /* include/tsprof.h */
	MARK_SOURCE_COMMAND, /* `tsprof mark` */
	MARK_SOURCE_OUTPUT,  /* a line that the target printed */
	MARK_SOURCE_PROBE,   /* a function that was entered or left */
};

/* A place that marks; equal ones of several processes are one.  Index: the site id. */
struct mark_site {
	uint32_t name;
	uint32_t category;
	uint32_t file;
	uint32_t line;
	uint32_t sample_rate; /* scopes: one call in so many was recorded; 0 and 1: all */
	uint8_t kind;	      /* enum mark_kind */
	uint8_t source;	      /* enum mark_source */
};

/* In place of a thread: nobody knows which, or it is none of the target's. */
#define MARK_NO_THREAD UINT32_MAX

struct milestone {
	uint64_t time_ns;
	uint32_t thread; /* index into profile.threads, or MARK_NO_THREAD */
	uint32_t site;
	uint32_t data;
	uint32_t run;	/* index into profile.runs; 0 when it has none */
	uint32_t scope; /* node of marks.scopes that its thread was in; 0: none */
};

enum scope_call_flags {
	SCOPE_CALL_ERROR = 1, /* the program said that it failed */
	SCOPE_CALL_OPEN = 2,  /* never ended: the duration is what there was until the end */
	SCOPE_CALL_CUT = 4,   /* ended because one around it did */
	SCOPE_CALL_COSTS = 8, /* cpu_ns and the next are known */
};

/* A single call that was kept: the slowest ones, those with errors, or all on request. */
struct scope_call {
	uint64_t start_ns;
	uint64_t duration_ns;
	uint64_t cpu_ns;
	uint64_t allocated_bytes; /* or SCOPE_COST_UNKNOWN */
	uint64_t n_faults;
	uint32_t thread;
	uint32_t node; /* of scopes */
	uint32_t arguments;
	uint32_t error;
	uint8_t flags; /* enum scope_call_flags */
};

/* Of a counter with very many values, an even choice. */
struct counter_value {
	uint64_t time_ns;
	double value;
	uint32_t thread;
	uint32_t site;
	uint32_t scope; /* as a milestone's */
};

struct snapshot {
	uint64_t time_ns;
	uint64_t bytes_offset; /* into marks.bytes */
	uint32_t size_bytes;
	uint32_t thread;
	uint32_t site;
	uint32_t scope; /* as a milestone's */
	bool is_text;
	bool is_cut; /* the program had more */
};

/* The memory of a process at one moment. */
struct resource_sample {
	uint64_t time_ns;
	uint32_t pid;
	uint32_t run; /* index into profile.runs; 0 when it has none */
	uint64_t rss_bytes;
	uint64_t pss_bytes;	  /* 0: not known */
	uint64_t heap_bytes;	  /* of [heap] */
	uint64_t anonymous_bytes; /* resident, [heap] included */
	uint64_t n_minor_faults;
	uint64_t n_major_faults;
	uint64_t n_voluntary_switches;
	uint64_t n_involuntary_switches;
};

#endif
