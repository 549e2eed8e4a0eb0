/* What a reader of the file should know about the run: command, machine, settings. */
#include "record/run_info.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "base/buffer.h"
#include "base/units.h"

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

static int intern_command(struct profile *profile, char *const *argv)
{
	struct buffer text = BUFFER_INIT;
	int r;

	for (size_t i = 0; argv[i]; i++) {
		if (i)
			buffer_add_char(&text, ' ');
		add_quoted(&text, argv[i]);
	}
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
	if (intern_command(profile, options->argv) < 0 ||
	    interner_add(strings, &info->host, names.nodename) < 0 ||
	    interner_add(strings, &info->kernel, names.release) < 0 ||
	    interner_add(strings, &info->tool, PACKAGE_STRING) < 0 ||
	    interner_add(strings, &info->engine, options->engine->name) < 0 ||
	    interner_add(strings, &info->engine_reason,
			 facts->has_kernel ? "perf_event_open is permitted"
					   : "perf_event_open is permitted for user code") < 0 ||
	    interner_add(strings, &info->event, options->event->name) < 0 ||
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
