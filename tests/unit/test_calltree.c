/* How stacks become one tree. */
#include "unit.h"

#include "tree/calltree.h"
#include "unit_profile.h"

static const struct calltree_node *child_named(const struct calltree *tree, uint32_t parent,
					       const char *name)
{
	for (uint32_t at = tree->nodes[parent].first_child; at; at = tree->nodes[at].next_sibling)
		if (strcmp(calltree_frame_name(tree, &tree->frames[tree->nodes[at].frame]), name) ==
		    0)
			return &tree->nodes[at];
	return NULL;
}

static void build(struct calltree *tree, const struct profile *profile, const struct view *view)
{
	assert_int_equal(calltree_build(tree, profile, view, NULL), 0);
}

static void calltree_build__merges_common_prefix(void **state)
{
	const struct unit_stack stacks[] = { { "main;a", 5 }, { "main;b", 3 }, { "main", 2 } };
	const struct calltree_node *top;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	top = child_named(&tree, 0, "main");
	assert_non_null(top);
	assert_int_equal(top->total.n_ticks, 10);
	assert_int_equal(top->total.n_rows, 3);
	assert_int_equal(top->self.n_ticks, 2);
	assert_int_equal(top->self.weight_ns, 2000000);
	assert_int_equal(tree.n_nodes, 4);
	assert_true(calltree_is_timed(&tree));
	calltree_release(&tree);
	profile_release(&profile);
}

/* main ran for 3 ms, and waited for a lock for 5 ms and for a disk for 2 ms. */
static void make_waiting(struct profile *profile)
{
	const struct unit_stack stacks[] = { { "main", 3 }, { "main", 5 }, { "main;f", 2 } };

	unit_profile_init(profile, stacks, N_ITEMS(stacks));
	profile->samples[1].state = SAMPLE_LOCK;
	profile->samples[2].state = SAMPLE_DISK;
}

static void calltree_build__leaves_waiting_out_unasked(void **state)
{
	struct profile profile;
	struct calltree tree;

	(void)state;
	make_waiting(&profile);
	unit_profile_tree(&tree, &profile);
	assert_int_equal(tree.whole.weight_ns, 3000000);
	assert_int_equal(tree.whole.waited_ns, 0);
	assert_int_equal(tree.n_nodes, 2);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__ends_waits_in_what_they_are(void **state)
{
	struct view view = VIEW_INIT;
	const struct calltree_node *top, *inner, *lock;
	struct profile profile;
	struct calltree tree;

	(void)state;
	make_waiting(&profile);
	view.with_process = false;
	view.states = SAMPLE_STATES_ALL;
	build(&tree, &profile, &view);
	top = child_named(&tree, 0, "main");
	assert_non_null(top);
	assert_int_equal(top->self.weight_ns, 3000000);
	assert_int_equal(top->total.weight_ns, 10000000);
	assert_int_equal(top->total.waited_ns, 7000000);
	assert_int_equal(top->total.n_rows, 1);
	lock = child_named(&tree, (uint32_t)(top - tree.nodes), "[waiting: lock]");
	assert_non_null(lock);
	assert_int_equal(lock->self.weight_ns, 5000000);
	inner = child_named(&tree, (uint32_t)(top - tree.nodes), "f");
	assert_non_null(inner);
	assert_int_equal(inner->self.weight_ns, 0);
	assert_non_null(child_named(&tree, (uint32_t)(inner - tree.nodes), "[waiting: disk]"));
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__splits_by_state(void **state)
{
	struct view view = VIEW_INIT;
	const struct calltree_node *lock;
	struct profile profile;
	struct calltree tree;

	(void)state;
	make_waiting(&profile);
	view.with_process = false;
	view.by = VIEW_BY_STATE;
	build(&tree, &profile, &view);
	assert_non_null(child_named(&tree, 0, "running"));
	lock = child_named(&tree, 0, "waiting: lock");
	assert_non_null(lock);
	assert_int_equal(lock->total.weight_ns, 5000000);
	assert_int_equal(child_named(&tree, (uint32_t)(lock - tree.nodes), "main")->self.weight_ns,
			 5000000);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__keeps_recursion_and_puts_parents_first(void **state)
{
	const struct unit_stack stacks[] = { { "f;f;f", 1 }, { "f", 1 }, { "g;f", 1 } };
	uint64_t self = 0;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	assert_int_equal(tree.n_frames, 2);
	assert_int_equal(tree.n_nodes, 6);
	for (size_t i = 0; i < tree.n_nodes; i++) {
		self += tree.nodes[i].self.weight_ns;
		assert_true(i == 0 || tree.nodes[i].parent < i);
	}
	assert_int_equal(self, tree.nodes[0].total.weight_ns);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__tells_functions_of_two_modules_apart(void **state)
{
	const struct unit_stack stacks[] = { { "f@a.so", 1 }, { "f@b.so", 1 } };
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	assert_int_equal(tree.n_frames, 2);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__flags_kernel_modules(void **state)
{
	const struct unit_stack stacks[] = { { "main;read@[kernel]", 1 } };
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	assert_int_equal(tree.frames[0].flags & FRAME_KERNEL, 0);
	assert_int_equal(tree.frames[1].flags & FRAME_KERNEL, FRAME_KERNEL);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__collapses_neighbours_of_one_module(void **state)
{
	const struct unit_stack stacks[] = { { "a@x;b@x;c@y;d@y;e@x", 1 } };
	struct view view = VIEW_INIT;
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	view.granularity = GRANULARITY_MODULE;
	build(&tree, &profile, &view);
	assert_int_equal(tree.n_nodes, 4);
	assert_int_equal(tree.n_frames, 2);
	assert_string_equal(calltree_frame_name(&tree, &tree.frames[0]), "x");
	calltree_release(&tree);
	profile_release(&profile);
}

/* Two threads of "app", the second named; its samples are the odd ones. */
static void init_threads(struct profile *profile)
{
	const struct unit_stack stacks[] = {
		{ "[truncated: stack dump]@app!p;a", 1 }, { "a", 2 }, { "a", 4 }, { "a;b", 8 }
	};
	struct thread worker = { .pid = 1, .tid = 7 };

	unit_profile_init(profile, stacks, N_ITEMS(stacks));
	assert_int_equal(interner_add(&profile->strings, &worker.name, "worker"), 0);
	assert_int_equal(interner_add(&profile->strings, &worker.process_name, "app"), 0);
	profile->threads[0].process_name = worker.process_name;
	assert_int_equal(profile_add_thread(profile, NULL, &worker), 0);
	profile->samples[1].thread = 1;
	profile->samples[3].thread = 1;
}

static void calltree_build__puts_labels_above_code(void **state)
{
	const struct calltree_node *process, *thread;
	struct view view = VIEW_INIT;
	struct profile profile;
	struct calltree tree;
	uint32_t at;

	(void)state;
	init_threads(&profile);
	view.with_thread = true;
	build(&tree, &profile, &view);
	process = child_named(&tree, 0, "app");
	assert_non_null(process);
	assert_int_equal(process->total.n_ticks, 15);
	at = (uint32_t)(process - tree.nodes);
	thread = child_named(&tree, at, "worker/7");
	assert_non_null(thread);
	assert_int_equal(tree.frames[thread->frame].is_label, 1);
	assert_int_equal(thread->total.n_ticks, 10);
	thread = child_named(&tree, at, "/1");
	assert_non_null(thread);
	assert_non_null(
		child_named(&tree, (uint32_t)(thread - tree.nodes), "[truncated: stack dump]"));
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__takes_only_the_view(void **state)
{
	struct view view = VIEW_INIT;
	struct profile profile;
	struct calltree tree;

	(void)state;
	init_threads(&profile);
	view.thread = "worker";
	build(&tree, &profile, &view);
	assert_int_equal(tree.nodes[0].total.n_ticks, 10);
	calltree_release(&tree);
	view.from_ns = 2; /* sample i is at i ns */
	build(&tree, &profile, &view);
	assert_int_equal(tree.nodes[0].total.n_ticks, 8);
	calltree_release(&tree);
	view.from_ns = 100;
	build(&tree, &profile, &view);
	assert_int_equal(tree.nodes[0].total.n_rows, 0);
	assert_false(calltree_is_timed(&tree));
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_sort_by_name__orders_siblings(void **state)
{
	const struct unit_stack stacks[] = { { "m;c", 1 }, { "m;a", 1 }, { "m;b", 1 }, { "k", 1 } };
	const char *const expected[] = { "a", "b", "c" };
	const struct calltree_node *m;
	struct profile profile;
	struct calltree tree;
	size_t n = 0;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&tree, &profile);
	m = child_named(&tree, 0, "m");
	for (uint32_t at = m->first_child; at; at = tree.nodes[at].next_sibling)
		assert_string_equal(calltree_frame_name(&tree, &tree.frames[tree.nodes[at].frame]),
				    expected[n++]);
	assert_int_equal(n, 3);
	calltree_release(&tree);
	profile_release(&profile);
}

static void calltree_build__keeps_a_million_samples_of_few_stacks_in_few_nodes(void **state)
{
	const struct unit_stack stacks[] = { { "a;b;c;d;e;f;g;h", 1 }, { "a;b;c;d;e;f;g;i", 1 } };
	struct profile profile;
	struct calltree tree;

	(void)state;
	unit_profile_init(&profile, stacks, N_ITEMS(stacks));
	for (size_t i = 2; i < 1000000; i++) {
		const struct sample sample = profile.samples[i % 2];

		assert_int_equal(profile_add_sample(&profile, &sample), 0);
	}
	unit_profile_tree(&tree, &profile);
	assert_int_equal(tree.n_nodes, 10);
	assert_int_equal(tree.nodes[0].total.n_ticks, 1000000);
	calltree_release(&tree);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calltree_build__merges_common_prefix),
		cmocka_unit_test(calltree_build__leaves_waiting_out_unasked),
		cmocka_unit_test(calltree_build__ends_waits_in_what_they_are),
		cmocka_unit_test(calltree_build__splits_by_state),
		cmocka_unit_test(calltree_build__keeps_recursion_and_puts_parents_first),
		cmocka_unit_test(calltree_build__tells_functions_of_two_modules_apart),
		cmocka_unit_test(calltree_build__flags_kernel_modules),
		cmocka_unit_test(calltree_build__collapses_neighbours_of_one_module),
		cmocka_unit_test(calltree_build__puts_labels_above_code),
		cmocka_unit_test(calltree_build__takes_only_the_view),
		cmocka_unit_test(calltree_sort_by_name__orders_siblings),
		cmocka_unit_test(
			calltree_build__keeps_a_million_samples_of_few_stacks_in_few_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
