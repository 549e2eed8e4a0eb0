#ifndef TSPROF_LIB_RECORDER_SOCKET_H
#define TSPROF_LIB_RECORDER_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reaching the recorder from inside the target, for the sampler and for marks.
 * The recorder has no need to answer: one that is stopped or dead holds up nothing.
 * May change errno.
 */

/* A connection (close-on-exec, never blocking) to an abstract socket; -1: none, errno says why. */
int recorder_connect(const char *socket_name);

/* One message; `memory_fd` goes with it unless it is negative. */
bool recorder_send(int socket_fd, int memory_fd, const void *message, size_t size_bytes);

/*
 * Give the memory that it is sent a size.  False also where a limit on the size of
 * files (RLIMIT_FSIZE) is in the way, which else would end the program by SIGXFSZ.
 */
bool recorder_memory_resize(int memory_fd, size_t size_bytes);

#endif
