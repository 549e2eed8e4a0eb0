/*
 * One function a check, in the order in which they are shown.  Where the rules
 * of the kernel are repeated here, it is only to explain what a trial showed.
 */
#include "record/machine_checks.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "record/capability_advice.h"

#define STACK_WHOLE_BYTES UINT64_C(65528) /* the most that perf copies */

struct facts {
	const struct machine_settings *settings;
	const struct machine_probes *probes;
};

static struct machine_check *add_check(struct machine_checks *checks, const char *key,
				       const char *name)
{
	struct machine_check *check = &checks->items[checks->n_items++];

	assert(checks->n_items <= MACHINE_MAX_CHECKS);
	*check = (struct machine_check){ .key = key, .name = name };
	return check;
}

__attribute__((format(printf, 3, 4))) static void
judge(struct machine_check *check, enum machine_verdict verdict, const char *format, ...)
{
	va_list args;

	check->verdict = verdict;
	va_start(args, format);
	(void)vsnprintf(check->why, sizeof(check->why), format, args);
	va_end(args);
}

/* Those that the process has did not help, so that to give them again would not, either. */
static void add_capabilities(struct machine_check *check, const struct facts *facts, uint64_t mask,
			     const char *gain)
{
	struct machine_remedy *remedy = &check->remedies[check->n_remedies];
	const bool has_all = (facts->settings->capabilities & mask) == mask;
	bool is_setcap;

	if (has_all || check->n_remedies == MACHINE_MAX_REMEDIES ||
	    !capability_advice_command(remedy->command, sizeof(remedy->command), mask,
				       facts->settings, facts->probes->uid == 0))
		return;
	is_setcap = strstr(remedy->command, "setcap") != NULL;
	(void)snprintf(remedy->gain, sizeof(remedy->gain), "%s",
		       is_setcap ? gain : "for this container, when it runs as root");
	remedy->capabilities = mask;
	check->n_remedies++;
}

/* Settings of the kernel are the host's, and root does not need sudo. */
static void add_remedy(struct machine_check *check, const struct facts *facts, const char *command,
		       const char *gain)
{
	const bool is_host_command = strstr(command, "sysctl") != NULL;
	const bool is_contained = facts->settings->container[0] ||
				  facts->settings->is_in_user_namespace;
	const bool is_root = facts->probes->uid == 0 && !is_contained;
	const uint64_t capabilities = capability_advice_mask(command);
	struct machine_remedy *remedy = &check->remedies[check->n_remedies];

	if (capabilities) {
		add_capabilities(check, facts, capabilities, gain);
		return;
	}
	if (check->n_remedies == MACHINE_MAX_REMEDIES)
		return;
	if (is_root && strncmp(command, "sudo ", 5) == 0)
		command += 5;
	(void)snprintf(remedy->command, sizeof(remedy->command), "%s", command);
	(void)snprintf(remedy->gain, sizeof(remedy->gain), "%s%s",
		       is_host_command && is_contained ? "on the host; " : "", gain);
	check->n_remedies++;
}

/* Where the container is known, how that one lets the call through; false when it is not. */
static bool add_filter_remedies(struct machine_check *check, const struct facts *facts)
{
	if (strcmp(facts->settings->container, "kubernetes") == 0) {
		add_remedy(
			check, facts, "securityContext: {capabilities: {add: [PERFMON]}}",
			"for this container, when it runs as root; needs containerd 1.7 or newer");
		add_remedy(check, facts,
			   "securityContext: {seccompProfile: {type: Localhost, "
			   "localhostProfile: FILE}}",
			   "for this container; FILE: the node's profile with perf_event_open "
			   "allowed");
		return true;
	}
	if (strcmp(facts->settings->container, "podman") == 0) {
		add_remedy(check, facts, "podman run --cap-add PERFMON --cap-add SYS_ADMIN ...",
			   "for this container; from the end of 2025 on PERFMON is enough");
		add_remedy(check, facts, "podman run --security-opt seccomp=PROFILE.json ...",
			   "for this container; PROFILE.json: the default profile with "
			   "perf_event_open allowed");
		return true;
	}
	return false;
}

static void add_refusal(struct machine_check *check, const struct facts *facts,
			const struct perf_refusal *refusal)
{
	char text[PERF_REFUSAL_TEXT_BYTES];
	const struct remedy *remedies = NULL;
	const size_t n_remedies = perf_refusal_remedies(&remedies, refusal);

	judge(check, MACHINE_NO, "%s", perf_refusal_cause(text, refusal));
	if (refusal->kind == PERF_REFUSAL_FILTER && add_filter_remedies(check, facts))
		return;
	for (size_t i = 0; i < n_remedies; i++)
		add_remedy(check, facts, remedies[i].command, remedies[i].gain);
}

static void check_perf(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "perf", "engine perf");
	const struct machine_probes *probes = facts->probes;

	if (probes->perf.code == 0)
		judge(check, MACHINE_YES, "perf_event_open is permitted%s",
		      probes->has_kernel ? ", for user code and kernel" : " for user code");
	else if (probes->refusal.kind != PERF_REFUSAL_NONE)
		add_refusal(check, facts, &probes->refusal);
	else
		judge(check, MACHINE_NO, "%s", probes->perf.message);
	if (probes->perf.code == -EMFILE)
		add_remedy(check, facts, "sudo prlimit --nofile=65536 --pid $$",
			   "for this shell and what it starts");
}

static void check_sigprof(struct machine_checks *checks, const struct facts *facts)
{
	const struct machine_probes *probes = facts->probes;
	struct machine_check *check;

	if (!probes->has_sigprof)
		return;
	check = add_check(checks, "sigprof", "engine sigprof");
	if (probes->sigprof.code == 0) {
		judge(check, MACHINE_YES,
		      "for dynamically linked commands that record starts; ticks come from %s",
		      probes->task_clock == 0	     ? "perf's task-clock"
		      : probes->task_clock_user == 0 ? "perf's task-clock, in user code"
						     : "timers on CPU time");
		return;
	}
	judge(check, MACHINE_NO, "%s", probes->sigprof.message);
	if (probes->sigprof.code != -ENOENT)
		return;
	add_remedy(check, facts, "sudo make install", "for everybody: the library beside tsprof");
	add_remedy(check, facts, "export TSPROF_LIBRARY=FOLDER/libtsprof.so",
		   "for this shell: a library that is elsewhere");
}

/* True, with a verdict, where there is nothing to say without the engine perf. */
static bool is_without_perf(struct machine_check *check, const struct facts *facts)
{
	if (facts->probes->perf.code == 0)
		return false;
	judge(check, MACHINE_NO, "only the engine perf can");
	return true;
}

/* What the kernel does is seen at level 1, or by those who may watch everything. */
static void refuse_kernel(struct machine_check *check, const struct facts *facts,
			  const char *consequence)
{
	const struct machine_number *level = &facts->settings->paranoid;

	judge(check, MACHINE_NO, "kernel.perf_event_paranoid is %" PRId64 ": %s", level->value,
	      consequence);
	add_remedy(check, facts, "sudo sysctl kernel.perf_event_paranoid=1", "for everybody");
	add_remedy(check, facts, "sudo setcap cap_perfmon+ep $(command -v tsprof)",
		   "for whoever runs tsprof");
}

static void check_kernel_time(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "kernel_time", "kernel time");

	if (is_without_perf(check, facts))
		return;
	if (facts->probes->has_kernel)
		judge(check, MACHINE_YES, "samples in the kernel are taken, with their stacks");
	else
		refuse_kernel(check, facts, "user code only");
}

static void check_waiting(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "waiting", "waiting");
	const struct machine_probes *probes = facts->probes;

	if (!is_without_perf(check, facts) && probes->switches == 0 && probes->switch_stacks == 0)
		judge(check, MACHINE_YES, "--off-cpu can tell where threads wait");
	else if (probes->perf.code == 0)
		refuse_kernel(check, facts, "--off-cpu needs the kernel's context switches");
	if (check->verdict == MACHINE_NO && probes->has_sigprof && probes->sigprof.code == 0)
		judge(check, MACHINE_PARTLY,
		      "--off-cpu measures the calls that wait, without the kernel's part");
}

/* kallsyms_show_value(): kptr_restrict 0 and paranoid 1, or CAP_SYSLOG up to kptr_restrict 1. */
static void check_kernel_names(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "kernel_names", "kernel names");
	const int64_t restricted = facts->settings->kptr_restrict.value;

	switch (facts->settings->kallsyms) {
	case KALLSYMS_SHOWN:
		judge(check, MACHINE_YES, "/proc/kallsyms shows addresses");
		return;
	case KALLSYMS_ABSENT:
		judge(check, MACHINE_NO, "/proc/kallsyms cannot be read");
		return;
	case KALLSYMS_HIDDEN:
		break;
	}
	if (restricted > 0)
		judge(check, MACHINE_NO,
		      "/proc/kallsyms hides addresses: kernel.kptr_restrict is %" PRId64,
		      restricted);
	else
		judge(check, MACHINE_NO,
		      "/proc/kallsyms hides addresses: kernel.perf_event_paranoid is %" PRId64,
		      facts->settings->paranoid.value);
	add_remedy(check, facts,
		   restricted > 0 ? "sudo sysctl kernel.kptr_restrict=0 "
				    "kernel.perf_event_paranoid=1"
				  : "sudo sysctl kernel.perf_event_paranoid=1",
		   "for everybody");
	if (restricted < 2)
		add_remedy(check, facts,
			   "sudo setcap cap_syslog,cap_perfmon+ep $(command -v tsprof)",
			   "for whoever runs tsprof");
}

/*
 * What all rings of a CPU take when the samples' one is as large as whole stacks
 * need: the sampler keeps the number of dumps in a ring, and its side-band ring
 * is a fraction of it.
 */
static uint64_t mlock_kb_for_whole_stacks(const struct machine_probes *probes)
{
	const uint64_t n_dumps = probes->ring_bytes / probes->stack_bytes;
	uint64_t ring_bytes = probes->ring_bytes;

	while (n_dumps && ring_bytes / n_dumps < STACK_WHOLE_BYTES)
		ring_bytes *= 2;
	return (ring_bytes + ring_bytes / 16) / 1024;
}

static void check_stacks(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "whole_stacks", "whole stacks");
	const struct machine_probes *probes = facts->probes;
	char stack[UNITS_TEXT_BYTES];
	char ring[UNITS_TEXT_BYTES];
	char command[MACHINE_COMMAND_BYTES];

	if (probes->perf.code < 0 && probes->has_sigprof && probes->sigprof.code == 0) {
		judge(check, MACHINE_YES, "up to %s of each are copied, more of deep ones",
		      units_bytes(stack, probes->sigprof_stack_bytes));
		return;
	}
	if (is_without_perf(check, facts))
		return;
	(void)units_bytes(stack, probes->stack_bytes);
	if (probes->has_stack_program) {
		judge(check, MACHINE_YES,
		      "up to %s of each are copied, more of deep ones, as much as is in use (BPF)",
		      stack);
		return;
	}
	(void)units_bytes(ring, probes->ring_bytes);
	if (probes->stack_bytes >= STACK_WHOLE_BYTES || !probes->stack_bytes) {
		judge(check, MACHINE_YES, "up to %s of each are copied; rings of %s for each CPU",
		      stack, ring);
		return;
	}
	judge(check, MACHINE_PARTLY,
	      "no more than %s of each are copied: the limit of locked memory allows rings of "
	      "%s for each CPU",
	      stack, ring);
	(void)snprintf(command, sizeof(command), "sudo sysctl kernel.perf_event_mlock_kb=%" PRIu64,
		       mlock_kb_for_whole_stacks(probes));
	add_remedy(check, facts, command, "for everybody: 64 KiB of each stack");
	if (strcmp(facts->settings->container, "docker") == 0)
		add_remedy(check, facts, "docker run --ulimit memlock=-1 ...",
			   "for this container");
	else if (strcmp(facts->settings->container, "podman") == 0)
		add_remedy(check, facts, "podman run --ulimit memlock=-1 ...",
			   "for this container");
	else
		add_remedy(check, facts, "sudo prlimit --memlock=unlimited --pid $$",
			   "for this shell and what it starts");
	add_remedy(check, facts, "sudo setcap cap_perfmon,cap_ipc_lock+ep $(command -v tsprof)",
		   "for whoever runs tsprof");
}

/* Without perf events the kernel looks at timers on CPU time at its tick only. */
static void check_tick(struct machine_check *check, const struct facts *facts)
{
	const uint64_t tick_ns = facts->probes->tick_ns;
	const uint64_t tick_hz = tick_ns ? NS_PER_S / tick_ns : 0;

	if (tick_hz >= MACHINE_USUAL_RATE_HZ) {
		judge(check, MACHINE_YES, "up to %" PRIu64 " Hz, the kernel's tick", tick_hz);
		return;
	}
	judge(check, MACHINE_PARTLY,
	      "no more than %" PRIu64
	      " Hz: without perf events ticks come with those of the kernel's clock",
	      tick_hz);
	add_remedy(check, facts, "scripts/config --disable HZ_250 --enable HZ_1000",
		   "a kernel that is built with a tick of 1000 Hz");
}

static void check_rate(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "rate", "sampling rate");
	const struct machine_number *limit = &facts->settings->max_rate_hz;
	const struct machine_probes *probes = facts->probes;

	if (probes->perf.code < 0 && probes->task_clock_user < 0) {
		check_tick(check, facts);
		return;
	}
	if (limit->is_known && limit->value < (int64_t)MACHINE_USUAL_RATE_HZ) {
		judge(check, MACHINE_PARTLY,
		      "up to %" PRId64 " Hz: less than the %" PRIu64 " Hz that record asks for",
		      limit->value, MACHINE_USUAL_RATE_HZ);
		add_remedy(check, facts, "sudo sysctl kernel.perf_event_max_sample_rate=100000",
			   "for everybody");
		return;
	}
	if (limit->is_known)
		judge(check, MACHINE_YES, "up to %" PRId64 " Hz", limit->value);
	else
		judge(check, MACHINE_YES, "the kernel tells no limit");
}

static void check_cycles(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "hardware_events", "hardware events");
	const int code = facts->probes->cycles;

	if (code == 0) {
		judge(check, MACHINE_YES, "--event cycles and its like can be counted");
	} else if (code == -ENOENT || code == -EOPNOTSUPP || code == -ENODEV) {
		judge(check, MACHINE_NO,
		      "no counters (PMU), as in most virtual machines; the usual --event "
		      "cpu-clock needs none");
		add_remedy(check, facts, "qemu-system-$(uname -m) -cpu host,pmu=on ...",
			   "a virtual machine of qemu, on its host");
	} else if (!is_without_perf(check, facts)) {
		judge(check, MACHINE_NO, "refused: %s", strerror(-code));
	}
}

/* A process of another user: the kernel asks for PTRACE_MODE_READ, or CAP_PERFMON (5.8). */
static void check_attach(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "attach", "other processes");

	if (is_without_perf(check, facts))
		return;
	if (machine_settings_may(facts->settings, CAP_SYS_PTRACE)) {
		judge(check, MACHINE_YES, "those of all users");
		return;
	}
	judge(check, MACHINE_PARTLY, "only those of the same user");
	add_remedy(check, facts, "sudo setcap cap_perfmon,cap_sys_ptrace+ep $(command -v tsprof)",
		   "for whoever runs tsprof");
}

static void check_all(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "all_processes", "all processes");
	struct perf_refusal refusal = facts->probes->refusal;

	if (facts->probes->all_processes == 0) {
		judge(check, MACHINE_YES, "events on whole CPUs are permitted");
		return;
	}
	if (is_without_perf(check, facts))
		return;
	refusal.kind = PERF_REFUSAL_ALL;
	refusal.code = facts->probes->all_processes;
	add_refusal(check, facts, &refusal);
}

static void check_functions(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "functions", "function probes");

	if (!facts->probes->functions.code)
		judge(check, MACHINE_YES, "--mark-function, --trace-function");
	else
		judge(check, MACHINE_NO, "%s", facts->probes->functions.message);
}

static void check_replaced_files(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "replaced_files", "replaced files");

	if (machine_settings_may(facts->settings, CAP_CHECKPOINT_RESTORE)) {
		judge(check, MACHINE_YES,
		      "programs deleted or upgraded while they run are read from map_files");
		return;
	}
	judge(check, MACHINE_NO,
	      "programs deleted or upgraded while they run stay without names: map_files needs "
	      "CAP_CHECKPOINT_RESTORE");
	add_remedy(check, facts, "sudo setcap cap_checkpoint_restore+ep $(command -v tsprof)",
		   "for whoever runs tsprof (Linux 5.9)");
}

static void check_debug_files(struct machine_checks *checks, const struct facts *facts)
{
	struct machine_check *check = add_check(checks, "debug_files", "debug files");

	if (facts->settings->has_debug_files) {
		judge(check, MACHINE_YES, "/usr/lib/debug has some");
		return;
	}
	judge(check, MACHINE_PARTLY,
	      "/usr/lib/debug has none: names come from what programs carry themselves");
	add_remedy(check, facts, "sudo apt install libc6-dbg",
		   "the C library's, on Debian and Ubuntu");
	add_remedy(check, facts, "sudo dnf debuginfo-install glibc", "the C library's, on Fedora");
}

/* The reason for a choice that is not the first is what stands against the first. */
static void choose_engine(struct machine_checks *checks, const struct facts *facts)
{
	const struct machine_check *perf = &checks->items[0];

	checks->engine = facts->probes->engine;
	(void)snprintf(checks->reason, sizeof(checks->reason), "%s", perf->why);
}

/* Each command with capabilities replaces what another gave: one that has them all. */
static void sum_up_capabilities(struct machine_checks *checks, const struct facts *facts)
{
	uint64_t all = 0;
	bool has_several = false;

	for (size_t i = 0; i < checks->n_items; i++) {
		for (size_t k = 0; k < checks->items[i].n_remedies; k++) {
			const uint64_t mask = checks->items[i].remedies[k].capabilities;

			has_several |= all && mask && mask != all;
			all |= mask;
		}
	}
	if (has_several)
		(void)capability_advice_command(checks->all_capabilities,
						sizeof(checks->all_capabilities), all,
						facts->settings, facts->probes->uid == 0);
}

void machine_checks_make(struct machine_checks *checks, const struct machine_settings *settings,
			 const struct machine_probes *probes)
{
	const struct facts facts = { settings, probes };

	*checks = (struct machine_checks){ 0 };
	check_perf(checks, &facts);
	check_sigprof(checks, &facts);
	check_kernel_time(checks, &facts);
	check_kernel_names(checks, &facts);
	check_waiting(checks, &facts);
	check_stacks(checks, &facts);
	check_rate(checks, &facts);
	check_cycles(checks, &facts);
	check_attach(checks, &facts);
	check_all(checks, &facts);
	check_functions(checks, &facts);
	check_replaced_files(checks, &facts);
	check_debug_files(checks, &facts);
	choose_engine(checks, &facts);
	sum_up_capabilities(checks, &facts);
}
