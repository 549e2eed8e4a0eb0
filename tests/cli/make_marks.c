/* The marks of make_profile, which says what the lines look like. */
#include "make_marks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Words of a line, and its "key=value" in any order; '+' in a value is a blank. */
struct words {
	char *rest;
};

static char *next_word(struct words *words)
{
	char *const word = strsep(&words->rest, " ");

	need(word && *word, "a mark with too few words");
	return word;
}

static double number_of(const char *word)
{
	char *end;
	const double number = strtod(word, &end);

	need(end != word && !*end, "expected a number");
	return number;
}

static uint64_t next_ms(struct words *words)
{
	return (uint64_t)llround(number_of(next_word(words)) * NS_PER_MS);
}

/* The next "key=value"; false at the end of the line. */
static bool next_pair(struct words *words, const char **key, char **value)
{
	char *word = strsep(&words->rest, " ");

	if (!word)
		return false;
	*value = word;
	*key = strsep(value, "=");
	need(*value, "expected KEY=VALUE");
	for (char *c = *value; *c; c++)
		if (*c == '+')
			*c = ' ';
	return true;
}

static uint32_t next_thread(struct profile *profile, struct words *words)
{
	char *const process = next_word(words);
	char *const name = next_word(words);

	return strcmp(process, "-") == 0 ? MARK_NO_THREAD : thread_of(profile, process, name);
}

static uint32_t site_of(struct profile *profile, enum mark_kind kind, const char *name)
{
	const struct mark_site site = { .name = text_id(profile, name), .kind = (uint8_t)kind };
	struct marks *marks = &profile->marks;
	uint32_t id;

	for (id = 0; id < marks->n_sites; id++)
		if (marks->sites[id].name == site.name && marks->sites[id].kind == site.kind)
			return id;
	need(marks_add_site(marks, &id, &site) == 0, "no memory");
	return id;
}

uint32_t scope_of(struct profile *profile, char *path)
{
	struct marks *marks = &profile->marks;
	uint32_t node = 0;

	for (const char *name; (name = strsep(&path, "/"));)
		need(scope_tree_get(&marks->scopes, &node, node,
				    site_of(profile, MARK_SCOPE, name)) == 0,
		     "no memory");
	return node;
}

static void take_site(struct profile *profile, struct words *words)
{
	static const char *const kinds[] = { "milestone", "scope", "counter", "snapshot" };
	const char *const kind_name = next_word(words);
	const char *key;
	char *value;
	unsigned int kind = 0;
	struct mark_site *site;
	uint32_t id;

	while (kind < 4 && strcmp(kinds[kind], kind_name) != 0)
		kind++;
	need(kind < 4, "unknown kind of site");
	id = site_of(profile, kind + 1, next_word(words));
	site = &profile->marks.sites[id];
	while (next_pair(words, &key, &value)) {
		if (strcmp(key, "category") == 0)
			site->category = text_id(profile, value);
		else if (strcmp(key, "file") == 0)
			site->file = text_id(profile, value);
		else if (strcmp(key, "line") == 0)
			site->line = (uint32_t)number_of(value);
		else if (strcmp(key, "rate") == 0)
			site->sample_rate = (uint32_t)number_of(value);
		else if (strcmp(key, "source") == 0)
			site->source = (uint8_t)number_of(value);
		else
			need(false, "unknown key of a site");
	}
}

static void take_milestone(struct profile *profile, struct words *words)
{
	struct milestone milestone = { .time_ns = START_NS + next_ms(words) };

	milestone.thread = next_thread(profile, words);
	milestone.site = site_of(profile, MARK_MILESTONE, next_word(words));
	milestone.data = words->rest ? text_id(profile, words->rest) : 0;
	need(marks_add_milestone(&profile->marks, &milestone) == 0, "no memory");
	profile->marks.quality.n_records++;
}

static void set_call(struct profile *profile, struct scope_call *call, const char *key,
		     const char *value, uint64_t *inside_ns)
{
	if (strcmp(key, "args") == 0) {
		call->arguments = text_id(profile, value);
	} else if (strcmp(key, "error") == 0) {
		call->error = text_id(profile, value);
		call->flags |= SCOPE_CALL_ERROR;
	} else if (strcmp(key, "open") == 0) {
		call->flags |= SCOPE_CALL_OPEN;
	} else if (strcmp(key, "cut") == 0) {
		call->flags |= SCOPE_CALL_CUT;
	} else if (strcmp(key, "inside") == 0) {
		*inside_ns = (uint64_t)llround(number_of(value) * NS_PER_MS);
	} else {
		call->flags |= SCOPE_CALL_COSTS;
		if (strcmp(key, "cpu") == 0)
			call->cpu_ns = (uint64_t)llround(number_of(value) * NS_PER_MS);
		else if (strcmp(key, "allocated") == 0)
			call->allocated_bytes = (uint64_t)number_of(value);
		else if (strcmp(key, "faults") == 0)
			call->n_faults = (uint64_t)number_of(value);
		else
			need(false, "unknown key of a call");
	}
}

static void take_call(struct profile *profile, struct words *words)
{
	struct marks *marks = &profile->marks;
	struct scope_call call = { .start_ns = START_NS + next_ms(words) };
	struct scope_node *node;
	uint64_t inside_ns = 0;
	const char *key;
	char *value;

	call.duration_ns = next_ms(words);
	call.thread = next_thread(profile, words);
	call.node = scope_of(profile, next_word(words));
	while (next_pair(words, &key, &value))
		set_call(profile, &call, key, value, &inside_ns);
	need(marks_add_call(marks, &call) == 0, "no memory");
	node = &marks->scopes.nodes[call.node];
	if (call.flags & SCOPE_CALL_OPEN) {
		node->n_open++;
		return;
	}
	node->n_errors += (call.flags & SCOPE_CALL_ERROR) != 0;
	node->n_cut += (call.flags & SCOPE_CALL_CUT) != 0;
	if (call.flags & SCOPE_CALL_COSTS) {
		node->n_costs++;
		node->cpu_ns += call.cpu_ns;
		node->allocated_bytes += call.allocated_bytes;
		node->n_faults += call.n_faults;
	}
	need(scope_tree_add_call(&marks->scopes, call.node, call.duration_ns, inside_ns) == 0,
	     "no memory");
	marks->has_all_calls = true;
	marks->quality.n_records += 2;
}

static void take_counter(struct profile *profile, struct words *words)
{
	struct counter_value counter = { .time_ns = START_NS + next_ms(words) };

	counter.thread = next_thread(profile, words);
	counter.site = site_of(profile, MARK_COUNTER, next_word(words));
	counter.value = number_of(next_word(words));
	need(marks_add_counter(&profile->marks, &counter) == 0, "no memory");
	profile->marks.quality.n_records++;
}

static void take_snapshot(struct profile *profile, struct words *words, bool is_text)
{
	struct snapshot snapshot = { .time_ns = START_NS + next_ms(words), .is_text = is_text };
	const char *text;

	snapshot.thread = next_thread(profile, words);
	snapshot.site = site_of(profile, MARK_SNAPSHOT, next_word(words));
	text = words->rest ? words->rest : "";
	snapshot.size_bytes = (uint32_t)strlen(text);
	need(marks_add_snapshot(&profile->marks, &snapshot, text) == 0, "no memory");
	profile->marks.quality.n_records++;
}

static void take_resource(struct profile *profile, struct words *words)
{
	struct resource_sample resource = { .time_ns = START_NS + next_ms(words) };
	const struct {
		const char *key;
		uint64_t *number;
		unsigned int unit;
	} keys[] = {
		{ "rss", &resource.rss_bytes, 1024 },
		{ "pss", &resource.pss_bytes, 1024 },
		{ "heap", &resource.heap_bytes, 1024 },
		{ "anonymous", &resource.anonymous_bytes, 1024 },
		{ "minor", &resource.n_minor_faults, 1 },
		{ "major", &resource.n_major_faults, 1 },
		{ "voluntary", &resource.n_voluntary_switches, 1 },
		{ "involuntary", &resource.n_involuntary_switches, 1 },
	};
	const char *key;
	char *value;

	resource.pid = (uint32_t)number_of(next_word(words));
	while (next_pair(words, &key, &value)) {
		size_t i = 0;

		while (i < 8 && strcmp(keys[i].key, key) != 0)
			i++;
		need(i < 8, "unknown key of a resource");
		*keys[i].number = (uint64_t)number_of(value) * keys[i].unit;
	}
	need(marks_add_resource(&profile->marks, &resource) == 0, "no memory");
}

static void take_quality(struct profile *profile, struct words *words)
{
	struct marks *marks = &profile->marks;
	const struct {
		const char *key;
		uint64_t *number;
	} keys[] = {
		{ "lost", &marks->quality.n_lost },
		{ "homeless", &marks->quality.n_homeless },
		{ "bad", &marks->quality.n_bad },
		{ "sites_dropped", &marks->quality.n_sites_dropped },
		{ "milestones_dropped", &marks->quality.n_milestones_dropped },
		{ "snapshots_dropped", &marks->quality.n_snapshots_dropped },
		{ "counters_dropped", &marks->quality.n_counters_dropped },
		{ "calls_dropped", &marks->quality.n_calls_dropped },
		{ "late_samples", &marks->quality.n_late_samples },
		{ "unmatched_ends", &marks->scopes.n_unmatched_ends },
		{ "too_deep", &marks->scopes.n_too_deep },
	};
	const size_t n_keys = sizeof(keys) / sizeof(keys[0]);
	const char *key;
	char *value;

	while (next_pair(words, &key, &value)) {
		size_t i = 0;

		while (i < n_keys && strcmp(keys[i].key, key) != 0)
			i++;
		need(i < n_keys, "unknown quality of marks");
		*keys[i].number = (uint64_t)number_of(value);
	}
}

/* The mark behind it was made in a scope. */
static void take_mark_in(struct profile *profile, struct words *words)
{
	struct marks *marks = &profile->marks;
	const uint32_t scope = scope_of(profile, next_word(words));
	const size_t n_milestones = marks->n_milestones;
	const size_t n_counters = marks->n_counters;
	const size_t n_snapshots = marks->n_snapshots;

	need(words->rest, "expected a mark");
	take_mark(profile, words->rest);
	if (marks->n_milestones > n_milestones)
		marks->milestones[n_milestones].scope = scope;
	else if (marks->n_counters > n_counters)
		marks->counters[n_counters].scope = scope;
	else if (marks->n_snapshots > n_snapshots)
		marks->snapshots[n_snapshots].scope = scope;
	else
		need(false, "no mark of a thread");
}

void take_mark(struct profile *profile, char *line)
{
	struct words words = { .rest = line };
	const char *const what = next_word(&words);

	if (strcmp(what, "!site") == 0)
		take_site(profile, &words);
	else if (strcmp(what, "!milestone") == 0)
		take_milestone(profile, &words);
	else if (strcmp(what, "!call") == 0)
		take_call(profile, &words);
	else if (strcmp(what, "!counter") == 0)
		take_counter(profile, &words);
	else if (strcmp(what, "!snapshot") == 0)
		take_snapshot(profile, &words, false);
	else if (strcmp(what, "!text") == 0)
		take_snapshot(profile, &words, true);
	else if (strcmp(what, "!resource") == 0)
		take_resource(profile, &words);
	else if (strcmp(what, "!in") == 0)
		take_mark_in(profile, &words);
	else if (strcmp(what, "!quality") == 0)
		take_quality(profile, &words);
	else
		need(false, "unknown mark");
}
