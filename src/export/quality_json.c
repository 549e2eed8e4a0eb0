/* Numbers that an import cannot know are left out rather than written as zero. */
#include "export/quality_json.h"

#include "base/buffer.h"
#include "export/quality_line.h"

static void add_stack_ends(struct json_writer *json, const struct quality *quality)
{
	json_open_object(json, "stack_ends");
	for (int end = 0; end < STACK_N_ENDS; end++)
		if (quality->n_by_end[end])
			json_unsigned(json, stack_end_name((enum stack_end)end),
				      quality->n_by_end[end]);
	json_close_object(json);
}

static void add_marks(struct json_writer *json, const struct marks *marks)
{
	const struct marks_quality *quality = &marks->quality;
	const struct {
		const char *key;
		uint64_t count;
	} counts[] = {
		{ "records", quality->n_records },
		{ "lost", quality->n_lost },
		{ "without_room", quality->n_homeless },
		{ "bad", quality->n_bad },
		{ "unmatched_ends", marks->scopes.n_unmatched_ends },
		{ "too_deep", marks->scopes.n_too_deep },
		{ "sites_dropped", quality->n_sites_dropped },
		{ "milestones_dropped", quality->n_milestones_dropped },
		{ "counter_values_dropped", quality->n_counters_dropped },
		{ "snapshots_dropped", quality->n_snapshots_dropped },
		{ "calls_dropped", quality->n_calls_dropped },
		{ "late_samples", quality->n_late_samples },
	};

	json_open_object(json, "marks");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		json_unsigned(json, counts[i].key, counts[i].count);
	json_close_object(json);
}

static const char *text_of(const struct profile *profile, uint32_t id)
{
	return interner_get(&profile->strings, id);
}

void quality_json_write(struct json_writer *json, const char *key, const struct profile *profile)
{
	const struct quality *quality = &profile->quality;
	struct buffer line = BUFFER_INIT;

	quality_line_write(&line, profile);
	json_open_object(json, key);
	json_string(json, "summary", buffer_string(&line));
	json_bool(json, "has_times", profile->info.has_times);
	json_bool(json, "is_cut", profile->info.is_cut);
	if (profile->info.has_times) {
		json_string(json, "engine", text_of(profile, profile->info.engine));
		json_string(json, "engine_reason", text_of(profile, profile->info.engine_reason));
		json_unsigned(json, "samples", quality->n_samples);
		json_unsigned(json, "lost", quality->n_lost);
		json_unsigned(json, "lost_events", quality->n_lost_events);
		json_unsigned(json, "throttled", quality->n_throttled);
		json_unsigned(json, "dropped", quality->n_dropped);
		json_unsigned(json, "unresolved", quality->n_unresolved);
		add_stack_ends(json, quality);
		json_unsigned(json, "duration_ns", profile->info.duration_ns);
		json_unsigned(json, "sampled_ns", quality->sampled_ns);
		json_unsigned(json, "not_sampled_ns", quality->not_sampled_ns);
		json_unsigned(json, "stolen_ns", quality->stolen_ns);
		if (quality->n_waits) {
			json_unsigned(json, "waits", quality->n_waits);
			json_unsigned(json, "waited_ns", quality->waited_ns);
			json_unsigned(json, "waits_without_stack", quality->n_waits_bare);
			json_unsigned(json, "waited_without_stack_ns", quality->waited_bare_ns);
			json_unsigned(json, "lost_switches", quality->n_lost_switches);
		}
		if (marks_are_there(&profile->marks))
			add_marks(json, &profile->marks);
		json_unsigned(json, "target_cpu_ns", quality->target_cpu_ns);
		json_unsigned(json, "recorder_cpu_ns", quality->recorder_cpu_ns);
	}
	json_close_object(json);
	if (line.is_failed)
		json->out->is_failed = true;
	buffer_release(&line);
}
