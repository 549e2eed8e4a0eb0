#ifndef TSPROF_OS_PROCESS_MEMORY_H
#define TSPROF_OS_PROCESS_MEMORY_H

#include <stdint.h>

/*
 * The memory of a running process, by /proc.  What costs next to nothing is read
 * apart from what makes the kernel walk page tables (1 ms and more for each GiB)
 * or look at every thread.
 */
struct process_memory {
	uint64_t rss_bytes;
	uint64_t anonymous_bytes; /* of those: neither of files nor shared */
	uint64_t n_minor_faults;  /* since its start, of all its threads */
	uint64_t n_major_faults;
	uint64_t n_threads;
};

struct process_memory_details {
	uint64_t pss_bytes;	       /* 0: not told, which takes the rights of a debugger */
	uint64_t heap_bytes;	       /* the size of [heap], resident or not; 0: there is none */
	uint64_t n_voluntary_switches; /* of the threads that it has now */
	uint64_t n_involuntary_switches;
};

/* What is kept open of a process that is read over and over: opening is a third of the cost. */
struct process_memory_files {
	uint32_t pid;
	int statm_fd; /* -1: not open */
	int stat_fd;
};

/* Opens nothing yet. */
struct process_memory_files process_memory_files(uint32_t pid);
void process_memory_close(struct process_memory_files *files);

/* -ESRCH when it has no memory: it is gone, a zombie, or a thread of the kernel. */
int process_memory_read(struct process_memory *ret_memory, struct process_memory_files *files);
int process_memory_read_details(struct process_memory_details *ret_details, uint32_t pid);

#endif
