/*
 * A table of names and beginnings of names, asked once for each kernel function.
 */
#include "record/wait_reasons.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KALLSYMS_PATH "/proc/kallsyms"

static const struct {
	const char *name; /* a '*' at the end stands for any rest */
	uint8_t state;	  /* enum sample_state */
	bool is_scheduler;
	bool is_weak;
} clues[] = {
	{ "__schedule", SAMPLE_WAITING, true, false },
	{ "schedule", SAMPLE_WAITING, true, false },
	{ "schedule_*", SAMPLE_WAITING, true, false },
	{ "preempt_schedule*", SAMPLE_WAITING, true, false },
	{ "__cond_resched*", SAMPLE_WAITING, true, false },
	{ "io_schedule*", SAMPLE_DISK, true, true },
	{ "do_nanosleep", SAMPLE_SLEEP, false, false },
	{ "hrtimer_nanosleep*", SAMPLE_SLEEP, false, false },
	{ "alarm_timer_nsleep*", SAMPLE_SLEEP, false, false },
	{ "futex_*", SAMPLE_LOCK, false, false },
	{ "__futex_*", SAMPLE_LOCK, false, false },
	{ "do_futex", SAMPLE_LOCK, false, false },
	{ "do_poll*", SAMPLE_POLL, false, false },
	{ "do_sys_poll", SAMPLE_POLL, false, false },
	{ "do_select", SAMPLE_POLL, false, false },
	{ "poll_schedule_timeout*", SAMPLE_POLL, false, false },
	{ "ep_poll*", SAMPLE_POLL, false, false },
	{ "do_epoll_*", SAMPLE_POLL, false, false },
	{ "io_cqring_wait*", SAMPLE_POLL, false, false },
	{ "pipe_*", SAMPLE_PIPE, false, false },
	{ "anon_pipe_*", SAMPLE_PIPE, false, false },
	{ "fifo_open", SAMPLE_PIPE, false, false },
	{ "eventfd_*", SAMPLE_PIPE, false, false },
	{ "sk_wait_*", SAMPLE_SOCKET, false, false },
	{ "sk_stream_wait_*", SAMPLE_SOCKET, false, false },
	{ "__skb_wait_*", SAMPLE_SOCKET, false, false },
	{ "unix_*", SAMPLE_SOCKET, false, false },
	{ "inet_*", SAMPLE_SOCKET, false, false },
	{ "tcp_*", SAMPLE_SOCKET, false, false },
	{ "sock_*", SAMPLE_SOCKET, false, false },
	{ "__sys_recv*", SAMPLE_SOCKET, false, false },
	{ "__sys_send*", SAMPLE_SOCKET, false, false },
	{ "__sys_accept*", SAMPLE_SOCKET, false, false },
	{ "__sys_connect", SAMPLE_SOCKET, false, false },
	{ "n_tty_*", SAMPLE_TERMINAL, false, false },
	{ "tty_*", SAMPLE_TERMINAL, false, false },
	{ "do_wait", SAMPLE_CHILD, false, false },
	{ "kernel_wait*", SAMPLE_CHILD, false, false },
	{ "wait_for_vfork_done", SAMPLE_CHILD, false, false },
	{ "kernel_clone", SAMPLE_CHILD, false, true },
	{ "do_sigtimedwait*", SAMPLE_SIGNAL, false, false },
	{ "sigsuspend", SAMPLE_SIGNAL, false, false },
	{ "do_signal_stop", SAMPLE_SIGNAL, false, false },
	{ "ptrace_stop*", SAMPLE_SIGNAL, false, false },
	{ "get_signal", SAMPLE_SIGNAL, false, false },
	{ "__x64_sys_pause", SAMPLE_SIGNAL, false, false },
	{ "__arm64_sys_pause", SAMPLE_SIGNAL, false, false },
	{ "folio_wait_*", SAMPLE_DISK, false, false },
	{ "bit_wait_io*", SAMPLE_DISK, false, false },
	{ "blk_*", SAMPLE_DISK, false, false },
	{ "submit_bio_wait", SAMPLE_DISK, false, false },
	{ "filemap_*", SAMPLE_DISK, false, true },
	{ "vfs_fsync*", SAMPLE_DISK, false, false },
	{ "do_fsync", SAMPLE_DISK, false, false },
	{ "jbd2_*", SAMPLE_DISK, false, false },
	{ "ext4_*", SAMPLE_DISK, false, false },
	{ "xfs_*", SAMPLE_DISK, false, false },
	{ "btrfs_*", SAMPLE_DISK, false, false },
	{ "nfs_*", SAMPLE_DISK, false, false },
	{ "fuse_*", SAMPLE_DISK, false, false },
	{ "handle_mm_fault", SAMPLE_MEMORY, false, true },
	{ "do_user_addr_fault", SAMPLE_MEMORY, false, true },
	{ "do_page_fault", SAMPLE_MEMORY, false, true },
	{ "shrink_*", SAMPLE_MEMORY, false, true },
	{ "__mutex_lock*", SAMPLE_KERNEL, false, true },
	{ "mutex_lock*", SAMPLE_KERNEL, false, true },
	{ "rwsem_*", SAMPLE_KERNEL, false, true },
	{ "down_*", SAMPLE_KERNEL, false, true },
	{ "percpu_rwsem_*", SAMPLE_KERNEL, false, true },
	{ "wait_for_completion*", SAMPLE_KERNEL, false, true },
	{ "__wait_for_common", SAMPLE_KERNEL, false, true },
	{ "synchronize_*", SAMPLE_KERNEL, false, true },
	{ "rcu_*", SAMPLE_KERNEL, false, true },
};

int wait_reasons_init(struct wait_reasons *reasons)
{
	*reasons = (struct wait_reasons){ 0 };
	if (kernel_symbols_load(&reasons->symbols, KALLSYMS_PATH) < 0)
		return -ENOMEM;
	reasons->by_symbol = calloc(reasons->symbols.n_symbols + 1, 1);
	return reasons->by_symbol ? 0 : -ENOMEM;
}

void wait_reasons_release(struct wait_reasons *reasons)
{
	kernel_symbols_release(&reasons->symbols);
	free(reasons->by_symbol);
	*reasons = (struct wait_reasons){ 0 };
}

/* Compilers append how they changed a function: ".isra.0", ".constprop.0". */
static bool is_match(const char *pattern, const char *name, size_t name_bytes)
{
	const char *suffix = memchr(name, '.', name_bytes);
	const size_t size = strlen(pattern);

	if (suffix)
		name_bytes = (size_t)(suffix - name);
	if (pattern[size - 1] == '*')
		return name_bytes >= size - 1 && memcmp(pattern, name, size - 1) == 0;
	return name_bytes == size && memcmp(pattern, name, size) == 0;
}

static size_t find_clue(const char *name, size_t name_bytes)
{
	size_t at = 0;

	while (at < sizeof(clues) / sizeof(clues[0]) && !is_match(clues[at].name, name, name_bytes))
		at++;
	return at;
}

static struct wait_clue clue_at(size_t at)
{
	if (at >= sizeof(clues) / sizeof(clues[0]))
		return (struct wait_clue){ .state = SAMPLE_WAITING };
	return (struct wait_clue){ .state = clues[at].state,
				   .is_scheduler = clues[at].is_scheduler,
				   .is_weak = clues[at].is_weak };
}

struct wait_clue wait_reasons_clue(const char *name, size_t name_bytes)
{
	return clue_at(find_clue(name, name_bytes));
}

static struct wait_clue clue_of_ip(struct wait_reasons *reasons, uint64_t ip)
{
	const struct kernel_symbol *symbol = kernel_symbols_find(&reasons->symbols, ip - 1);
	uint8_t *known;

	if (!symbol)
		return (struct wait_clue){ .state = SAMPLE_WAITING };
	known = &reasons->by_symbol[symbol - reasons->symbols.symbols];
	if (!*known)
		*known = (uint8_t)(find_clue(symbol->name, symbol->name_bytes) + 1);
	return clue_at(*known - 1u);
}

enum sample_state wait_reasons_find(struct wait_reasons *reasons, const uint64_t *ips, size_t n_ips,
				    size_t *ret_n_scheduler)
{
	enum sample_state weak = SAMPLE_WAITING;
	bool is_in_scheduler = true;

	*ret_n_scheduler = 0;
	for (size_t i = 0; i < n_ips; i++) {
		const struct wait_clue clue = clue_of_ip(reasons, ips[i]);

		is_in_scheduler &= clue.is_scheduler;
		if (is_in_scheduler)
			*ret_n_scheduler = i + 1;
		if (clue.state == SAMPLE_WAITING)
			continue;
		if (!clue.is_weak)
			return clue.state;
		if (weak == SAMPLE_WAITING)
			weak = clue.state;
	}
	return weak;
}
