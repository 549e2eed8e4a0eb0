/* A line for each setting; nothing is judged here but whom it binds. */
#include "record/machine_values.h"

#include <assert.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "record/capability_advice.h"

static struct machine_value *add_value(struct machine_values *values, const char *key,
				       const char *name)
{
	struct machine_value *value = &values->items[values->n_items++];

	assert(values->n_items <= MACHINE_MAX_VALUES);
	*value = (struct machine_value){ .key = key, .name = name };
	return value;
}

__attribute__((format(printf, 2, 3))) static void add_text(char text[MACHINE_VALUE_BYTES],
							   const char *format, ...)
{
	const size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text + used, MACHINE_VALUE_BYTES - used, format, args);
	va_end(args);
}

static void add_number(char text[MACHINE_VALUE_BYTES], const struct machine_number *number)
{
	if (number->is_known)
		add_text(text, "%" PRId64, number->value);
	else
		add_text(text, "not there");
}

static void value_of_user(struct machine_values *values, const struct machine_settings *settings,
			  const struct machine_probes *probes)
{
	struct machine_value *value = add_value(values, "uid", "user");

	add_text(value->value, "%" PRIu32, probes->uid);
	add_text(value->meaning, probes->uid == 0 ? "root" : "an ordinary user");
	value = add_value(values, "capabilities", "capabilities");
	for (const struct capability_name *name = capability_names; name->name; name++)
		if (settings->capabilities >> name->number & 1)
			add_text(value->value, "%s%s", value->value[0] ? " " : "", name->name);
	if (!value->value[0])
		add_text(value->value, settings->has_capabilities ? "none" : "unknown");
	add_text(value->meaning,
		 settings->is_in_user_namespace
			 ? "in a user namespace: they do not count against the machine"
			 : "those of the effective set that matter here");
}

/* Levels above 2 are those of some distributions; the kernel itself takes them for 2. */
static const char *meaning_of_paranoid(int64_t level, bool is_permitted)
{
	if (level < 0)
		return "everything is permitted to everybody, and rings of any size";
	if (level == 0)
		return "all processes, user code and kernel, are permitted to everybody";
	if (level == 1)
		return "one's own processes, user code and kernel, are permitted to everybody";
	if (level == 2 || is_permitted)
		return "user code of one's own processes is permitted to everybody";
	return "nothing is permitted to ordinary users (Debian, Ubuntu and Android)";
}

static void values_of_perf(struct machine_values *values, const struct machine_settings *settings,
			   const struct machine_probes *probes)
{
	struct machine_value *value = add_value(values, "perf_event_paranoid",
						"perf_event_paranoid");
	char text[UNITS_TEXT_BYTES];

	add_number(value->value, &settings->paranoid);
	if (!settings->paranoid.is_known)
		add_text(value->meaning, "this kernel has no perf events");
	else if (machine_settings_may(settings, CAP_PERFMON) &&
		 probes->refusal.kind != PERF_REFUSAL_LEVEL)
		add_text(value->meaning, "does not bind this process (CAP_PERFMON)");
	else
		add_text(value->meaning, "%s",
			 meaning_of_paranoid(settings->paranoid.value, probes->perf.code == 0));

	value = add_value(values, "perf_event_mlock_kb", "perf_event_mlock_kb");
	add_number(value->value, &settings->mlock_kb);
	if (machine_settings_may(settings, CAP_IPC_LOCK))
		add_text(value->meaning, "does not bind this process (CAP_IPC_LOCK)");
	else if (settings->paranoid.is_known && settings->paranoid.value < 0)
		add_text(value->meaning, "binds nobody: perf_event_paranoid is below 0");
	else if (settings->mlock_kb.is_known)
		add_text(value->meaning, "rings for %" PRIu32 " CPUs: %" PRId64 " KiB a user",
			 probes->n_cpus, settings->mlock_kb.value * probes->n_cpus);

	value = add_value(values, "memlock_bytes", "ulimit -l");
	if (probes->memlock_bytes == UINT64_MAX)
		add_text(value->value, "unlimited");
	else
		add_text(value->value, "%s", units_bytes(text, probes->memlock_bytes));
	add_text(value->meaning, "what the rings of a process may take beyond that");

	value = add_value(values, "descriptors", "ulimit -Hn");
	if (probes->n_descriptors == UINT64_MAX)
		add_text(value->value, "unlimited");
	else
		add_text(value->value, "%" PRIu64, probes->n_descriptors);
	add_text(value->meaning, "open files; -p needs two for each thread and CPU");

	value = add_value(values, "perf_event_max_sample_rate", "perf_event_max_sample_rate");
	add_number(value->value, &settings->max_rate_hz);
	if (settings->max_rate_hz.is_known)
		add_text(value->meaning, "Hz; the kernel lowers it when interrupts take too long");
}

static const char *meaning_of_kptr_restrict(int64_t value)
{
	if (value >= 2)
		return "kernel addresses are hidden from everybody";
	if (value == 1)
		return "kernel addresses are shown with CAP_SYSLOG";
	return "kernel addresses are shown with CAP_SYSLOG or perf_event_paranoid 1";
}

static void values_of_symbols(struct machine_values *values,
			      const struct machine_settings *settings)
{
	struct machine_value *value = add_value(values, "kptr_restrict", "kptr_restrict");

	add_number(value->value, &settings->kptr_restrict);
	if (settings->kptr_restrict.is_known)
		add_text(value->meaning, "%s",
			 meaning_of_kptr_restrict(settings->kptr_restrict.value));

	value = add_value(values, "kernel", "kernel");
	add_text(value->value, "%s",
		 settings->kernel_release[0] ? settings->kernel_release : "unknown");
	if (settings->kernel_build_id_bytes)
		add_text(value->meaning, "build-id ");
	for (size_t i = 0; i < settings->kernel_build_id_bytes; i++)
		add_text(value->meaning, "%02x", settings->kernel_build_id[i]);
	add_text(value->meaning, "%s",
		 settings->has_kernel_debug_files ? ", with its debug file" : "");

	value = add_value(values, "debuginfod", "debuginfod");
	add_text(value->value, "%s",
		 settings->debuginfod_urls[0] ? settings->debuginfod_urls : "no DEBUGINFOD_URLS");
	add_text(value->meaning, "client library %s; tsprof does not ask it",
		 settings->has_debuginfod ? "there" : "not there");
}

static void values_of_isolation(struct machine_values *values,
				const struct machine_settings *settings)
{
	struct machine_value *value = add_value(values, "ptrace_scope", "yama.ptrace_scope");

	add_number(value->value, &settings->ptrace_scope);
	add_text(value->meaning, "does not bind tsprof, which reads processes and stops none");

	value = add_value(values, "seccomp", "seccomp");
	add_text(value->value, "%s",
		 !settings->seccomp_mode.is_known    ? "unknown"
		 : settings->seccomp_mode.value == 2 ? "filter"
		 : settings->seccomp_mode.value == 1 ? "strict"
						     : "none");
	if (settings->seccomp_mode.value == 2)
		add_text(value->meaning, "some system calls may be blocked");

	value = add_value(values, "namespaces", "namespaces");
	add_text(value->value, "%s%s%s", settings->is_in_user_namespace ? "user" : "",
		 settings->is_in_user_namespace && settings->is_in_pid_namespace ? ", " : "",
		 settings->is_in_pid_namespace ? "pid" : "");
	if (!value->value[0])
		add_text(value->value, "the host's");
	else
		add_text(value->meaning, "own ones");

	value = add_value(values, "container", "container");
	add_text(value->value, "%s", settings->container[0] ? settings->container : "no sign");
	if (settings->container[0])
		add_text(value->meaning, "kernel settings are those of its host");
}

static void values_of_others(struct machine_values *values, const struct machine_settings *settings,
			     const struct machine_probes *probes)
{
	struct machine_value *value = add_value(values, "tick_hz", "timer tick");
	const uint64_t tick_hz = probes->tick_ns ? NS_PER_S / probes->tick_ns : 0;

	if (tick_hz)
		add_text(value->value, "%" PRIu64 " Hz", tick_hz);
	else
		add_text(value->value, "unknown");
	add_text(value->meaning, "the most that timers on CPU time can do; perf events do more");

	value = add_value(values, "bpf", "BPF");
	add_text(value->value, probes->bpf == 0 ? "yes" : "no");
	add_text(value->meaning, "samples and probes cost less");

	value = add_value(values, "tracefs", "tracefs");
	add_text(value->value, settings->has_tracefs ? "yes" : "no");
	add_text(value->meaning, "for probes in functions");
}

void machine_values_make(struct machine_values *values, const struct machine_settings *settings,
			 const struct machine_probes *probes)
{
	*values = (struct machine_values){ 0 };
	value_of_user(values, settings, probes);
	values_of_perf(values, settings, probes);
	values_of_isolation(values, settings);
	values_of_symbols(values, settings);
	values_of_others(values, settings, probes);
}
