#ifndef TSPROF_PROFILE_PROFILE_FORMAT_H
#define TSPROF_PROFILE_PROFILE_FORMAT_H

#include <assert.h>
#include <stdint.h>

/*
 * The layout of a profile file; docs/file-format.md says it at length.  All
 * integers are little-endian; `uleb` and `sleb` are LEB128 as in DWARF 5, 7.6.
 *
 *	file    magic 8 bytes, major u16, minor u16, crc u32 of these 12 bytes,
 *	        then chunks until END
 *	chunk   type u32, size u32, crc u32 of the payload,
 *	        header crc u32 of these 12 bytes, payload of `size` bytes
 *
 *	type    payload
 *	STRG    n, n × { bytes shared with the start of the last one, size of the
 *	        rest, rest }                            ids follow on from 1
 *	MODU    n, n × { id, path, kind u8, build-id size u8, build-id }
 *	RUNS    n, n × { size, what INFO holds }        ids follow on from 0
 *	THRD    n, n × { id, pid, tid, name, process name, start, end },
 *	        n × { parent pid, run }
 *	LOCA    n, n × { module, sleb vaddr − the module's last one }
 *	NODE    n, n × { own id − parent's, sleb location − the last one }
 *	SAMP    n, first time, usual weight, n × { flags u8, |time − the last one|,
 *	        thread?, sleb node − the last one?, sleb weight − usual?,
 *	        count?, cpu?, end? }, scopes?           which: enum profile_sample_flags
 *	WAIT    n, first time, n × { flags u8, |time − the last one|, thread?,
 *	        sleb node − the last one?, weight, ticks, state?, end? }, scopes?
 *	scopes  n, n × { entries before that are in their thread's last scope,
 *	        scope }                                 see profile_scope_memory
 *	FRAM    n, n × { n_frames, n_frames × { 1 + entry, or 0 and a new entry
 *	        { sleb function − the last one, file, flags u8 }; sleb line − the
 *	        entry's last one } }                    locations in order, from 0
 *	SITE    n, n × { name, category, file, line, sample rate, kind u8, source u8 }
 *	SCOP    n, n × { own id − parent's, site }      ids follow on from 1
 *	MILE    n, n × { sleb time, thread, site, data, run }, scopes?
 *	CALL    anew u8, n, n × { sleb start, duration, thread, node, flags u8,
 *	        arguments, error, costs? { cpu ns, bytes, faults } }
 *	COUN    anew u8, n, n × { sleb time, value f64, thread, site }, scopes?
 *	SNAP    anew u8, n, n × { sleb time, thread, site, flags u8, size, bytes },
 *	        scopes?
 *	RESO    anew u8, n, n × { sleb time, pid, run, 8 × sleb field − the last one's of the
 *	        same pid }                              see profile_resource_memory
 *	STAT    n, n × { node, errors, cut, open, total, self, mean f64, squares f64,
 *	        n costs, costs? { cpu ns, bytes, faults }, calls, durations? { min, max,
 *	        n, n × { buckets since the last one, count } } }   replaces a node's
 *	MARQ    flags u8, struct marks_quality and two of the scope tree's, field by field
 *	QUAL    struct quality, field by field          the last one counts
 *	INFO    struct profile_info, field by field     the last one counts
 *	END     n of strings, modules, threads, locations, nodes, samples, waits, runs,
 *	        marks? { sites, milestones, scopes, calls, counters, snapshots, resources }
 *
 * A thread of marks is 0 for none, else 1 + its number; times of marks are told as
 * distances to the one before; `anew` 1: what the list held until then is void.
 *
 * Unmarked numbers are uleb; all "last ones" start at 0 or empty in each
 * chunk, except those of FRAM, which go on.  An id of MODU or THRD that is known
 * already replaces that entry.  Everything refers to what came before it, so
 * the file makes sense wherever it is cut.
 */
#define PROFILE_MAGIC "\x89TSPROF\n"

enum {
	PROFILE_MAGIC_BYTES = 8,
	PROFILE_MAJOR = 1, /* other majors are refused */
	PROFILE_MINOR = 3, /* newer minors may bring more chunk types, fields at a payload's end,
			      and enum values */
	PROFILE_HEADER_BYTES = 16,
	PROFILE_CHUNK_HEADER_BYTES = 16,

	/* What a writer aims at and what a reader accepts. */
	PROFILE_CHUNK_USUAL_BYTES = 256 * 1024,
	PROFILE_CHUNK_MAX_BYTES = 1 << 30,

	/* Frames between the outermost and the innermost: user, kernel and tsprof's own. */
	PROFILE_STACK_MAX_FRAMES = 8192,
};

/* Four letters, readable in a dump. */
enum profile_chunk_type {
	PROFILE_CHUNK_STRINGS = 0x47525453,	  /* "STRG" */
	PROFILE_CHUNK_MODULES = 0x55444f4d,	  /* "MODU" */
	PROFILE_CHUNK_THREADS = 0x44524854,	  /* "THRD" */
	PROFILE_CHUNK_RUNS = 0x534e5552,	  /* "RUNS" */
	PROFILE_CHUNK_LOCATIONS = 0x41434f4c,	  /* "LOCA" */
	PROFILE_CHUNK_NODES = 0x45444f4e,	  /* "NODE" */
	PROFILE_CHUNK_SAMPLES = 0x504d4153,	  /* "SAMP" */
	PROFILE_CHUNK_WAITS = 0x54494157,	  /* "WAIT" */
	PROFILE_CHUNK_FRAMES = 0x4d415246,	  /* "FRAM" */
	PROFILE_CHUNK_SITES = 0x45544953,	  /* "SITE" */
	PROFILE_CHUNK_SCOPES = 0x504f4353,	  /* "SCOP" */
	PROFILE_CHUNK_MILESTONES = 0x454c494d,	  /* "MILE" */
	PROFILE_CHUNK_CALLS = 0x4c4c4143,	  /* "CALL" */
	PROFILE_CHUNK_COUNTERS = 0x4e554f43,	  /* "COUN" */
	PROFILE_CHUNK_SNAPSHOTS = 0x50414e53,	  /* "SNAP" */
	PROFILE_CHUNK_RESOURCES = 0x4f534552,	  /* "RESO" */
	PROFILE_CHUNK_STATISTICS = 0x54415453,	  /* "STAT" */
	PROFILE_CHUNK_MARKS_QUALITY = 0x5152414d, /* "MARQ" */
	PROFILE_CHUNK_QUALITY = 0x4c415551,	  /* "QUAL" */
	PROFILE_CHUNK_INFO = 0x4f464e49,	  /* "INFO" */
	PROFILE_CHUNK_END = 0x20444e45,		  /* "END " */
};

enum profile_sample_flags {
	PROFILE_SAMPLE_EARLIER = 1,	 /* its time lies before the last one's */
	PROFILE_SAMPLE_SAME_THREAD = 2,	 /* as the last one's: no thread field */
	PROFILE_SAMPLE_SAME_NODE = 4,	 /* as the last one's: no node field */
	PROFILE_SAMPLE_USUAL_WEIGHT = 8, /* no weight field */
	PROFILE_SAMPLE_ONE = 16,	 /* count 1: no count field */
	PROFILE_SAMPLE_SAME_CPU = 32,	 /* as the last one's: no cpu field */
	PROFILE_SAMPLE_COMPLETE = 64,	 /* end STACK_COMPLETE: no end field */
	PROFILE_SAMPLE_KNOWN_FLAGS = 127,
};

enum profile_wait_flags {
	PROFILE_WAIT_EARLIER = 1,     /* as those of samples */
	PROFILE_WAIT_SAME_THREAD = 2, /* … */
	PROFILE_WAIT_SAME_NODE = 4,   /* … */
	PROFILE_WAIT_SAME_STATE = 8,  /* as the last one's: no state field */
	PROFILE_WAIT_COMPLETE = 16,   /* end STACK_COMPLETE: no end field */
	PROFILE_WAIT_KNOWN_FLAGS = 31,
};

enum profile_info_flags {
	PROFILE_INFO_HAS_TIMES = 1,
	PROFILE_INFO_SYMBOLIZED = 2,
	PROFILE_INFO_CUT = 4, /* a file that was merged into this one had been cut */
};

static_assert(sizeof(PROFILE_MAGIC) - 1 == PROFILE_MAGIC_BYTES, "on-disk layout");

#endif
