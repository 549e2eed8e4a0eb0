#ifndef TSPROF_LIB_CLIENT_PROCESS_H
#define TSPROF_LIB_CLIENT_PROCESS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/sigprof_wire.h"

/* What the parts of the client need of each other at a start and a fork. */

/* client_thread_start for the first thread of a program or a child. */
void client_thread_start_as(enum sigprof_hello_kind kind, uint32_t parent_tid);

/* Have client_thread_end called when the calling thread ends. */
void client_thread_end_expect(void);

/* In a fork's child: let go of everything that is the parent's. */
void client_thread_fork_child(void);

/* Remember what programs that this one starts need: the session's text, and our own path. */
void client_environment_keep(const char *session_text);

/*
 * `envp`, or when it lacks us, one with us in `room`, which has at least as many
 * bytes as asked for.  Borrows from `envp`.
 */
size_t client_environment_bytes(char *const *envp);
char *const *client_environment_complete(void *room, char *const *envp);

/* Have the ticks handled. */
void client_signal_install(void);

#endif
