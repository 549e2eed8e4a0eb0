/*
 * The signal of our ticks stays ours: programs that install handlers for all
 * signals, or block them all in some threads, would end the sampling or be
 * confused by it.  They see a signal that does what they asked.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>

#include "lib/client_process.h"
#include "lib/sigprof_client.h"
#include "lib/wrapper.h"

typedef int sigaction_function(int, const struct sigaction *, struct sigaction *);
typedef int sigmask_function(int, const sigset_t *, sigset_t *);

static sigaction_function *real_sigaction;
static sigmask_function *real_sigprocmask;
static sigmask_function *real_pthread_sigmask;
static sighandler_t (*real_signal)(int, sighandler_t);

/* What the program believes to be installed for the signal. */
static struct sigaction believed_action;

static bool is_ours(int signal)
{
	return signal == CLIENT_SIGNAL && client_options();
}

/* A copy without our signal; the original when that needs none. */
static const sigset_t *without_ours(sigset_t *copy, const sigset_t *set)
{
	if (!set || !client_options() || sigismember(set, CLIENT_SIGNAL) != 1)
		return set;
	*copy = *set;
	(void)sigdelset(copy, CLIENT_SIGNAL);
	return copy;
}

void client_signal_install(void)
{
	struct sigaction action = { .sa_sigaction = client_handle_tick,
				    .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	WRAPPER_FIND(real_sigaction, "sigaction");
	(void)sigfillset(&action.sa_mask);
	(void)real_sigaction(CLIENT_SIGNAL, &action, &believed_action);
}

WRAPPER int sigaction(int signal, const struct sigaction *action, struct sigaction *ret_old)
{
	struct sigaction copy;

	WRAPPER_FIND(real_sigaction, "sigaction");
	if (is_ours(signal)) {
		copy = believed_action;
		if (action)
			believed_action = *action;
		if (ret_old)
			*ret_old = copy;
		return 0;
	}
	if (action && client_options() && sigismember(&action->sa_mask, CLIENT_SIGNAL) == 1) {
		copy = *action;
		(void)sigdelset(&copy.sa_mask, CLIENT_SIGNAL);
		action = &copy;
	}
	return real_sigaction(signal, action, ret_old);
}

WRAPPER sighandler_t signal(int signal, sighandler_t handler)
{
	sighandler_t old;

	WRAPPER_FIND(real_signal, "signal");
	if (!is_ours(signal))
		return real_signal(signal, handler);
	old = believed_action.sa_handler;
	believed_action = (struct sigaction){ .sa_handler = handler };
	return old;
}

WRAPPER int sigprocmask(int how, const sigset_t *set, sigset_t *ret_old)
{
	sigset_t copy;

	WRAPPER_FIND(real_sigprocmask, "sigprocmask");
	if (how == SIG_BLOCK || how == SIG_SETMASK)
		set = without_ours(&copy, set);
	return real_sigprocmask(how, set, ret_old);
}

WRAPPER int pthread_sigmask(int how, const sigset_t *set, sigset_t *ret_old)
{
	sigset_t copy;

	WRAPPER_FIND(real_pthread_sigmask, "pthread_sigmask");
	if (how == SIG_BLOCK || how == SIG_SETMASK)
		set = without_ours(&copy, set);
	return real_pthread_sigmask(how, set, ret_old);
}
