#include "os/sigprof_waits.h"

#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_PAGES = SIGPROF_STACK_MAX_BYTES / SIGPROF_PAGE_BYTES + 2 };

enum sample_state sigprof_wait_state(uint32_t reason)
{
	static const enum sample_state states[] = {
		[SIGPROF_WAIT_OTHER] = SAMPLE_WAITING,
		[SIGPROF_WAIT_SLEEP] = SAMPLE_SLEEP,
		[SIGPROF_WAIT_LOCK] = SAMPLE_LOCK,
		[SIGPROF_WAIT_POLL] = SAMPLE_POLL,
		[SIGPROF_WAIT_CHILD] = SAMPLE_CHILD,
		[SIGPROF_WAIT_SIGNAL] = SAMPLE_SIGNAL,
		[SIGPROF_WAIT_DISK] = SAMPLE_DISK,
		[SIGPROF_WAIT_PIPE] = SAMPLE_PIPE,
		[SIGPROF_WAIT_SOCKET] = SAMPLE_SOCKET,
		[SIGPROF_WAIT_TERMINAL] = SAMPLE_TERMINAL,
		[SIGPROF_WAIT_DESCRIPTOR] = SAMPLE_WAITING,
	};

	return reason < sizeof(states) / sizeof(*states) ? states[reason] : SAMPLE_WAITING;
}

enum sample_state sigprof_descriptor_state(uint32_t pid, int fd)
{
	static const struct {
		const char *start;
		enum sample_state state;
	} kinds[] = {
		{ "socket:", SAMPLE_SOCKET },
		{ "pipe:", SAMPLE_PIPE },
		{ "anon_inode:", SAMPLE_PIPE },
		{ "/dev/pts/", SAMPLE_TERMINAL },
		{ "/dev/tty", SAMPLE_TERMINAL },
		{ "/dev/", SAMPLE_WAITING },
		{ "/", SAMPLE_DISK },
	};
	char path[64];
	char target[64];
	ssize_t size;

	(void)snprintf(path, sizeof(path), "/proc/%u/fd/%d", (unsigned int)pid, fd);
	size = readlink(path, target, sizeof(target) - 1);
	if (size <= 0)
		return SAMPLE_WAITING;
	target[size] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(target, kinds[i].start, strlen(kinds[i].start)) == 0)
			return kinds[i].state;
	return SAMPLE_WAITING;
}

static uint32_t sequence_of(const struct sigprof_slot *slot)
{
	return atomic_load_explicit(&slot->wait.sequence, memory_order_acquire);
}

bool sigprof_wait_is_long(const struct sigprof_slot *slot, uint64_t before_ns,
			  uint32_t *ret_sequence)
{
	*ret_sequence = sequence_of(slot);
	return *ret_sequence & 1 && *(const volatile uint64_t *)&slot->wait.start_ns < before_ns;
}

/* Page by page, up to the first that is not there. */
static size_t read_stack(uint32_t pid, uint64_t sp, uint8_t *stack, size_t stack_bytes)
{
	struct iovec remote[MAX_PAGES];
	const struct iovec local = { .iov_base = stack, .iov_len = stack_bytes };
	size_t n_remote = 0;
	uint64_t at = sp;
	ssize_t n;

	if (sp + stack_bytes < sp)
		return 0;
	while (at < sp + stack_bytes && n_remote < MAX_PAGES) {
		uint64_t end = (at | (SIGPROF_PAGE_BYTES - 1)) + 1;

		if (end > sp + stack_bytes)
			end = sp + stack_bytes;
		remote[n_remote].iov_base = (void *)(uintptr_t)at;
		remote[n_remote++].iov_len = end - at;
		at = end;
	}
	n = process_vm_readv((pid_t)pid, &local, 1, remote, n_remote, 0);
	return n > 0 ? (size_t)n : 0;
}

bool sigprof_wait_look(const struct sigprof_slot *slot, uint32_t sequence, uint32_t pid,
		       struct raw_sample *sample, uint8_t *stack, size_t stack_bytes,
		       uint64_t *ret_start_ns)
{
	struct sigprof_slot_wait wait;

	/* The other end may write at any time; what it says is only believed if it did not. */
	memcpy(&wait, (const void *)&slot->wait, sizeof(wait));
	*sample = (struct raw_sample){
		.has_registers = true,
		.registers = { .arch = ARCH_NATIVE },
		.state = wait.reason == SIGPROF_WAIT_DESCRIPTOR
				 ? sigprof_descriptor_state(pid, wait.fd)
				 : sigprof_wait_state(wait.reason),
		.stack_bytes = stack,
		.stack_asked_bytes = stack_bytes,
	};
	memcpy(sample->registers.values, wait.registers,
	       SIGPROF_N_REGISTERS * sizeof(*wait.registers));
	sample->stack_size_bytes = read_stack(pid, registers_sp(&sample->registers), stack,
					      stack_bytes);
	*ret_start_ns = wait.start_ns;
	return sequence_of(slot) == sequence;
}
