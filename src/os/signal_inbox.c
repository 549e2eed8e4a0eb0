/* A signalfd. */
#include "os/signal_inbox.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <unistd.h>

int signal_inbox_open(struct signal_inbox *inbox, struct error *err)
{
	static const int numbers[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR2, SIGCHLD };
	struct sigaction hangup;
	sigset_t set;

	*inbox = SIGNAL_INBOX_INIT;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		(void)sigaddset(&set, numbers[i]);
	/* nohup is to be respected. */
	if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler == SIG_IGN)
		(void)sigdelset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &inbox->old_mask) < 0)
		return error_set_errno(err, -errno, "sigprocmask");
	inbox->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (inbox->fd < 0) {
		const int code = -errno;

		(void)sigprocmask(SIG_SETMASK, &inbox->old_mask, NULL);
		return error_set_errno(err, code, "signalfd");
	}
	return 0;
}

bool signal_inbox_next(const struct signal_inbox *inbox, struct signal_message *message)
{
	struct signalfd_siginfo info;

	if (inbox->fd < 0 || read(inbox->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return false;
	/* SI_KERNEL: the terminal's driver. */
	*message = (struct signal_message){ .number = (int)info.ssi_signo,
					    .is_from_terminal = info.ssi_code > 0 };
	return true;
}

void signal_inbox_close(struct signal_inbox *inbox)
{
	struct signal_message message;

	if (inbox->fd < 0)
		return;
	/* Left over, they would kill tsprof now. */
	while (signal_inbox_next(inbox, &message))
		continue;
	(void)close(inbox->fd);
	inbox->fd = -1;
	(void)sigprocmask(SIG_SETMASK, &inbox->old_mask, NULL);
}
