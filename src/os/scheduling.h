#ifndef TSPROF_OS_SCHEDULING_H
#define TSPROF_OS_SCHEDULING_H

#include <stdbool.h>
#include <stdint.h>

/*
 * How soon this thread gets a CPU that others want.  Among hundreds that never sleep its turn comes
 * after seconds, while rings hold a second at most.
 */
struct scheduling {
	uint64_t waited_ns; /* for a CPU, in all; as of the last look */
	int nice;	    /* as it was */
	int fd, load_fd;    /* of what the kernel tells about it, and about all threads */
	uint32_t n_late;    /* looks that found that it had waited for long */
	bool is_raised;
};

#define SCHEDULING_INIT ((struct scheduling){ .fd = -1, .load_fd = -1 })

/*
 * Before others, as far as that is permitted: by a nice value of -20, which takes CAP_SYS_NICE or
 * RLIMIT_NICE, and, from Linux 6.12 on, by asking for short turns (sched(7), sched_setattr(2)).
 * Nothing where somebody chose another policy than the usual one.  Children that are
 * made later inherit it, so the command comes first.
 */
void scheduling_raise(struct scheduling *scheduling);

/*
 * Each time this thread has slept: where it had to wait long for its turn all the same, among many
 * that want a CPU, from now on it comes before all that is not real-time (SCHED_RR), if that is
 * permitted; and where that is not enough, with the first among real-time threads.  Not sooner:
 * such a thread takes the CPU that it ran on before, and be another one idle.
 */
void scheduling_look(struct scheduling *scheduling);

/* As it was: what takes long is not to keep others waiting. */
void scheduling_restore(struct scheduling *scheduling);

#endif
