/* Samples told apart by process, thread and name: labels, filters, branches and lifetimes. */
#include "unit.h"

#include <errno.h>

#include "tree/calltree.h"
#include "tree/frame_table.h"
#include "tree/lifetimes.h"
#include "tree/measure.h"
#include "unit_profile.h"

struct fixture {
	struct profile profile;
	struct calltree tree;
};

static uint32_t text(struct profile *profile, const char *string)
{
	uint32_t id;

	assert_int_equal(interner_add(&profile->strings, &id, string), 0);
	return id;
}

static void add_thread(struct profile *profile, uint32_t pid, uint32_t tid, const char *process,
		       const char *name)
{
	const struct thread thread = { .pid = pid,
				       .tid = tid,
				       .process_name = text(profile, process),
				       .name = text(profile, name),
				       .start_ns = 1000 + tid,
				       .end_ns = 2000 + tid };

	assert_int_equal(profile_add_thread(profile, NULL, &thread), 0);
}

/* cc/20 with a thread writer/22, cc/21 with writer/23; 4, 3, 2 and 1 ticks. */
static int setup(void **state)
{
	static const struct unit_stack stacks[] = {
		{ "main;parse", 4 }, { "start;emit", 3 }, { "main;parse", 2 }, { "start;emit", 1 }
	};
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct profile *profile = &fixture->profile;

	unit_profile_init(profile, stacks, N_ITEMS(stacks));
	profile->info.start_ns = 1000;
	profile->n_threads = 0;
	add_thread(profile, 20, 20, "cc", "cc");
	add_thread(profile, 20, 22, "cc", "writer");
	add_thread(profile, 21, 21, "cc", "cc");
	add_thread(profile, 21, 23, "cc", "writer");
	for (uint32_t i = 0; i < 4; i++)
		profile->samples[i].thread = i;
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->tree.nodes)
		calltree_release(&fixture->tree);
	profile_release(&fixture->profile);
	free(fixture);
	return 0;
}

/* The topmost frames of the view with their ticks, by name: "cc/20 7, cc/21 3". */
static void assert_groups(struct fixture *fixture, const struct view *view, const char *expected)
{
	struct calltree *tree = &fixture->tree;
	struct buffer found = BUFFER_INIT;

	assert_int_equal(view_check(view, &fixture->profile, NULL), 0);
	assert_int_equal(calltree_build(tree, &fixture->profile, view, NULL), 0);
	assert_int_equal(calltree_sort_by_name(tree), 0);
	for (uint32_t at = tree->nodes[0].first_child; at; at = tree->nodes[at].next_sibling)
		buffer_printf(&found, "%s%s %d", found.size ? ", " : "",
			      calltree_frame_name(tree, &tree->frames[tree->nodes[at].frame]),
			      (int)tree->nodes[at].total.n_ticks);
	assert_string_equal(buffer_string(&found), expected);
	buffer_release(&found);
	calltree_release(tree);
}

static void groups__are_what_the_view_asks_for(void **state)
{
	struct view view = VIEW_INIT;

	assert_groups(*state, &view, "cc 10");
	view.by = VIEW_BY_PROCESS;
	assert_groups(*state, &view, "cc/20 7, cc/21 3");
	view.by = VIEW_BY_THREAD;
	assert_groups(*state, &view, "cc/20 4, cc/21 2, writer/22 3, writer/23 1");
	view.by = VIEW_BY_COMM;
	assert_groups(*state, &view, "cc 6, writer 4");
}

static void groups__of_several_runs_have_their_number(void **state)
{
	struct fixture *fixture = *state;
	struct view view = VIEW_INIT;

	for (int i = 0; i < 2; i++)
		assert_int_equal(profile_add_run(&fixture->profile, NULL, &fixture->profile.info),
				 0);
	for (uint32_t i = 2; i < 4; i++) {
		fixture->profile.threads[i].pid = 20;
		fixture->profile.threads[i].run = 1;
	}
	view.by = VIEW_BY_PROCESS;
	assert_groups(fixture, &view, "cc/20 [1] 7, cc/20 [2] 3");
	view.by = VIEW_BY_COMM;
	assert_groups(fixture, &view, "cc 6, writer 4");
}

static void process__is_chosen_by_name_and_number(void **state)
{
	struct view view = VIEW_INIT;

	view.process = "cc";
	assert_groups(*state, &view, "cc 10");
	view.process = "21";
	assert_groups(*state, &view, "cc 3");
	view.thread = "writer";
	assert_groups(*state, &view, "cc 1");
}

static void process__that_is_not_there_gets_the_list(void **state)
{
	struct fixture *fixture = *state;
	struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;

	view.process = "22";
	assert_int_equal(view_check(&view, &fixture->profile, &err), -EINVAL);
	assert_string_equal(err.message, "no process is called '22'; there are cc/20, cc/21");
}

static void words__name_all_groups(void **state)
{
	size_t n = 0;

	(void)state;
	for (; view_by_words[n]; n++)
		assert_int_equal(view_by_find(view_by_words[n]), VIEW_BY_PROCESS + n);
	assert_true(n >= 3);
	assert_int_equal(view_by_find("pid"), VIEW_BY_NONE);
	assert_int_equal(view_by_find(NULL), VIEW_BY_NONE);
}

static void branch__is_the_part_below_with_shares_of_the_whole(void **state)
{
	struct fixture *fixture = *state;
	struct calltree *tree = &fixture->tree;
	struct view view = VIEW_INIT;
	uint64_t n_ticks = 0;

	view.by = VIEW_BY_THREAD;
	assert_int_equal(calltree_build(tree, &fixture->profile, &view, NULL), 0);
	for (uint32_t at = tree->nodes[0].first_child; at; at = tree->nodes[at].next_sibling) {
		struct calltree branch;
		struct frame_table table;

		assert_int_equal(calltree_branch_init(&branch, tree, at), 0);
		assert_int_equal(branch.n_nodes, 3);
		assert_int_equal(branch.nodes[0].total.n_ticks, tree->nodes[at].total.n_ticks);
		for (size_t i = 1; i < branch.n_nodes; i++)
			assert_true(branch.nodes[i].parent < i);
		assert_int_equal(frame_table_build(&table, &branch, FRAME_ROWS_CODE, NULL), 0);
		assert_int_equal(table.n_rows, 2);
		for (size_t i = 0; i < table.n_rows; i++)
			n_ticks += table.rows[i].self.n_ticks;
		assert_true(measure_of(&branch, &branch.nodes[0].total).share < 0.5);
		frame_table_release(&table);
		calltree_branch_release(&branch);
	}
	assert_int_equal(n_ticks, 10);
}

/* Of the root it is the tree itself, however it branches. */
static void branch__of_the_root_is_all(void **state)
{
	struct fixture *fixture = *state;
	struct calltree *tree = &fixture->tree;
	const struct view view = VIEW_INIT;
	struct calltree branch;
	uint64_t self = 0;

	unit_profile_add(&fixture->profile, "main;parse;a;b;c", 1);
	unit_profile_add(&fixture->profile, "main;parse;d", 2);
	unit_profile_add(&fixture->profile, "main;x", 3);
	assert_int_equal(calltree_build(tree, &fixture->profile, &view, NULL), 0);
	assert_int_equal(calltree_branch_init(&branch, tree, 0), 0);
	assert_int_equal(branch.n_nodes, tree->n_nodes);
	for (size_t i = 0; i < branch.n_nodes; i++) {
		const struct calltree_node *node = &branch.nodes[i];
		uint64_t below = node->self.n_ticks;

		for (uint32_t at = node->first_child; at; at = branch.nodes[at].next_sibling)
			below += branch.nodes[at].total.n_ticks;
		assert_int_equal(below, node->total.n_ticks);
		self += node->self.n_ticks;
	}
	assert_int_equal(self, 16);
	calltree_branch_release(&branch);
}

static void lifetimes__are_those_of_all_threads_of_a_group(void **state)
{
	struct fixture *fixture = *state;
	struct view view = VIEW_INIT;
	struct frame_table table;
	struct lifetimes lifetimes;

	view.by = VIEW_BY_PROCESS;
	fixture->profile.threads[3].end_ns = 0;
	assert_int_equal(calltree_build(&fixture->tree, &fixture->profile, &view, NULL), 0);
	assert_int_equal(frame_table_build(&table, &fixture->tree, FRAME_ROWS_LABELS, NULL), 0);
	assert_int_equal(frame_table_sort(&table, true), 0);
	assert_int_equal(lifetimes_find(&lifetimes, &table, view.by, NULL), 0);
	assert_int_equal(lifetimes.n_rows, 2);
	assert_true(lifetimes.rows[0].has_start && lifetimes.rows[0].has_end);
	assert_int_equal(lifetimes.rows[0].start_ns, 20);
	assert_int_equal(lifetimes.rows[0].end_ns, 1022);
	assert_int_equal(lifetimes.rows[0].thread->pid, 20);
	assert_true(lifetimes.rows[1].has_start);
	assert_false(lifetimes.rows[1].has_end);
	lifetimes_release(&lifetimes);
	frame_table_release(&table);
}

#define GROUP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		GROUP_TEST(groups__are_what_the_view_asks_for),
		GROUP_TEST(groups__of_several_runs_have_their_number),
		GROUP_TEST(process__is_chosen_by_name_and_number),
		GROUP_TEST(process__that_is_not_there_gets_the_list),
		GROUP_TEST(branch__is_the_part_below_with_shares_of_the_whole),
		GROUP_TEST(branch__of_the_root_is_all),
		GROUP_TEST(lifetimes__are_those_of_all_threads_of_a_group),
		cmocka_unit_test(words__name_all_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
