/*
 * New threads begin in a function of ours, which leaves no frame behind.  What
 * they need is handed over in places of a fixed table: the program's allocator
 * may be the one that starts the thread.
 */
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <threads.h>
#include <unistd.h>

#include "lib/client_process.h"
#include "lib/sigprof_client.h"
#include "lib/wrapper.h"

enum { MAX_STARTS = 4096 };

struct thread_start {
	_Atomic uint32_t is_used; /* acquired by who claims it, released by the thread */
	uint32_t parent_tid;
	void *(*function)(void *);
	int (*function_c11)(void *);
	void *argument;
};

static struct thread_start starts[MAX_STARTS];
static _Atomic uint32_t next_start; /* where to look first; relaxed */

static int (*real_pthread_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static int (*real_thrd_create)(thrd_t *, thrd_start_t, void *);
static int (*real_pthread_setname_np)(pthread_t, const char *);
static int (*real_prctl)(int, ...);

static struct thread_start *claim_start(void)
{
	if (!client_thread.slot)
		return NULL;
	for (uint32_t i = 0; i < MAX_STARTS; i++) {
		struct thread_start *start =
			&starts[atomic_fetch_add_explicit(&next_start, 1, memory_order_relaxed) %
				MAX_STARTS];
		uint32_t expected = 0;

		if (atomic_compare_exchange_strong_explicit(&start->is_used, &expected, 1,
							    memory_order_acquire,
							    memory_order_relaxed))
			return start;
	}
	return NULL;
}

static void release_start(struct thread_start *start)
{
	atomic_store_explicit(&start->is_used, 0, memory_order_release);
}

static struct thread_start take_start(struct thread_start *start)
{
	const struct thread_start copy = { .parent_tid = start->parent_tid,
					   .function = start->function,
					   .function_c11 = start->function_c11,
					   .argument = start->argument };

	release_start(start);
	client_thread_start(copy.parent_tid);
	client_thread_end_expect();
	return copy;
}

static void *run_thread(void *argument)
{
	const struct thread_start start = take_start(argument);

	return start.function(start.argument);
}

static int run_thread_c11(void *argument)
{
	const struct thread_start start = take_start(argument);

	return start.function_c11(start.argument);
}

WRAPPER int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attr,
			   void *(*function)(void *), void *argument)
{
	struct thread_start *start;
	int r;

	WRAPPER_FIND(real_pthread_create, "pthread_create");
	client_start();
	start = claim_start();
	if (!start)
		return real_pthread_create(ret_thread, attr, function, argument);
	start->parent_tid = client_thread.tid;
	start->function = function;
	start->argument = argument;
	r = real_pthread_create(ret_thread, attr, run_thread, start);
	if (r != 0)
		release_start(start);
	return r;
}

WRAPPER int thrd_create(thrd_t *ret_thread, thrd_start_t function, void *argument)
{
	struct thread_start *start;
	int r;

	WRAPPER_FIND(real_thrd_create, "thrd_create");
	client_start();
	start = claim_start();
	if (!start)
		return real_thrd_create(ret_thread, function, argument);
	start->parent_tid = client_thread.tid;
	start->function_c11 = function;
	start->argument = argument;
	r = real_thrd_create(ret_thread, run_thread_c11, start);
	if (r != thrd_success)
		release_start(start);
	return r;
}

/* A name for another thread is left to the recorder, who can look it up. */
WRAPPER int pthread_setname_np(pthread_t thread, const char *name)
{
	int r;

	WRAPPER_FIND(real_pthread_setname_np, "pthread_setname_np");
	r = real_pthread_setname_np(thread, name);
	if (r == 0 && pthread_equal(thread, pthread_self()) && client_thread_is_own())
		client_comm_send(client_thread.tid, name);
	return r;
}

WRAPPER int prctl(int option, ...)
{
	unsigned long words[4];
	va_list arguments;
	int r;

	va_start(arguments, option);
	for (int i = 0; i < 4; i++)
		words[i] = va_arg(arguments, unsigned long);
	va_end(arguments);
	WRAPPER_FIND(real_prctl, "prctl");
	/* Before it holds: what it allows is not known. */
	if (option == PR_SET_SECCOMP)
		client_set_mode(CLIENT_MAKES_NO_CALLS);
	r = real_prctl(option, words[0], words[1], words[2], words[3]);
	if (option == PR_SET_NAME && r == 0 && client_thread_is_own())
		client_comm_send(client_thread.tid, (const char *)words[0]);
	return r;
}
