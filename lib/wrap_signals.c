/*
 * The signal of our ticks stays ours: programs that install handlers for all
 * signals, or block them all in some threads, would end the sampling or be
 * confused by it.  They see a signal that does what they asked.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
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

/* What the program believes to be installed for the signals that are ours. */
static struct sigaction believed_of_tick;
static struct sigaction believed_of_trap;
static _Atomic bool has_trap; /* relaxed: SIGTRAP is shared from now on */

/* NULL for a signal that is the program's alone. */
static struct sigaction *believed_of(int signal)
{
	if (!client_options())
		return NULL;
	if (signal == CLIENT_SIGNAL)
		return &believed_of_tick;
	if (signal == SIGTRAP && atomic_load_explicit(&has_trap, memory_order_relaxed))
		return &believed_of_trap;
	return NULL;
}

static bool has_ours(const sigset_t *set)
{
	return set && client_options() &&
	       (sigismember(set, CLIENT_SIGNAL) == 1 || sigismember(set, SIGTRAP) == 1);
}

static void remove_ours(sigset_t *set)
{
	(void)sigdelset(set, CLIENT_SIGNAL);
	if (atomic_load_explicit(&has_trap, memory_order_relaxed))
		(void)sigdelset(set, SIGTRAP);
}

/* A copy without our signals; the original when that needs none. */
static const sigset_t *without_ours(sigset_t *copy, const sigset_t *set)
{
	if (!has_ours(set))
		return set;
	*copy = *set;
	remove_ours(copy);
	return copy;
}

/* Not from our events: a breakpoint, or somebody's kill. */
static void forward(int signal, siginfo_t *info, void *context)
{
	const struct sigaction *believed = believed_of(signal);
	struct sigaction by_default = { .sa_handler = SIG_DFL };

	if (!believed || believed->sa_handler == SIG_IGN)
		return;
	if (believed->sa_flags & SA_SIGINFO) {
		believed->sa_sigaction(signal, info, context);
	} else if (believed->sa_handler != SIG_DFL) {
		believed->sa_handler(signal);
	} else {
		/* It is blocked until the handler returns, and ends the program then. */
		(void)real_sigaction(signal, &by_default, NULL);
		(void)raise(signal);
	}
}

static void handle(int signal, siginfo_t *info, void *context)
{
	const bool is_tick = signal == SIGTRAP ? info->si_code == CLIENT_TRAP_PERF
					       : info->si_code > 0 || info->si_code == SI_TIMER;

	if (is_tick)
		client_handle_tick(context);
	else
		forward(signal, info, context);
}

static void install(int signal, struct sigaction *believed)
{
	struct sigaction action = { .sa_sigaction = handle,
				    .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK };

	WRAPPER_FIND(real_sigaction, "sigaction");
	(void)sigfillset(&action.sa_mask);
	(void)real_sigaction(signal, &action, believed);
}

void client_signal_install(void)
{
	install(CLIENT_SIGNAL, &believed_of_tick);
}

void client_trap_install(void)
{
	if (!atomic_exchange_explicit(&has_trap, true, memory_order_relaxed))
		install(SIGTRAP, &believed_of_trap);
}

WRAPPER int sigaction(int signal, const struct sigaction *action, struct sigaction *ret_old)
{
	struct sigaction *believed = believed_of(signal);
	struct sigaction copy;

	WRAPPER_FIND(real_sigaction, "sigaction");
	if (believed) {
		copy = *believed;
		if (action)
			*believed = *action;
		if (ret_old)
			*ret_old = copy;
		return 0;
	}
	if (action && has_ours(&action->sa_mask)) {
		copy = *action;
		remove_ours(&copy.sa_mask);
		action = &copy;
	}
	return real_sigaction(signal, action, ret_old);
}

WRAPPER sighandler_t signal(int signal, sighandler_t handler)
{
	struct sigaction *believed = believed_of(signal);
	sighandler_t old;

	WRAPPER_FIND(real_signal, "signal");
	if (!believed)
		return real_signal(signal, handler);
	old = believed->sa_handler;
	*believed = (struct sigaction){ .sa_handler = handler };
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
