/* Marks of several profiles as one: what is alike is one, and statistics add up. */
#include "unit.h"

#include <math.h>

#include "profile/profile_merge.h"
#include "profile/profile_reader.h"

#include "profile_bytes.h"
#include "profile_marks.h"

static void merge_two(struct profile *into, const struct profile *a, const struct profile *b)
{
	struct profile_merger merger = { .into = into };

	assert_int_equal(profile_init(into), 0);
	assert_int_equal(profile_merge_add(&merger, a, NULL), 0);
	assert_int_equal(profile_merge_add(&merger, b, NULL), 0);
	assert_int_equal(profile_merge_finish(&merger), 0);
}

static void make(struct profile *profile, uint64_t seed)
{
	const struct profile_shape shape = { .seed = seed,
					     .n_modules = 2,
					     .n_threads = 3,
					     .n_locations = 9,
					     .n_samples = 50,
					     .depth = 3 };

	profile_bytes_make(profile, &shape);
	profile_marks_make(profile, seed, 20);
}

static void assert_is_twice(const struct scope_node *two, const struct scope_node *one)
{
	const double n = (double)one->durations_ns.n_values;

	assert_int_equal(two->durations_ns.n_values, 2 * one->durations_ns.n_values);
	assert_int_equal(two->total_ns, 2 * one->total_ns);
	assert_int_equal(two->self_ns, 2 * one->self_ns);
	assert_int_equal(two->n_errors, 2 * one->n_errors);
	assert_int_equal(two->n_open, 2 * one->n_open);
	assert_int_equal(two->n_costs, 2 * one->n_costs);
	assert_int_equal(two->cpu_ns, 2 * one->cpu_ns);
	assert_true(fabs(two->mean_ns - one->mean_ns) <= one->mean_ns * 1e-12);
	assert_true(fabs(two->squares_ns2 - 2 * one->squares_ns2) <= one->squares_ns2 * 1e-12);
	if (n > 0) {
		assert_int_equal(two->durations_ns.min, one->durations_ns.min);
		assert_int_equal(histogram_percentile(&two->durations_ns, 0.5),
				 histogram_percentile(&one->durations_ns, 0.5));
	}
}

static void merging_marks_with_themselves_doubles_every_count(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct profile one, two;

		make(&one, seed);
		merge_two(&two, &one, &one);
		assert_true(two.marks.n_sites <= one.marks.n_sites);
		assert_int_equal(two.marks.scopes.n_nodes, one.marks.scopes.n_nodes);
		for (size_t i = 0; i < one.marks.scopes.n_nodes; i++)
			assert_is_twice(&two.marks.scopes.nodes[i], &one.marks.scopes.nodes[i]);
		assert_int_equal(two.marks.n_milestones, 40);
		assert_int_equal(two.marks.n_calls, 2 * one.marks.n_calls);
		assert_int_equal(two.marks.n_counters, 40);
		assert_int_equal(two.marks.n_snapshots, 40);
		assert_int_equal(two.marks.n_resources, 40);
		assert_int_equal(two.marks.quality.n_lost, 2 * one.marks.quality.n_lost);
		assert_int_equal(two.marks.scopes.n_too_deep, 8);
		for (size_t i = 0; i < one.n_samples; i++) {
			assert_int_equal(two.samples[i].scope, one.samples[i].scope);
			assert_int_equal(two.samples[i + one.n_samples].scope,
					 one.samples[i].scope);
		}
		profile_release(&one);
		profile_release(&two);
	}
}

static const char *name_of(const struct profile *profile, uint32_t id)
{
	return interner_get(&profile->strings, id);
}

/* Other numbers, other orders: what things are called stays the same. */
/* The name of a scope; of none it is what no string is. */
static const char *scope_of(const struct profile *profile, uint32_t node)
{
	const struct marks *marks = &profile->marks;

	return node ? name_of(profile, marks->sites[marks->scopes.nodes[node].site].name) : "/";
}

static void merging_renumbers_what_marks_refer_to(void **state)
{
	struct profile a, b, both;

	(void)state;
	make(&a, 1);
	make(&b, 2);
	b.info.start_ns += 5000;
	merge_two(&both, &a, &b);
	for (size_t i = 0; i < b.marks.n_milestones; i++) {
		const struct milestone *old = &b.marks.milestones[i];
		const struct milestone *new = &both.marks.milestones[i + a.marks.n_milestones];

		assert_int_equal(new->time_ns, old->time_ns - 5000);
		assert_string_equal(name_of(&both, both.marks.sites[new->site].name),
				    name_of(&b, b.marks.sites[old->site].name));
		assert_string_equal(name_of(&both, new->data), name_of(&b, old->data));
		assert_string_equal(scope_of(&both, new->scope), scope_of(&b, old->scope));
		if (old->thread == MARK_NO_THREAD)
			assert_int_equal(new->thread, MARK_NO_THREAD);
		else
			assert_int_equal(new->thread, old->thread + a.n_threads);
	}
	for (size_t i = 0; i < b.marks.n_calls; i++) {
		const struct scope_call *old = &b.marks.calls[i];
		const struct scope_call *new = &both.marks.calls[i + a.marks.n_calls];

		assert_string_equal(scope_of(&both, new->node), scope_of(&b, old->node));
		assert_string_equal(name_of(&both, new->arguments), name_of(&b, old->arguments));
	}
	for (size_t i = 0; i < b.marks.n_counters; i++)
		assert_string_equal(scope_of(&both,
					     both.marks.counters[i + a.marks.n_counters].scope),
				    scope_of(&b, b.marks.counters[i].scope));
	for (size_t i = 0; i < b.marks.n_snapshots; i++)
		assert_string_equal(scope_of(&both,
					     both.marks.snapshots[i + a.marks.n_snapshots].scope),
				    scope_of(&b, b.marks.snapshots[i].scope));
	for (size_t i = 0; i < both.marks.n_resources; i++)
		assert_int_equal(both.marks.resources[i].run, i >= a.marks.n_resources);
	profile_release(&a);
	profile_release(&b);
	profile_release(&both);
}

static void a_merged_file_with_marks_is_read(void **state)
{
	struct profile a, b, both, read;
	struct buffer bytes = BUFFER_INIT;

	(void)state;
	make(&a, 1);
	make(&b, 2);
	merge_two(&both, &a, &b);
	profile_bytes_write(&bytes, &both, 1);
	assert_int_equal(
		profile_read_bytes(&read, (const uint8_t *)bytes.data, bytes.size, "p", NULL), 0);
	profile_marks_assert_equal(&both, &read);
	profile_release(&a);
	profile_release(&b);
	profile_release(&both);
	profile_release(&read);
	buffer_release(&bytes);
}

/* As if all had been added to one. */
static void parts_of_a_scope_have_the_variance_of_the_whole(void **state)
{
	uint64_t random = 9;

	(void)state;
	for (int round = 0; round < 50; round++) {
		struct scope_tree whole, parts[3];
		uint32_t id;

		assert_int_equal(scope_tree_init(&whole), 0);
		assert_int_equal(scope_tree_get(&whole, &id, 0, 0), 0);
		for (int i = 0; i < 3; i++) {
			assert_int_equal(scope_tree_init(&parts[i]), 0);
			assert_int_equal(scope_tree_get(&parts[i], &id, 0, 0), 0);
			for (uint64_t k = profile_bytes_random(&random) % 50; k; k--) {
				const uint64_t ns = 1000000 * (uint64_t)(1 + i) +
						    profile_bytes_random(&random) % 1000;

				assert_int_equal(scope_tree_add_call(&whole, id, ns, 0), 0);
				assert_int_equal(scope_tree_add_call(&parts[i], id, ns, 0), 0);
			}
		}
		assert_int_equal(scope_node_merge(&parts[0].nodes[1], &parts[1].nodes[1]), 0);
		assert_int_equal(scope_node_merge(&parts[0].nodes[1], &parts[2].nodes[1]), 0);
		assert_int_equal(parts[0].nodes[1].total_ns, whole.nodes[1].total_ns);
		assert_true(fabs(parts[0].nodes[1].mean_ns - whole.nodes[1].mean_ns) <= 1e-3);
		assert_true(fabs(scope_node_deviation_ns(&parts[0].nodes[1]) -
				 scope_node_deviation_ns(&whole.nodes[1])) <= 1e-3);
		for (int i = 0; i < 3; i++)
			scope_tree_release(&parts[i]);
		scope_tree_release(&whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging_marks_with_themselves_doubles_every_count),
		cmocka_unit_test(merging_renumbers_what_marks_refer_to),
		cmocka_unit_test(a_merged_file_with_marks_is_read),
		cmocka_unit_test(parts_of_a_scope_have_the_variance_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
