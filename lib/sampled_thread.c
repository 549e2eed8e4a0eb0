/* The life of a sampled thread: its slot, its stack's bounds, its ticks. */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/client_process.h"
#include "lib/sigprof_client.h"

/* The kernel keeps this far free of mappings below the main thread's stack. */
#define MAIN_STACK_GAP_BYTES ((uint64_t)128 << 20)

/* Arguments, environment and auxiliary vector, above the first frame. */
enum { ABOVE_STACK_BYTES = 64 };

_Thread_local struct client_thread client_thread;

/* Of the dynamic linker: where the kernel put argc. */
extern void *__libc_stack_end;

static void find_main_stack(struct client_thread *thread)
{
	struct rlimit limit;
	uint64_t size_bytes = MAIN_STACK_GAP_BYTES;

	if (getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < size_bytes)
		size_bytes = limit.rlim_cur;
	thread->stack_high = (uintptr_t)__libc_stack_end + ABOVE_STACK_BYTES;
	thread->stack_low = thread->stack_high > size_bytes ? thread->stack_high - size_bytes : 0;
}

/* Not in the handler: it reads attributes that the C library keeps in memory of its own. */
static void find_stack(struct client_thread *thread)
{
	pthread_attr_t attr;
	void *low;
	size_t size_bytes;

	/* A fork's child goes on with the stack of the thread that forked. */
	if (thread->stack_high)
		return;
	if (thread->tid == thread->pid) {
		find_main_stack(thread);
		return;
	}
	if (pthread_getattr_np(pthread_self(), &attr) != 0)
		return;
	if (pthread_attr_getstack(&attr, &low, &size_bytes) == 0) {
		thread->stack_low = (uintptr_t)low;
		thread->stack_high = (uintptr_t)low + size_bytes;
	}
	(void)pthread_attr_destroy(&attr);
}

/* Once a thread has found that the memory is gone, no other one looks for it there. */
static bool check_memory(const struct client_thread *thread)
{
	if (client_mode() == CLIENT_RUNS && !client_memory_is_there(thread))
		client_set_mode(CLIENT_IS_OFF);
	return client_mode() != CLIENT_IS_OFF;
}

static void unblock_signal(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, CLIENT_SIGNAL);
	(void)sigaddset(&set, SIGTRAP);
	(void)syscall(SYS_rt_sigprocmask, (long)SIG_UNBLOCK, &set, NULL, 8L);
}

static void send_start(enum sigprof_hello_kind kind, uint32_t parent_tid, uint64_t cpu_ns)
{
	struct client_thread *thread = &client_thread;
	struct sigprof_thread record = {
		.header = { .size_bytes = sizeof(record),
			    .kind = SIGPROF_RECORD_START,
			    .flags = (uint16_t)kind,
			    .time_ns = client_time_ns() },
		.cpu_ns = cpu_ns,
		.tid = thread->tid,
		.parent_tid = parent_tid,
		.trigger = thread->trigger.kind,
	};

	(void)prctl(PR_GET_NAME, record.comm);
	ring_write(&record.header, "", 0);
}

void client_thread_start_as(enum sigprof_hello_kind kind, uint32_t parent_tid)
{
	const struct client_options *options = client_options();
	struct client_thread *thread = &client_thread;
	const int saved_errno = errno;

	if (!options || thread->slot || client_mode() != CLIENT_RUNS)
		return;
	thread->tid = (uint32_t)syscall(SYS_gettid);
	thread->pid = (uint32_t)getpid();
	if (!client_slot_claim(thread, kind == 0 ? SIGPROF_HELLO_MORE : kind))
		goto out;
	/* What goes before in a new program was the old one's; a thread begins at 0. */
	find_stack(thread);
	unblock_signal();
	/* The trigger comes last, but its kind belongs into the first record. */
	thread->is_busy = 1;
	thread_trigger_start(&thread->trigger, options);
	if (thread->trigger.kind == SIGPROF_TRIGGER_NONE)
		atomic_fetch_add_explicit(&thread->segment->n_threads_without_trigger, 1,
					  memory_order_relaxed);
	send_start(kind, parent_tid, kind == SIGPROF_HELLO_EXEC ? client_cpu_ns() : 0);
out:
	errno = saved_errno;
}

void client_thread_start(uint32_t parent_tid)
{
	client_thread_start_as(0, parent_tid);
}

void client_thread_end(void)
{
	struct client_thread *thread = &client_thread;
	struct sigprof_thread record = {
		.header = { .size_bytes = sizeof(record), .kind = SIGPROF_RECORD_END },
	};
	const int saved_errno = errno;

	if (!thread->slot || !client_thread_is_own())
		return;
	if (!check_memory(thread)) {
		*thread = (struct client_thread){ 0 };
		return;
	}
	thread_trigger_stop(&thread->trigger);
	record.header.time_ns = client_time_ns();
	record.cpu_ns = client_mode() == CLIENT_RUNS ? client_cpu_ns() : thread->cpu_ns;
	record.tid = thread->tid;
	ring_write(&record.header, "", 0);
	/* Release: the recorder sees ENDED after everything that was written. */
	atomic_store_explicit(&thread->slot->state, SIGPROF_SLOT_ENDED, memory_order_release);
	*thread = (struct client_thread){ 0 };
	errno = saved_errno;
}

bool client_thread_is_own(void)
{
	return client_mode() == CLIENT_MAKES_NO_CALLS ||
	       client_thread.tid == (uint32_t)syscall(SYS_gettid);
}

void client_comm_send(uint32_t tid, const char *comm)
{
	const int saved_errno = errno;
	struct sigprof_thread record = {
		.header = { .size_bytes = sizeof(record),
			    .kind = SIGPROF_RECORD_COMM,
			    .time_ns = client_time_ns() },
		.tid = tid,
	};

	for (size_t i = 0; i < sizeof(record.comm) - 1 && comm[i]; i++)
		record.comm[i] = comm[i];
	if (client_thread.slot && check_memory(&client_thread))
		ring_write(&record.header, "", 0);
	errno = saved_errno;
}

void client_thread_fork_child(void)
{
	struct client_thread *thread = &client_thread;

	thread_trigger_forget(&thread->trigger);
	thread->cpu_ns = 0;
	thread->wait_sp = 0;
	thread->waited_ns = thread->untold_wait_ns = 0;
	thread->slot = NULL;
	thread->is_busy = 0;
	client_slots_forget();
}
