/*
 * What makes a thread tick, in this order:
 *
 * perf's task-clock of the thread with a SIGTRAP to it (Linux 5.13; before 5.19 it
 * kills a thread that blocks it).  It is raised on the way back to the program, so
 * that no system call is interrupted or cut short by a tick within it.
 *
 * The same with another signal, which does interrupt.
 *
 * The event's descriptor is closed at once: its mapped ring keeps it alive, so that
 * the program's descriptors stay its own, and closing them all does not end the
 * sampling.  The kernel writes what the event has counted into the ring at each
 * tick, which spares the handler the system call for the thread's CPU time (0.2
 * to 1.5 µs); mapped for reading only, the ring has no end and loses nothing.  No
 * PERF_EVENT_IOC_REFRESH, which hangs Linux 6.16 and 6.17.
 *
 * A timer on the thread's CPU clock.  The kernel looks at those at its tick
 * only, so that CONFIG_HZ is the highest rate.
 *
 * Never ITIMER_PROF, which has one signal for the whole process.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/sigprof_client.h"

/* What the attributes make the kernel write. */
struct event_record {
	struct perf_event_header header;
	uint64_t count_ns;
};

enum {
	EVENT_RING_BYTES = SIGPROF_PAGE_BYTES,
	EVENT_BYTES = SIGPROF_PAGE_BYTES + EVENT_RING_BYTES,
	NS_PER_SECOND = 1000000000,
	HIGH_DESCRIPTOR = 400, /* away from where programs expect theirs */
};

static int event_open(uint64_t period_ns, enum sigprof_trigger kind)
{
	struct perf_event_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.type = PERF_TYPE_SOFTWARE;
	attr.size = sizeof(attr);
	attr.config = PERF_COUNT_SW_TASK_CLOCK;
	attr.sample_period = period_ns;
	attr.sample_type = PERF_SAMPLE_READ;
	attr.wakeup_events = 1;
	attr.disabled = 1;
	attr.exclude_kernel = kind == SIGPROF_TRIGGER_PERF_USER;
	attr.sigtrap = kind == SIGPROF_TRIGGER_TRAP;
	attr.remove_on_exec = kind == SIGPROF_TRIGGER_TRAP;
	attr.exclude_hv = 1;
	return (int)syscall(SYS_perf_event_open, &attr, 0L, -1L, -1L,
			    (unsigned long)PERF_FLAG_FD_CLOEXEC);
}

static bool event_direct_to_thread(int fd)
{
	const struct f_owner_ex owner = { .type = F_OWNER_TID, .pid = (int)syscall(SYS_gettid) };

	return fcntl(fd, F_SETSIG, CLIENT_SIGNAL) == 0 && fcntl(fd, F_SETOWN_EX, &owner) == 0 &&
	       fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK) == 0;
}

/* Where memory may not be locked for the page, the descriptor has to stay. */
static bool event_keep(struct thread_trigger *trigger, int fd)
{
	void *page = mmap(NULL, EVENT_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	if (page != MAP_FAILED) {
		trigger->event_page = page;
		return true;
	}
	trigger->event_fd = fcntl(fd, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR);
	return trigger->event_fd >= 0 &&
	       ioctl(trigger->event_fd, PERF_EVENT_IOC_ID, &trigger->event_id) == 0;
}

static bool event_start(struct thread_trigger *trigger, uint64_t period_ns,
			enum sigprof_trigger kind)
{
	const int fd = event_open(period_ns, kind);
	bool is_started;

	if (fd < 0)
		return false;
	if (kind == SIGPROF_TRIGGER_TRAP)
		client_trap_install();
	is_started = (kind == SIGPROF_TRIGGER_TRAP || event_direct_to_thread(fd)) &&
		     event_keep(trigger, fd) && ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0;
	(void)syscall(SYS_close, (long)fd);
	trigger->kind = kind;
	if (!is_started)
		thread_trigger_stop(trigger);
	return is_started;
}

static bool timer_start(struct thread_trigger *trigger, uint64_t period_ns)
{
	const struct timespec period = { .tv_sec = (time_t)(period_ns / NS_PER_SECOND),
					 .tv_nsec = (long)(period_ns % NS_PER_SECOND) };
	const struct itimerspec times = { .it_interval = period, .it_value = period };
	struct sigevent event;

	memset(&event, 0, sizeof(event));
	event.sigev_notify = SIGEV_THREAD_ID;
	event.sigev_signo = CLIENT_SIGNAL;
	event._sigev_un._tid = (int)syscall(SYS_gettid);
	if (syscall(SYS_timer_create, (long)CLOCK_THREAD_CPUTIME_ID, &event, &trigger->timer_id) <
	    0)
		return false;
	trigger->kind = SIGPROF_TRIGGER_TIMER;
	if (syscall(SYS_timer_settime, (long)trigger->timer_id, 0L, &times, NULL) == 0)
		return true;
	thread_trigger_stop(trigger);
	return false;
}

static bool start_kind(struct thread_trigger *trigger, uint64_t period_ns, char letter)
{
	switch ((enum sigprof_trigger)letter) {
	case SIGPROF_TRIGGER_TRAP:
	case SIGPROF_TRIGGER_PERF:
	case SIGPROF_TRIGGER_PERF_USER:
		return event_start(trigger, period_ns, (enum sigprof_trigger)letter);
	case SIGPROF_TRIGGER_TIMER:
		return timer_start(trigger, period_ns);
	case SIGPROF_TRIGGER_NONE:
		break;
	}
	return false;
}

void thread_trigger_start(struct thread_trigger *trigger, const struct client_options *options)
{
	*trigger = (struct thread_trigger){ .kind = SIGPROF_TRIGGER_NONE,
					    .event_fd = -1,
					    .start_cpu_ns = client_cpu_ns() };
	for (const char *letter = options->triggers; *letter; letter++)
		if (start_kind(trigger, options->period_ns, *letter))
			return;
}

bool thread_trigger_cpu_ns(const struct thread_trigger *trigger, uint64_t *ret_cpu_ns)
{
	const struct perf_event_mmap_page *page = trigger->event_page;
	struct event_record record;
	uint64_t head;

	if (!page)
		return false;
	/* The kernel writes in an interrupt of this thread: its stores are there. */
	head = *(const volatile __u64 *)&page->data_head;
	atomic_signal_fence(memory_order_seq_cst);
	if (head < sizeof(record))
		return false;
	head = (head - sizeof(record)) & (EVENT_RING_BYTES - 1);
	copy_words(&record, (const uint8_t *)page + SIGPROF_PAGE_BYTES + head, sizeof(record));
	if (record.header.type != PERF_RECORD_SAMPLE || record.header.size != sizeof(record))
		return false;
	*ret_cpu_ns = trigger->start_cpu_ns + record.count_ns;
	return true;
}

/* The program may have closed it, and another file have got the number since. */
static void close_event(struct thread_trigger *trigger)
{
	uint64_t id;

	if (trigger->event_fd >= 0 && ioctl(trigger->event_fd, PERF_EVENT_IOC_ID, &id) == 0 &&
	    id == trigger->event_id)
		(void)syscall(SYS_close, (long)trigger->event_fd);
	trigger->event_fd = -1;
}

void thread_trigger_stop(struct thread_trigger *trigger)
{
	void *page = trigger->event_page;

	if (!trigger->kind || client_mode() == CLIENT_MAKES_NO_CALLS)
		return;
	/* A last tick may come on the way back from unmapping it. */
	trigger->event_page = NULL;
	atomic_signal_fence(memory_order_seq_cst);
	if (page)
		(void)syscall(SYS_munmap, page, (long)EVENT_BYTES);
	close_event(trigger);
	if (trigger->kind == SIGPROF_TRIGGER_TIMER)
		(void)syscall(SYS_timer_delete, (long)trigger->timer_id);
	trigger->kind = SIGPROF_TRIGGER_NONE;
}

void thread_trigger_forget(struct thread_trigger *trigger)
{
	/* The kernel copies neither timers nor the event's page to a child. */
	if (!trigger->kind)
		return;
	if (client_mode() == CLIENT_RUNS)
		close_event(trigger);
	trigger->event_page = NULL;
	trigger->kind = SIGPROF_TRIGGER_NONE;
}
