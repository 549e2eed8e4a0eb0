/*
 * Waiting, measured around the calls that wait.  What a thread is doing is put
 * into its slot when it begins to wait, where the recorder can see it as long as that
 * lasts; afterwards the thread itself writes a record, once what it has
 * waited adds up to a period.  A thread that waits costs nothing meanwhile.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "lib/client_waits.h"
#include "lib/sigprof_client.h"
#include "lib/stack_copy.h"
#include "lib/wrapper.h"

int waits_are_on; /* set before there are threads */

void client_waits_enable(void)
{
	waits_are_on = 1;
}

/* Where the C library lacks what the program calls, which then looked for it itself. */
static void no_such_call(void)
{
	errno = ENOSYS;
}

static void find_real(struct wait_call *call)
{
	wrapper_find(&call->real, call->name);
	if (!call->jump && call->real)
		memcpy(&call->jump, &call->real, sizeof(call->jump));
	if (!call->jump)
		call->jump = no_such_call;
}

static void publish(struct sigprof_slot *slot, const struct wait_frame *frame, uint64_t start_ns)
{
	struct sigprof_slot_wait *wait = &slot->wait;
	const uint32_t sequence = atomic_load_explicit(&wait->sequence, memory_order_relaxed);

	wait->reason = frame->call->reason;
	wait->fd = (int32_t)frame->arguments[0];
	wait->start_ns = start_ns;
	wait_frame_registers(frame, wait->registers);
	/* Pairs with the recorder's acquire: an odd one says that all of it is there. */
	atomic_store_explicit(&wait->sequence, sequence | 1, memory_order_release);
}

static void withdraw(struct sigprof_slot *slot)
{
	const uint32_t sequence = atomic_load_explicit(&slot->wait.sequence, memory_order_relaxed);

	atomic_store_explicit(&slot->wait.sequence, (sequence | 1) + 1, memory_order_relaxed);
	/* What the next wait writes comes after it. */
	atomic_thread_fence(memory_order_release);
}

wait_function wait_enter(struct wait_frame *frame)
{
	struct client_thread *thread = &client_thread;
	const int saved_errno = errno;

	if (!frame->call->real) {
		find_real(frame->call);
		errno = saved_errno;
	}
	if (waits_are_on && thread->slot && client_mode() != CLIENT_IS_OFF) {
		/* One that was left by a jump, or is interrupted, ends unseen. */
		thread->wait_sp = wait_frame_sp(frame);
		thread->wait_start_ns = client_time_ns();
		publish(thread->slot, frame, thread->wait_start_ns);
	}
	return frame->call->jump;
}

/* What a descriptor is that was waited for; no system call where that may kill. */
static uint32_t reason_of_descriptor(int fd)
{
	struct stat status;
	struct termios terminal;

	if (client_mode() != CLIENT_RUNS || fstat(fd, &status) < 0)
		return SIGPROF_WAIT_OTHER;
	switch (status.st_mode & S_IFMT) {
	case S_IFSOCK:
		return SIGPROF_WAIT_SOCKET;
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		return SIGPROF_WAIT_DISK;
	case S_IFCHR:
		return ioctl(fd, TCGETS, &terminal) == 0 ? SIGPROF_WAIT_TERMINAL
							 : SIGPROF_WAIT_OTHER;
	default:
		return SIGPROF_WAIT_PIPE; /* an eventfd or timerfd has no type */
	}
}

/* False when there is no room: the time is told with the next wait. */
static bool write_wait(struct client_thread *thread, const struct sigprof_wait *wait, uint64_t sp)
{
	const uint32_t fixed_bytes = (uint32_t)sizeof(*wait) + SIGPROF_N_REGISTERS * 8;
	struct sigprof_stack stack = client_stack_plan(thread, sp, false);
	struct sigprof_wait *record =
		ring_reserve(thread, (fixed_bytes + client_stack_room(&stack) + 15U) & ~15U);

	if (!record)
		return false;
	*record = *wait;
	copy_words(record + 1, thread->slot->wait.registers, SIGPROF_N_REGISTERS * 8);
	client_stack_copy(thread, (uint8_t *)record + fixed_bytes, sp, &stack);
	record->stack = stack;
	record->header.size_bytes = (fixed_bytes + client_stack_room(&stack) + 15U) & ~15U;
	ring_commit(thread, record->header.size_bytes);
	return true;
}

static void tell_wait(struct client_thread *thread, const struct wait_frame *frame, uint64_t now_ns,
		      uint32_t sequence)
{
	const uint32_t reason = frame->call->reason;
	const struct sigprof_wait wait = {
		.header = { .kind = SIGPROF_RECORD_WAIT, .time_ns = now_ns },
		.waited_ns = thread->waited_ns,
		.untold_ns = thread->untold_wait_ns,
		.sequence = sequence,
		.reason = reason == SIGPROF_WAIT_DESCRIPTOR
				  ? reason_of_descriptor((int)frame->arguments[0])
				  : reason,
		.n_registers = SIGPROF_N_REGISTERS,
	};

	if (!client_thread_is_own())
		return;
	thread->is_busy = 1;
	atomic_signal_fence(memory_order_seq_cst);
	if (write_wait(thread, &wait, wait_frame_sp(frame)))
		thread->untold_wait_ns = 0;
	else
		atomic_fetch_add_explicit(&thread->slot->n_lost_events, 1, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	thread->is_busy = 0;
}

void wait_leave(struct wait_frame *frame)
{
	struct client_thread *thread = &client_thread;
	const int saved_errno = errno;
	uint64_t now_ns;
	uint32_t sequence;

	if (!thread->slot || thread->wait_sp != wait_frame_sp(frame))
		return;
	thread->wait_sp = 0;
	if (client_mode() == CLIENT_IS_OFF)
		return;
	now_ns = client_time_ns();
	sequence = atomic_load_explicit(&thread->slot->wait.sequence, memory_order_relaxed);
	withdraw(thread->slot);
	thread->waited_ns += now_ns - thread->wait_start_ns;
	thread->untold_wait_ns += now_ns - thread->wait_start_ns;
	if (thread->untold_wait_ns >= client_options()->period_ns)
		tell_wait(thread, frame, now_ns, sequence);
	errno = saved_errno;
}
