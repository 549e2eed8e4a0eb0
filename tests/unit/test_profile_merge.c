/* Several profiles as one: nothing is lost, nothing counted twice, no name taken from elsewhere. */
#include "unit.h"

#include <errno.h>

#include "export/folded.h"
#include "model/registers.h"
#include "profile/profile_merge.h"
#include "profile/profile_reader.h"
#include "profile_bytes.h"
#include "tree/calltree.h"
#include "unit_profile.h"

static void merge(struct profile *into, const struct profile *const *parts, size_t n_parts)
{
	struct profile_merger merger = { .into = into };

	assert_int_equal(profile_init(into), 0);
	for (size_t i = 0; i < n_parts; i++)
		assert_int_equal(profile_merge_add(&merger, parts[i], NULL), 0);
	assert_int_equal(profile_merge_finish(&merger), 0);
}

static void merge_two(struct profile *into, const struct profile *a, const struct profile *b)
{
	merge(into, (const struct profile *const[]){ a, b }, 2);
}

static void fold(struct buffer *out, const struct profile *profile, bool as_time)
{
	const struct view view = VIEW_INIT;
	struct calltree tree;

	assert_int_equal(calltree_build(&tree, profile, &view, NULL), 0);
	buffer_clear(out);
	folded_write(out, &tree, as_time);
	assert_false(out->is_failed);
	calltree_release(&tree);
}

static void assert_equal_folds(const struct profile *a, const struct profile *b)
{
	struct buffer x = BUFFER_INIT;
	struct buffer y = BUFFER_INIT;

	for (int as_time = 0; as_time < 2; as_time++) {
		fold(&x, a, as_time);
		fold(&y, b, as_time);
		assert_string_equal(buffer_string(&x), buffer_string(&y));
	}
	buffer_release(&x);
	buffer_release(&y);
}

static void assert_fold(const struct profile *profile, const char *expected)
{
	struct buffer text = BUFFER_INIT;

	fold(&text, profile, false);
	assert_string_equal(buffer_string(&text), expected);
	buffer_release(&text);
}

static void make(struct profile *profile, uint64_t seed)
{
	uint64_t random = seed;
	const struct profile_shape shape = {
		.seed = seed,
		.n_modules = 1 + profile_bytes_random(&random) % 9,
		.n_threads = 1 + profile_bytes_random(&random) % 9,
		.n_locations = 1 + profile_bytes_random(&random) % 100,
		.n_samples = 1 + profile_bytes_random(&random) % 200,
		.depth = (unsigned int)(profile_bytes_random(&random) % 12),
	};

	profile_bytes_make(profile, &shape);
}

static void merging_with_itself_doubles_every_count(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct profile profile, merged;

		make(&profile, seed);
		merge_two(&merged, &profile, &profile);
		assert_int_equal(merged.n_samples, 2 * profile.n_samples);
		assert_int_equal(merged.locations.n_locations, profile.locations.n_locations);
		assert_int_equal(merged.stacks.n_nodes, profile.stacks.n_nodes);
		assert_int_equal(merged.n_threads, 2 * profile.n_threads);
		assert_int_equal(merged.quality.n_samples, 2 * profile.quality.n_samples);
		for (size_t i = 0; i < profile.n_samples; i++) {
			profile.samples[i].count *= 2;
			profile.samples[i].weight_ns *= 2;
		}
		assert_equal_folds(&merged, &profile);
		profile_release(&profile);
		profile_release(&merged);
	}
}

/* Parts that share modules and addresses, with other names for some of them. */
static void merging_is_associative(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 30; seed++) {
		struct profile a, b, c, ab, bc, ab_c, a_bc, abc;

		make(&a, seed);
		make(&b, seed % 3 ? seed : seed + 1000);
		make(&c, seed);
		for (size_t i = 0; i < b.n_frames; i += 3)
			b.frames[i].function = b.frames[0].function;
		for (size_t i = 0; i < c.n_frames; i += 2)
			c.frames[i].flags |= FRAME_UNRESOLVED;
		c.info.is_cut = true;
		merge_two(&ab, &a, &b);
		merge_two(&bc, &b, &c);
		merge_two(&ab_c, &ab, &c);
		merge_two(&a_bc, &a, &bc);
		merge(&abc, (const struct profile *const[]){ &a, &b, &c }, 3);
		assert_equal_folds(&ab_c, &a_bc);
		assert_equal_folds(&ab_c, &abc);
		assert_int_equal(ab_c.n_runs, 3);
		assert_int_equal(a_bc.n_runs, 3);
		assert_true(a_bc.info.is_cut && ab_c.info.is_cut && !ab.info.is_cut);
		assert_memory_equal(&ab_c.quality, &a_bc.quality, sizeof(ab_c.quality));
		assert_string_equal(interner_get(&ab_c.strings, ab_c.info.command),
				    interner_get(&a_bc.strings, a_bc.info.command));
		for (struct profile *const *p =
			     (struct profile *const[]){ &a, &b, &c, &ab, &bc, &ab_c, &a_bc, &abc,
							NULL };
		     *p; p++)
			profile_release(*p);
	}
}

static void merged_profiles_survive_the_file(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 10; seed++) {
		struct buffer bytes = BUFFER_INIT;
		struct profile a, b, merged, read;

		make(&a, seed);
		make(&b, seed + 1);
		b.info.is_cut = seed % 2;
		merge_two(&merged, &a, &b);
		profile_bytes_write(&bytes, &merged, 1 + seed % 3);
		assert_int_equal(profile_read_bytes(&read, (const uint8_t *)bytes.data, bytes.size,
						    "p", NULL),
				 0);
		assert_int_equal(read.n_runs, 2);
		profile_bytes_assert_equal(&merged, &read);
		buffer_release(&bytes);
		profile_release(&a);
		profile_release(&b);
		profile_release(&merged);
		profile_release(&read);
	}
}

/* In these profiles an address is a string's number: "b" and "c" have the same one. */
static void one_address_of_unknown_code_keeps_both_names(void **state)
{
	const struct unit_stack first[] = { { "main;b", 3 } };
	const struct unit_stack second[] = { { "main;c", 5 }, { "main;b", 1 } };
	struct profile a, b, merged;

	(void)state;
	unit_profile_init(&a, first, 1);
	unit_profile_init(&b, second, 2);
	merge_two(&merged, &a, &b);
	assert_fold(&merged, "main;b 4\nmain;c 5\n");
	profile_release(&a);
	profile_release(&b);
	profile_release(&merged);
}

static void set_build_id(struct profile *profile)
{
	profile->modules[1].build_id_size = 1;
	profile->modules[1].build_id[0] = 42;
}

/* The same module twice would be two rows of a report. */
static void modules_that_look_the_same_are_one_in_a_tree(void **state)
{
	const struct unit_stack first[] = { { "main;b;d", 3 } };
	const struct unit_stack second[] = { { "main;c;d", 5 }, { "main;b;d", 1 } };
	struct profile a, b, merged;
	struct calltree tree;

	(void)state;
	unit_profile_init(&a, first, 1);
	unit_profile_init(&b, second, 2);
	merge_two(&merged, &a, &b);
	assert_true(merged.n_modules > a.n_modules);
	unit_profile_tree(&tree, &merged);
	assert_int_equal(tree.n_frames, 4);
	calltree_release(&tree);
	profile_release(&a);
	profile_release(&b);
	profile_release(&merged);
}

static void a_build_id_brings_names_from_the_other_profile(void **state)
{
	const struct unit_stack stacks[] = { { "main;work", 2 } };
	struct profile named, cut, merged;

	(void)state;
	for (int is_cut_first = 0; is_cut_first < 2; is_cut_first++) {
		unit_profile_init(&named, stacks, 1);
		unit_profile_init(&cut, stacks, 1);
		set_build_id(&named);
		set_build_id(&cut);
		for (size_t i = 0; i < cut.n_frames; i++) {
			assert_int_equal(interner_add(&cut.strings, &cut.frames[i].function,
						      "[app+0x1]"),
					 0);
			cut.frames[i].flags = FRAME_UNRESOLVED;
		}
		merge_two(&merged, is_cut_first ? &cut : &named, is_cut_first ? &named : &cut);
		assert_fold(&merged, "main;work 4\n");
		profile_release(&named);
		profile_release(&cut);
		profile_release(&merged);
	}
}

static void a_truncation_blames_the_same_module(void **state)
{
	const struct unit_stack first[] = { { "x@/lib/first.so", 1 } };
	struct profile a, b, merged;
	struct sample sample = { .count = 1, .weight_ns = 1, .end = STACK_NO_CFI };
	uint32_t location;

	(void)state;
	unit_profile_init(&a, first, 1);
	unit_profile_init(&b, (const struct unit_stack[]){ { "x@/lib/second.so", 1 } }, 1);
	assert_int_equal(profile_add_truncation(&b, &location, STACK_NO_CFI, 1), 0);
	assert_int_equal(stack_trie_add(&b.stacks, &sample.node, 0, location), 0);
	assert_int_equal(profile_add_sample(&b, &sample), 0);
	merge_two(&merged, &a, &b);
	assert_fold(&merged, "[truncated: no unwind info in second.so] 1\nx 2\n");
	profile_release(&a);
	profile_release(&b);
	profile_release(&merged);
}

static void runs_start_together_and_keep_their_threads(void **state)
{
	const struct unit_stack stacks[] = { { "main", 1 } };
	struct profile a, b, merged;

	(void)state;
	unit_profile_init(&a, stacks, 1);
	unit_profile_init(&b, stacks, 1);
	a.info.start_ns = 1000;
	a.samples[0].time_ns = 1010;
	a.info.duration_ns = 50;
	b.info.start_ns = 70000;
	b.samples[0].time_ns = 70020;
	b.info.duration_ns = 90;
	b.threads[0].start_ns = 69999;
	b.threads[0].end_ns = 70030;
	merge_two(&merged, &a, &b);
	assert_int_equal(merged.info.start_ns, 1000);
	assert_int_equal(merged.info.duration_ns, 90);
	assert_int_equal(merged.samples[0].time_ns, 1010);
	assert_int_equal(merged.samples[1].time_ns, 1020);
	assert_int_equal(merged.threads[0].start_ns, 0);
	assert_int_equal(merged.threads[1].start_ns, 999);
	assert_int_equal(merged.threads[1].end_ns, 1030);
	assert_int_equal(merged.threads[0].run, 0);
	assert_int_equal(merged.threads[1].run, 1);
	profile_release(&a);
	profile_release(&b);
	profile_release(&merged);
}

static void assert_refused(const struct profile *a, const struct profile *b, const char *reason)
{
	struct profile_merger merger = { 0 };
	struct error err = ERROR_INIT;
	struct profile merged;

	assert_int_equal(profile_init(&merged), 0);
	merger.into = &merged;
	assert_int_equal(profile_merge_add(&merger, a, NULL), 0);
	assert_int_equal(profile_merge_add(&merger, b, &err), -EINVAL);
	assert_non_null(strstr(err.message, reason));
	profile_release(&merged);
}

static void what_cannot_be_added_is_refused(void **state)
{
	const struct unit_stack stacks[] = { { "main", 1 } };
	struct profile a, b;

	(void)state;
	unit_profile_init(&a, stacks, 1);
	unit_profile_init(&b, stacks, 1);
	a.info.arch = b.info.arch = ARCH_X86_64;
	b.info.arch = ARCH_AARCH64;
	assert_refused(&a, &b, "was recorded on aarch64, what is before it on x86-64");
	b.info.arch = ARCH_X86_64;
	b.info.has_times = false;
	assert_refused(&a, &b, "has counts only");
	b.info.has_times = true;
	assert_int_equal(interner_add(&b.strings, &b.info.event, "wall"), 0);
	assert_refused(&a, &b, "of wall time");
	b.info.event = 0;
	b.samples[0].weight_ns = INT64_MAX;
	assert_refused(&a, &b, "more than one profile can hold");
	profile_release(&a);
	profile_release(&b);
}

static void what_differs_is_no_longer_said(void **state)
{
	const struct unit_stack stacks[] = { { "main", 1 } };
	struct profile a, b, merged;

	(void)state;
	unit_profile_init(&a, stacks, 1);
	unit_profile_init(&b, stacks, 1);
	a.info.period_ns = 1000;
	b.info.period_ns = 2000;
	a.quality.target_cpu_ns = 5;
	a.quality.n_lost = UINT64_MAX;
	b.quality.n_lost = 2;
	assert_int_equal(interner_add(&a.strings, &a.info.host, "red"), 0);
	assert_int_equal(interner_add(&b.strings, &b.info.host, "blue"), 0);
	merge(&merged, (const struct profile *const[]){ &a, &b, &a }, 3);
	assert_int_equal(merged.info.period_ns, 0);
	assert_int_equal(merged.quality.target_cpu_ns, 0);
	assert_int_equal(merged.quality.n_lost, UINT64_MAX);
	assert_string_equal(interner_get(&merged.strings, merged.info.host), "red + blue");
	assert_int_equal(merged.runs[2].period_ns, 1000);
	profile_release(&a);
	profile_release(&b);
	profile_release(&merged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merging_with_itself_doubles_every_count),
		cmocka_unit_test(merging_is_associative),
		cmocka_unit_test(merged_profiles_survive_the_file),
		cmocka_unit_test(one_address_of_unknown_code_keeps_both_names),
		cmocka_unit_test(modules_that_look_the_same_are_one_in_a_tree),
		cmocka_unit_test(a_build_id_brings_names_from_the_other_profile),
		cmocka_unit_test(a_truncation_blames_the_same_module),
		cmocka_unit_test(runs_start_together_and_keep_their_threads),
		cmocka_unit_test(what_cannot_be_added_is_refused),
		cmocka_unit_test(what_differs_is_no_longer_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
