#ifndef TSPROF_RECORD_PROCESS_TABLE_H
#define TSPROF_RECORD_PROCESS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "model/profile.h"
#include "record/stack_path.h"
#include "record/thread_wait.h"
#include "unwind/unwinder.h"

/*
 * The processes and threads of a run as they are at the moment whose record is
 * being looked at.  Numbers are reused by the kernel: an entry stays when its
 * thread ends and is started afresh when another one gets its number.
 */
struct live_process {
	struct unwind_process unwind;
	uint32_t pid;
	uint32_t owner;	     /* of its memory: another number for each fork and exec, from 1 */
	uint32_t comm;	     /* of its main thread, a string id … */
	uint64_t renamed_ns; /* … and when it got it */
	uint32_t parent_pid; /* 0 when not known */
	uint64_t trampoline; /* where the kernel's code for probes is mapped; 0: nowhere */
	uint32_t n_threads;  /* alive */
	bool is_known;	     /* its fork or exec was seen, so its mappings are complete */
};

struct mark_thread;

struct live_thread {
	struct live_process *process;
	uint32_t tid;
	uint32_t comm;
	bool is_alive;
	uint64_t start_ns; /* 0 when not known */
	uint64_t end_ns;   /* 0 while alive */
	/* Its entry in the profile, valid while both names are the same. */
	uint32_t entry;
	uint32_t entry_comm;
	uint32_t entry_process_comm;
	bool has_entry;
	struct stack_path path;
	struct thread_wait wait;
	struct mark_thread *marks; /* what it marks, by whoever tells of it; NULL: nothing */
	uint32_t inherited_scope;  /* that its process was forked in; 0: none */
};

struct process_table {
	struct profile *profile;	 /* borrowed */
	uint64_t now_ns;		 /* the moment, set by the caller; 0: not known */
	struct live_process **processes; /* never move */
	size_t n_processes, processes_capacity;
	struct hash_index process_index;
	struct live_thread **threads; /* never move */
	size_t n_threads, threads_capacity;
	struct hash_index thread_index;
	struct hash_index entry_index; /* profile.threads by (tid, names) */
	uint32_t n_owners;
};

void process_table_init(struct process_table *table, struct profile *profile);
void process_table_release(struct process_table *table);

/* The process or thread of that number, made when new; NULL when memory is short. */
struct live_process *process_table_process(struct process_table *table, uint32_t pid);
struct live_thread *process_table_thread(struct process_table *table, uint32_t pid, uint32_t tid);

/* The thread that has this number now, or had it last; NULL: none. */
const struct live_thread *process_table_find(const struct process_table *table, uint32_t tid);

/* What the records of that name say.  They return 0 or -ENOMEM. */
int process_table_fork(struct process_table *table, uint32_t pid, uint32_t tid, uint32_t parent_pid,
		       uint32_t parent_tid, uint64_t time_ns);
int process_table_comm(struct process_table *table, uint32_t pid, uint32_t tid, const char *comm,
		       bool is_exec);
int process_table_exit(struct process_table *table, uint32_t pid, uint32_t tid, uint64_t time_ns);

/* The profile's entry for the thread under its present name.  Returns 0 or -ENOMEM. */
int process_table_entry(struct process_table *table, struct live_thread *thread,
			uint32_t *ret_entry);

#endif
