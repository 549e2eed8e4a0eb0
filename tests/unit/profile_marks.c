/* Marks out of a random number generator. */
#include "unit.h"

#include <math.h>

#include "profile_bytes.h"
#include "profile_marks.h"

static uint64_t below(uint64_t *state, uint64_t limit)
{
	return profile_bytes_random(state) % limit;
}

static uint32_t any_thread(const struct profile *profile, uint64_t *state)
{
	const uint64_t number = below(state, profile->n_threads + 1);

	return number ? (uint32_t)number - 1 : MARK_NO_THREAD;
}

static uint32_t any_string(const struct profile *profile, uint64_t *state)
{
	return (uint32_t)below(state, profile->strings.n_strings);
}

static uint64_t any_time(uint64_t *state)
{
	return 1000000000 + below(state, 1000000000);
}

static void make_sites(struct profile *profile, uint64_t *state, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct mark_site site = {
			.name = any_string(profile, state),
			.category = any_string(profile, state),
			.file = any_string(profile, state),
			.line = (uint32_t)profile_bytes_random(state),
			.sample_rate = (uint32_t)below(state, 100),
			.kind = (uint8_t)(1 + i % MARK_SNAPSHOT),
			.source = (uint8_t)below(state, MARK_SOURCE_PROBE + 1),
		};

		assert_int_equal(marks_add_site(&profile->marks, NULL, &site), 0);
	}
}

static void make_scopes(struct profile *profile, uint64_t *state, size_t n)
{
	struct marks *marks = &profile->marks;
	uint32_t node;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(scope_tree_get(&marks->scopes, &node,
						(uint32_t)below(state, marks->scopes.n_nodes),
						(uint32_t)below(state, n)),
				 0);
	for (size_t i = 1; i < marks->scopes.n_nodes; i++) {
		for (uint64_t k = below(state, 40); k; k--)
			assert_int_equal(scope_tree_add_call(&marks->scopes, (uint32_t)i,
							     profile_bytes_random(state) >>
								     (20 + below(state, 40)),
							     below(state, 1000)),
					 0);
		marks->scopes.nodes[i].n_errors = below(state, 3);
		marks->scopes.nodes[i].n_cut = below(state, 3);
		marks->scopes.nodes[i].n_open = below(state, 3);
		marks->scopes.nodes[i].n_costs = i % 2;
		marks->scopes.nodes[i].cpu_ns = i % 2 * 1234;
	}
	marks->scopes.n_unmatched_ends = 3;
	marks->scopes.n_too_deep = 4;
}

static void make_calls(struct profile *profile, uint64_t *state, size_t n)
{
	struct marks *marks = &profile->marks;

	for (size_t i = 0; i < n && marks->scopes.n_nodes > 1; i++) {
		struct scope_call call = {
			.start_ns = any_time(state),
			.duration_ns = below(state, 1000000),
			.thread = any_thread(profile, state),
			.node = 1 + (uint32_t)below(state, marks->scopes.n_nodes - 1),
			.arguments = any_string(profile, state),
			.error = any_string(profile, state),
			.flags = (uint8_t)below(state, 16),
		};

		if (call.flags & SCOPE_CALL_COSTS) {
			call.cpu_ns = below(state, 1000000);
			call.allocated_bytes = profile_bytes_random(state);
			call.n_faults = below(state, 100);
		}
		assert_int_equal(marks_add_call(marks, &call), 0);
	}
}

static uint32_t any_scope(const struct profile *profile, uint64_t *state)
{
	return (uint32_t)below(state, profile->marks.scopes.n_nodes);
}

static void make_values(struct profile *profile, uint64_t *state, size_t n)
{
	struct marks *marks = &profile->marks;
	uint8_t bytes[100];

	for (size_t i = 0; i < n; i++) {
		const struct milestone milestone = { .time_ns = any_time(state),
						     .thread = any_thread(profile, state),
						     .site = (uint32_t)below(state, n),
						     .data = any_string(profile, state),
						     .scope = any_scope(profile, state) };
		const struct counter_value value = { .time_ns = any_time(state),
						     .value = ldexp((double)below(state, 99), -3),
						     .thread = any_thread(profile, state),
						     .site = (uint32_t)below(state, n),
						     .scope = any_scope(profile, state) };
		const struct snapshot snapshot = { .time_ns = any_time(state),
						   .size_bytes = (uint32_t)below(state,
										 sizeof(bytes)),
						   .thread = any_thread(profile, state),
						   .site = (uint32_t)below(state, n),
						   .scope = any_scope(profile, state),
						   .is_text = i % 2,
						   .is_cut = i % 3 == 0 };

		assert_int_equal(marks_add_milestone(marks, &milestone), 0);
		assert_int_equal(marks_add_counter(marks, &value), 0);
		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (uint8_t)profile_bytes_random(state);
		assert_int_equal(marks_add_snapshot(marks, &snapshot, bytes), 0);
	}
}

static void make_resources(struct marks *marks, uint64_t *state, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct resource_sample resource = {
			.time_ns = any_time(state),
			.pid = (uint32_t)below(state, 5) * 32,
			.rss_bytes = below(state, 1 << 20) * 4096,
			.pss_bytes = below(state, 1 << 20) * 1024,
			.heap_bytes = i % 3 * 4096,
			.anonymous_bytes = below(state, 1 << 20) * 4096,
			.n_minor_faults = below(state, 1000) + i * 100,
			.n_major_faults = i / 10,
			.n_voluntary_switches = below(state, 1000) + i * 100,
			.n_involuntary_switches = i / 3,
		};

		assert_int_equal(marks_add_resource(marks, &resource), 0);
	}
}

void profile_marks_make(struct profile *profile, uint64_t seed, size_t n)
{
	struct marks *marks = &profile->marks;
	uint64_t state = seed;

	make_sites(profile, &state, n);
	make_scopes(profile, &state, n);
	make_calls(profile, &state, n);
	make_values(profile, &state, n);
	make_resources(marks, &state, n);
	marks->quality = (struct marks_quality){ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 };
	/* Mostly as the one before, as in life. */
	for (size_t i = 0; i < profile->n_samples; i++)
		profile->samples[i].scope =
			i && below(&state, 4) ? profile->samples[i - 1].scope
					      : (uint32_t)below(&state, marks->scopes.n_nodes);
}

static void assert_equal_nodes(const struct scope_tree *a, const struct scope_tree *b)
{
	assert_int_equal(a->n_nodes, b->n_nodes);
	assert_int_equal(a->n_unmatched_ends, b->n_unmatched_ends);
	assert_int_equal(a->n_too_deep, b->n_too_deep);
	for (size_t i = 0; i < a->n_nodes; i++) {
		const struct scope_node *x = &a->nodes[i];
		const struct scope_node *y = &b->nodes[i];

		assert_int_equal(x->parent, y->parent);
		assert_int_equal(x->site, y->site);
		assert_int_equal(x->n_errors, y->n_errors);
		assert_int_equal(x->n_cut, y->n_cut);
		assert_int_equal(x->n_open, y->n_open);
		assert_int_equal(x->total_ns, y->total_ns);
		assert_int_equal(x->self_ns, y->self_ns);
		assert_memory_equal(&x->mean_ns, &y->mean_ns, sizeof(x->mean_ns));
		assert_memory_equal(&x->squares_ns2, &y->squares_ns2, sizeof(x->squares_ns2));
		assert_int_equal(x->n_costs, y->n_costs);
		assert_int_equal(x->cpu_ns, y->cpu_ns);
		assert_int_equal(x->durations_ns.n_values, y->durations_ns.n_values);
		if (!x->durations_ns.n_values)
			continue;
		assert_int_equal(x->durations_ns.min, y->durations_ns.min);
		assert_int_equal(x->durations_ns.max, y->durations_ns.max);
		for (int k = 0; k <= 100; k++)
			assert_int_equal(histogram_percentile(&x->durations_ns, k / 100.0),
					 histogram_percentile(&y->durations_ns, k / 100.0));
	}
}

static void assert_equal_calls(const struct marks *a, const struct marks *b)
{
	assert_int_equal(a->n_calls, b->n_calls);
	for (size_t i = 0; i < a->n_calls; i++) {
		const struct scope_call *x = &a->calls[i];
		const struct scope_call *y = &b->calls[i];

		assert_int_equal(x->start_ns, y->start_ns);
		assert_int_equal(x->duration_ns, y->duration_ns);
		assert_int_equal(x->cpu_ns, y->cpu_ns);
		assert_int_equal(x->allocated_bytes, y->allocated_bytes);
		assert_int_equal(x->n_faults, y->n_faults);
		assert_int_equal(x->thread, y->thread);
		assert_int_equal(x->node, y->node);
		assert_int_equal(x->arguments, y->arguments);
		assert_int_equal(x->error, y->error);
		assert_int_equal(x->flags, y->flags);
	}
}

static void assert_equal_snapshots(const struct marks *a, const struct marks *b)
{
	assert_int_equal(a->n_snapshots, b->n_snapshots);
	for (size_t i = 0; i < a->n_snapshots; i++) {
		const struct snapshot *x = &a->snapshots[i];
		const struct snapshot *y = &b->snapshots[i];

		assert_int_equal(x->time_ns, y->time_ns);
		assert_int_equal(x->thread, y->thread);
		assert_int_equal(x->site, y->site);
		assert_int_equal(x->scope, y->scope);
		assert_int_equal(x->is_text, y->is_text);
		assert_int_equal(x->is_cut, y->is_cut);
		assert_int_equal(x->size_bytes, y->size_bytes);
		if (x->size_bytes)
			assert_memory_equal(a->bytes + x->bytes_offset, b->bytes + y->bytes_offset,
					    x->size_bytes);
	}
}

static void assert_equal_values(const struct marks *a, const struct marks *b)
{
	assert_int_equal(a->n_milestones, b->n_milestones);
	for (size_t i = 0; i < a->n_milestones; i++) {
		assert_int_equal(a->milestones[i].time_ns, b->milestones[i].time_ns);
		assert_int_equal(a->milestones[i].thread, b->milestones[i].thread);
		assert_int_equal(a->milestones[i].site, b->milestones[i].site);
		assert_int_equal(a->milestones[i].data, b->milestones[i].data);
		assert_int_equal(a->milestones[i].run, b->milestones[i].run);
		assert_int_equal(a->milestones[i].scope, b->milestones[i].scope);
	}
	assert_int_equal(a->n_counters, b->n_counters);
	for (size_t i = 0; i < a->n_counters; i++) {
		assert_int_equal(a->counters[i].time_ns, b->counters[i].time_ns);
		assert_true(a->counters[i].value == b->counters[i].value);
		assert_int_equal(a->counters[i].thread, b->counters[i].thread);
		assert_int_equal(a->counters[i].site, b->counters[i].site);
		assert_int_equal(a->counters[i].scope, b->counters[i].scope);
	}
}

static void assert_equal_resources(const struct marks *a, const struct marks *b)
{
	assert_int_equal(a->n_resources, b->n_resources);
	for (size_t i = 0; i < a->n_resources; i++) {
		const struct resource_sample *x = &a->resources[i];
		const struct resource_sample *y = &b->resources[i];

		assert_int_equal(x->time_ns, y->time_ns);
		assert_int_equal(x->pid, y->pid);
		assert_int_equal(x->run, y->run);
		assert_int_equal(x->rss_bytes, y->rss_bytes);
		assert_int_equal(x->pss_bytes, y->pss_bytes);
		assert_int_equal(x->heap_bytes, y->heap_bytes);
		assert_int_equal(x->anonymous_bytes, y->anonymous_bytes);
		assert_int_equal(x->n_minor_faults, y->n_minor_faults);
		assert_int_equal(x->n_major_faults, y->n_major_faults);
		assert_int_equal(x->n_voluntary_switches, y->n_voluntary_switches);
		assert_int_equal(x->n_involuntary_switches, y->n_involuntary_switches);
	}
}

void profile_marks_assert_equal(const struct profile *a, const struct profile *b)
{
	assert_int_equal(a->marks.n_sites, b->marks.n_sites);
	for (size_t i = 0; i < a->marks.n_sites; i++) {
		const struct mark_site *x = &a->marks.sites[i];
		const struct mark_site *y = &b->marks.sites[i];

		assert_int_equal(x->name, y->name);
		assert_int_equal(x->category, y->category);
		assert_int_equal(x->file, y->file);
		assert_int_equal(x->line, y->line);
		assert_int_equal(x->sample_rate, y->sample_rate);
		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->source, y->source);
	}
	assert_equal_nodes(&a->marks.scopes, &b->marks.scopes);
	assert_equal_calls(&a->marks, &b->marks);
	assert_equal_values(&a->marks, &b->marks);
	assert_equal_snapshots(&a->marks, &b->marks);
	assert_equal_resources(&a->marks, &b->marks);
	assert_memory_equal(&a->marks.quality, &b->marks.quality, sizeof(a->marks.quality));
	assert_int_equal(a->marks.has_all_calls, b->marks.has_all_calls);
	assert_int_equal(a->n_samples, b->n_samples);
	for (size_t i = 0; i < a->n_samples; i++)
		assert_int_equal(a->samples[i].scope, b->samples[i].scope);
}
