/* What a reader of the file should know about the run: command, machine, settings. */
#include "record/run_info.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/buffer.h"
#include "base/units.h"
#include "os/proc_files.h"

/* Text that a shell reads back as the same word. */
static void add_quoted(struct buffer *out, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./=:,+@%";

	if (*word && strspn(word, plain) == strlen(word)) {
		buffer_add_string(out, word);
		return;
	}
	buffer_add_char(out, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buffer_add_string(out, "'\\''");
		else
			buffer_add_char(out, *word);
	}
	buffer_add_char(out, '\'');
}

/* "redis-server (process 123), …" */
static void add_processes(struct buffer *out, const struct target_options *target)
{
	for (size_t i = 0; i < target->n_pids; i++) {
		char comm[16];

		if (i)
			buffer_add_string(out, ", ");
		if (proc_files_read_comm(comm, (uint32_t)target->pids[i]) == 0)
			buffer_printf(out, "%s (process %ld)", comm, (long)target->pids[i]);
		else
			buffer_printf(out, "process %ld", (long)target->pids[i]);
	}
}

static int intern_command(struct profile *profile, const struct target_options *target)
{
	struct buffer text = BUFFER_INIT;
	int r;

	for (size_t i = 0; target->argv && target->argv[i]; i++) {
		if (i)
			buffer_add_char(&text, ' ');
		add_quoted(&text, target->argv[i]);
	}
	if (!target->argv && target->n_pids)
		add_processes(&text, target);
	else if (!target->argv)
		buffer_add_string(&text, "the whole system");
	r = text.is_failed
		    ? -1
		    : interner_add(&profile->strings, &profile->info.command, buffer_string(&text));
	buffer_release(&text);
	return r;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

int run_info_fill(struct profile *profile, const struct recorder_options *options,
		  const struct sampler_facts *facts, struct error *err)
{
	struct profile_info *info = &profile->info;
	struct interner *strings = &profile->strings;
	struct utsname names = { 0 };

	(void)uname(&names);
	if (intern_command(profile, &options->target) < 0 ||
	    interner_add(strings, &info->host, names.nodename) < 0 ||
	    interner_add(strings, &info->kernel, names.release) < 0 ||
	    interner_add(strings, &info->tool, PACKAGE_STRING) < 0 ||
	    interner_add(strings, &info->engine, options->engine->name) < 0 ||
	    interner_add(strings, &info->engine_reason, options->engine_reason) < 0 ||
	    interner_add(strings, &info->event, options->sampler.event->name) < 0 ||
	    interner_add(strings, &info->unwinder, options->unwinder->name) < 0)
		return error_set_no_memory(err);
	info->arch = ARCH_NATIVE;
	info->has_times = true;
	info->n_cpus = facts->n_cpus;
	info->period_ns = facts->period_ns;
	info->stack_dump_bytes = facts->stack_bytes;
	info->start_epoch_ns = clock_ns(CLOCK_REALTIME);
	info->start_ns = clock_ns(CLOCK_MONOTONIC);
	return 0;
}
