/* The words for what threads do while they do not run. */
#include "model/sample_state.h"

static const struct {
	const char *name;
	const char *label;
} words[SAMPLE_N_STATES] = {
	[SAMPLE_RUNNING] = { "running", "running" },
	[SAMPLE_WAITING] = { "waiting", "waiting" },
	[SAMPLE_PREEMPTED] = { "preempted", "waiting: preempted" },
	[SAMPLE_SLEEP] = { "sleep", "waiting: sleep" },
	[SAMPLE_LOCK] = { "lock", "waiting: lock" },
	[SAMPLE_POLL] = { "poll", "waiting: poll" },
	[SAMPLE_DISK] = { "disk", "waiting: disk" },
	[SAMPLE_PIPE] = { "pipe", "waiting: pipe" },
	[SAMPLE_SOCKET] = { "socket", "waiting: socket" },
	[SAMPLE_TERMINAL] = { "terminal", "waiting: terminal" },
	[SAMPLE_CHILD] = { "child", "waiting: child" },
	[SAMPLE_SIGNAL] = { "signal", "waiting: signal" },
	[SAMPLE_MEMORY] = { "memory", "waiting: memory" },
	[SAMPLE_KERNEL] = { "kernel", "waiting: kernel" },
};

const char *sample_state_name(enum sample_state state)
{
	return words[state < SAMPLE_N_STATES ? state : SAMPLE_WAITING].name;
}

const char *sample_state_label(enum sample_state state)
{
	return words[state < SAMPLE_N_STATES ? state : SAMPLE_WAITING].label;
}
