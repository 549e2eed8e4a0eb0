/*
 * A profile file out of lines of text on standard input, for tests that need to
 * know what is in it:
 *
 *	PROCESS/PID THREAD/TID FRAME;…;FRAME COUNT [SCOPE/…/SCOPE]
 *	@command TEXT	@host NAME	@event NAME	@arch NUMBER	@period NS
 *	@duration MS
 *
 * Outermost frame first; a sample is at 1 ms, the next at 2 ms and so on, and
 * weighs 1 ms for each of its COUNT ticks.  A thread starts 0.5 ms before its
 * first sample and ends 0.5 ms after its last.  The run is as long as its samples.
 *
 * Marks, with times in ms after the start, threads as above or "- -" for none, and
 * values in which '+' stands for a blank (a path is of scopes, outermost first):
 *
 *	!milestone MS THREAD NAME [DATA…]
 *	!call MS DURATION_MS THREAD PATH [args=… error=… inside=MS open= cut= cpu=MS
 *	      allocated=BYTES faults=N]
 *	!counter MS THREAD NAME VALUE
 *	!snapshot MS THREAD NAME BYTES…		!text MS THREAD NAME TEXT…
 *	!resource MS PID [rss=KIB pss= heap= anonymous= minor=N major= voluntary= involuntary=]
 *	!site KIND NAME [category=… file=… line=N rate=N source=N]
 *	!in PATH !milestone …, or !counter, !snapshot, !text: marked in that scope
 *	!quality [lost=N homeless= bad= sites_dropped= … unmatched_ends= too_deep=]
 *
 * All calls are kept, and counted in the statistics of their scope, `inside` being
 * the time of scopes in it.  Sites are made as they are named.
 *
 *	make_profile FILE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_marks.h"

#include "base/units.h"
#include "model/registers.h"
#include "profile/profile_writer.h"

void need(bool is_good, const char *what)
{
	if (is_good)
		return;
	fprintf(stderr, "make_profile: %s\n", what);
	exit(1);
}

uint32_t text_id(struct profile *profile, const char *text)
{
	uint32_t id;

	need(interner_add(&profile->strings, &id, text) == 0, "no memory");
	return id;
}

/* The place of the function: its name's number in the one module. */
static uint32_t location_of(struct profile *profile, const char *name)
{
	const struct frame frame = { .function = text_id(profile, name) };
	uint32_t location;

	need(location_table_add(&profile->locations, &location, 1, frame.function) == 0,
	     "no memory");
	if (!profile->locations.locations[location].n_frames)
		need(profile_set_frames(profile, location, &frame, 1) == 0, "no memory");
	return location;
}

uint32_t thread_of(struct profile *profile, char *process, char *name)
{
	char *const pid = strchr(process, '/');
	char *const tid = strchr(name, '/');
	struct thread thread = { 0 };
	uint32_t id;

	need(pid && tid, "expected PROCESS/PID THREAD/TID");
	*pid = *tid = '\0';
	thread.pid = (uint32_t)strtoul(pid + 1, NULL, 10);
	thread.tid = (uint32_t)strtoul(tid + 1, NULL, 10);
	thread.process_name = text_id(profile, process);
	thread.name = text_id(profile, name);
	for (id = 0; id < profile->n_threads; id++)
		if (profile->threads[id].tid == thread.tid &&
		    profile->threads[id].name == thread.name &&
		    profile->threads[id].pid == thread.pid)
			return id;
	need(profile_add_thread(profile, &id, &thread) == 0, "no memory");
	return id;
}

static void take_sample(struct profile *profile, char *line)
{
	const uint64_t time_ns = START_NS + (profile->n_samples + 1) * NS_PER_MS;
	char *rest = line;
	char *const process = strsep(&rest, " ");
	char *const name = strsep(&rest, " ");
	char *frames = strsep(&rest, " ");
	char *const count = strsep(&rest, " ");
	struct sample sample = { .time_ns = time_ns };
	struct thread *thread;

	need(frames && count, "expected PROCESS/PID THREAD/TID FRAMES COUNT");
	sample.thread = thread_of(profile, process, name);
	sample.count = strtoul(count, NULL, 10);
	sample.weight_ns = sample.count * NS_PER_MS;
	if (rest)
		sample.scope = scope_of(profile, rest);
	for (char *frame; (frame = strsep(&frames, ";"));)
		need(stack_trie_add(&profile->stacks, &sample.node, sample.node,
				    location_of(profile, frame)) == 0,
		     "no memory");
	need(profile_add_sample(profile, &sample) == 0, "no memory");
	thread = &profile->threads[sample.thread];
	if (!thread->start_ns)
		thread->start_ns = time_ns - NS_PER_MS / 2;
	thread->end_ns = time_ns + NS_PER_MS / 2;
	profile->quality.n_samples++;
	profile->quality.n_by_end[STACK_COMPLETE]++;
	profile->quality.sampled_ns += sample.weight_ns;
	if (profile->info.duration_ns < time_ns + NS_PER_MS - START_NS)
		profile->info.duration_ns = time_ns + NS_PER_MS - START_NS;
}

static void take_setting(struct profile *profile, char *line)
{
	char *value = line;
	const char *const key = strsep(&value, " ");
	struct profile_info *info = &profile->info;

	need(value, "expected @KEY VALUE");
	if (strcmp(key, "@command") == 0)
		info->command = text_id(profile, value);
	else if (strcmp(key, "@host") == 0)
		info->host = text_id(profile, value);
	else if (strcmp(key, "@event") == 0)
		info->event = text_id(profile, value);
	else if (strcmp(key, "@arch") == 0)
		info->arch = (uint8_t)strtoul(value, NULL, 10);
	else if (strcmp(key, "@duration") == 0)
		info->duration_ns = strtoul(value, NULL, 10) * NS_PER_MS;
	else if (strcmp(key, "@period") == 0)
		info->period_ns = strtoul(value, NULL, 10);
	else
		need(false, "unknown @KEY");
}

int main(int argc, char **argv)
{
	struct module module = { .kind = MODULE_KIND_FILE };
	struct profile_writer *writer;
	struct profile profile;
	struct error err = ERROR_INIT;
	char line[4096];

	need(argc == 2, "usage: make_profile FILE");
	need(profile_init(&profile) == 0, "no memory");
	module.path = text_id(&profile, "/bin/app");
	need(profile_add_module(&profile, NULL, &module) == 0, "no memory");
	profile.info.has_times = profile.info.is_symbolized = true;
	profile.info.arch = ARCH_X86_64;
	profile.info.start_ns = START_NS;
	profile.info.period_ns = NS_PER_MS;
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '@')
			take_setting(&profile, line);
		else if (line[0] == '!')
			take_mark(&profile, line);
		else
			take_sample(&profile, line);
	}
	if (profile_writer_open(&writer, argv[1], &profile, &err) < 0 ||
	    profile_writer_finish(writer, &err) < 0)
		need(false, err.message);
	profile_release(&profile);
	return 0;
}
