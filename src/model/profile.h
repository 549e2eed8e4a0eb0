#ifndef TSPROF_MODEL_PROFILE_H
#define TSPROF_MODEL_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/interner.h"
#include "model/location_table.h"
#include "model/marks.h"
#include "model/profile_info.h"
#include "model/quality.h"
#include "model/sample_state.h"
#include "model/stack.h"
#include "model/stack_trie.h"

/*
 * One run in memory, or several merged: what the recorder fills, what a profile
 * file holds, what importers produce and what every view reads.  All text is an
 * id in `strings` (0: none).  Arrays only grow, so "everything since last time"
 * is a range.
 */

enum module_kind {
	MODULE_KIND_PSEUDO = 0,	   /* tsprof's own entries; module 0, see struct location */
	MODULE_KIND_FILE = 1,	   /* an ELF file */
	MODULE_KIND_VDSO = 2,	   /* "[vdso]" */
	MODULE_KIND_KERNEL = 3,	   /* "[kernel]" and kernel modules; vaddr is the ip */
	MODULE_KIND_ANONYMOUS = 4, /* executable memory without a file; vaddr is the ip */
	MODULE_KIND_UNMAPPED = 5,  /* "[unmapped]": ips outside all mappings; vaddr is the ip */
	MODULE_KIND_NAMES = 6,	   /* imported frames that are names only */
};

enum {
	MODULE_PSEUDO = 0, /* the module id that every profile starts with */
	BUILD_ID_MAX_BYTES = 20,
};

struct module {
	uint32_t path; /* as the process mapped it */
	uint8_t kind;  /* enum module_kind */
	uint8_t build_id_size;
	uint8_t build_id[BUILD_ID_MAX_BYTES];
};

/* The same path, kind and build-id? */
bool module_is_like(const struct module *a, const struct module *b);

enum frame_flags {
	FRAME_INLINED = 1, /* inlined into the next frame of its location */
	FRAME_KERNEL = 2,
	FRAME_UNRESOLVED = 4, /* the name is "[module+0x1234]" or the like */
	FRAME_PSEUDO = 8,     /* "[truncated: …]" and other words of tsprof's own */
	FRAME_JIT = 16,
};

/* A function, or one inlined call of it, at a location. */
struct frame {
	uint32_t function; /* demangled, whole; never 0 */
	uint32_t file;	   /* 0 when not known */
	uint32_t line;	   /* from 1; 0 when not known */
	uint8_t flags;	   /* enum frame_flags */
};

/* A thread while it had one name: exec and prctl(PR_SET_NAME) start another entry. */
struct thread {
	uint32_t pid;
	uint32_t tid;
	uint32_t name;	       /* comm at sample time */
	uint32_t process_name; /* comm of the process's main thread at that time */
	uint64_t start_ns;     /* CLOCK_MONOTONIC; 0 when not known */
	uint64_t end_ns;       /* 0 while running */
	uint32_t parent_pid;   /* of the process that started this one; 0 when not known */
	uint32_t run;	       /* index into profile.runs; 0 when it has none */
};

struct sample {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	uint64_t weight_ns;
	uint32_t thread; /* index into profile.threads */
	uint32_t node;	 /* in profile.stacks: its innermost frame */
	uint64_t count; /* ticks that it stands for: more than 1 where some were missed or folded */
	uint16_t cpu;
	uint16_t end;	/* enum stack_end of the user stack; count is 0 for STACK_NOT_SAMPLED … */
	uint8_t state;	/* enum sample_state; … and for waits too short for a tick */
	uint32_t scope; /* the node of profile.marks.scopes that its thread was in; 0: none */
};

struct profile {
	struct profile_info info;
	struct profile_info *runs; /* what was merged; none in a profile of one run */
	size_t n_runs, runs_capacity;
	struct quality quality;
	struct interner strings;
	struct module *modules;
	size_t n_modules, modules_capacity;
	struct location_table locations;
	struct frame *frames;
	size_t n_frames, frames_capacity;
	struct stack_trie stacks;
	struct thread *threads;
	size_t n_threads, threads_capacity;
	struct sample *samples;
	size_t n_samples, samples_capacity;
	struct marks marks;
};

/* An empty profile with module 0 in place.  Returns 0 or -ENOMEM. */
int profile_init(struct profile *profile);
void profile_release(struct profile *profile);

/* Time in which the thread did not run? */
static inline bool sample_is_wait(const struct sample *sample)
{
	return sample->state != SAMPLE_RUNNING;
}

/* One, unless it was merged. */
static inline size_t profile_run_count(const struct profile *profile)
{
	return profile->n_runs ? profile->n_runs : 1;
}

/* The run of a thread; that of no thread is the first. */
uint32_t profile_run_of(const struct profile *profile, uint32_t thread);

/* Appends, returning 0 or -ENOMEM; `ret_id` is the new index and may be NULL. */
int profile_add_run(struct profile *profile, uint32_t *ret_id, const struct profile_info *run);
int profile_add_module(struct profile *profile, uint32_t *ret_id, const struct module *module);
int profile_add_thread(struct profile *profile, uint32_t *ret_id, const struct thread *thread);
int profile_add_sample(struct profile *profile, const struct sample *sample);

/* Gives a location its frames, innermost first.  Returns 0 or -ENOMEM. */
int profile_set_frames(struct profile *profile, uint32_t location, const struct frame *frames,
		       size_t n_frames);

/* The pseudo location "[truncated: …]" for a stack that did not reach its root. */
int profile_add_truncation(struct profile *profile, uint32_t *ret_location, enum stack_end end,
			   uint32_t end_module);

/* The last component of a module's path, borrowed; "[kernel]" and the like as they are. */
const char *profile_module_name(const struct profile *profile, uint32_t module);

#endif
