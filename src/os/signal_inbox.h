#ifndef TSPROF_OS_SIGNAL_INBOX_H
#define TSPROF_OS_SIGNAL_INBOX_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Signals as messages: from open to close SIGINT, SIGQUIT, SIGTERM, SIGHUP,
 * SIGUSR2 and SIGCHLD are blocked and come through `fd`; SIGHUP not when it was
 * ignored from the start.
 */
struct signal_inbox {
	int fd;		   /* readable when there is one; -1 when closed */
	sigset_t old_mask; /* what tsprof was started with */
};

#define SIGNAL_INBOX_INIT ((struct signal_inbox){ .fd = -1 })

struct signal_message {
	int number;
	bool is_from_terminal; /* the driver signals the whole foreground group */
};

int signal_inbox_open(struct signal_inbox *inbox, struct error *err);

/* False when there is none; does not wait. */
bool signal_inbox_next(const struct signal_inbox *inbox, struct signal_message *message);

/* Drops what came meanwhile and restores the mask. */
void signal_inbox_close(struct signal_inbox *inbox);

#endif
