/* Scopes nest, recurse, are cut short, left open and ended without a begin. */
#include "unit.h"

#include <math.h>
#include <stdbool.h>

#include "model/scope_step.h"
#include "model/scope_tree.h"

enum { SITE_OUTER = 1, SITE_INNER, SITE_OTHER };

struct thread_of_scopes {
	struct scope_tree tree;
	struct scope_stack stack;
};

static int set_up(void **state)
{
	struct thread_of_scopes *t = calloc(1, sizeof(*t));

	*state = t;
	return t ? scope_tree_init(&t->tree) : -1;
}

static int tear_down(void **state)
{
	struct thread_of_scopes *t = *state;

	scope_stack_release(&t->stack);
	scope_tree_release(&t->tree);
	free(t);
	return 0;
}

static void begin(struct thread_of_scopes *t, uint32_t site, uint64_t time_ns)
{
	assert_int_equal(scope_stack_begin(&t->stack, &t->tree, site, time_ns), 0);
}

static void end(struct thread_of_scopes *t, uint32_t site, uint64_t time_ns)
{
	assert_int_equal(scope_stack_end(&t->stack, &t->tree, site, time_ns, false), 0);
}

static const struct scope_node *node_of(struct thread_of_scopes *t, uint32_t parent, uint32_t site)
{
	uint32_t id;

	assert_int_equal(scope_tree_get(&t->tree, &id, parent, site), 0);
	return &t->tree.nodes[id];
}

static void scopes__have_total_and_self_time(void **state)
{
	struct thread_of_scopes *t = *state;
	const struct scope_node *outer;

	begin(t, SITE_OUTER, 100);
	begin(t, SITE_INNER, 110);
	assert_int_equal(t->tree.nodes[scope_stack_node(&t->stack)].site, SITE_INNER);
	end(t, SITE_INNER, 140);
	begin(t, SITE_INNER, 150);
	end(t, SITE_INNER, 200);
	end(t, SITE_OUTER, 1100);
	outer = node_of(t, 0, SITE_OUTER);
	assert_int_equal(outer->total_ns, 1000);
	assert_int_equal(outer->self_ns, 1000 - 30 - 50);
	assert_int_equal(node_of(t, 1, SITE_INNER)->durations_ns.n_values, 2);
	assert_int_equal(node_of(t, 1, SITE_INNER)->total_ns, 80);
	assert_int_equal(t->tree.n_nodes, 3);
	assert_int_equal(scope_stack_node(&t->stack), 0);
}

static void end__cuts_what_a_jump_left_open(void **state)
{
	struct thread_of_scopes *t = *state;

	begin(t, SITE_OUTER, 0);
	begin(t, SITE_INNER, 10);
	begin(t, SITE_OTHER, 20);
	end(t, SITE_OUTER, 100);
	assert_int_equal(t->stack.n_open, 0);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->n_cut, 0);
	assert_int_equal(node_of(t, 1, SITE_INNER)->n_cut, 1);
	assert_int_equal(node_of(t, 1, SITE_INNER)->total_ns, 90);
	assert_int_equal(node_of(t, 2, SITE_OTHER)->n_cut, 1);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->self_ns, 10);
}

static void end__without_begin_is_counted_and_changes_nothing(void **state)
{
	struct thread_of_scopes *t = *state;

	begin(t, SITE_OUTER, 0);
	end(t, SITE_OTHER, 50);
	assert_int_equal(t->tree.n_unmatched_ends, 1);
	end(t, SITE_OUTER, 60);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->total_ns, 60);
}

static void end__of_a_recursive_scope_is_the_innermost(void **state)
{
	struct thread_of_scopes *t = *state;

	for (uint64_t i = 0; i < 3; i++)
		begin(t, SITE_OUTER, i * 10);
	for (uint64_t i = 0; i < 3; i++)
		end(t, SITE_OUTER, 100 + i * 10);
	assert_int_equal(t->tree.n_nodes, 4);
	assert_int_equal(t->tree.nodes[1].total_ns, 120);
	assert_int_equal(t->tree.nodes[3].total_ns, 80);
	assert_int_equal(t->tree.nodes[1].self_ns, 20);
}

static void scopes__too_deep_are_counted_and_balanced(void **state)
{
	struct thread_of_scopes *t = *state;

	begin(t, SITE_OUTER, 0);
	for (uint32_t i = 0; i < SCOPE_STACK_MAX_DEPTH + 9; i++)
		begin(t, SITE_INNER, i);
	assert_int_equal(t->tree.n_too_deep, 10);
	for (uint32_t i = 0; i < SCOPE_STACK_MAX_DEPTH + 9; i++)
		end(t, SITE_INNER, 1000 + i);
	assert_int_equal(t->stack.n_open, 1);
	end(t, SITE_OUTER, 5000);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->total_ns, 5000);
	assert_int_equal(t->tree.n_unmatched_ends, 0);
}

static void scopes__left_open_are_no_calls(void **state)
{
	struct thread_of_scopes *t = *state;

	begin(t, SITE_OUTER, 0);
	scope_stack_finish(&t->stack, &t->tree);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->n_open, 1);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->durations_ns.n_values, 0);
}

static void scopes__that_run_backwards_take_no_time(void **state)
{
	struct thread_of_scopes *t = *state;

	begin(t, SITE_OUTER, 100);
	begin(t, SITE_INNER, 50);
	end(t, SITE_INNER, 400);
	end(t, SITE_OUTER, 90);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->total_ns, 0);
	assert_int_equal(node_of(t, 0, SITE_OUTER)->self_ns, 0);
}

static void deviation__is_that_of_a_sample(void **state)
{
	static const uint64_t durations_ns[] = { 2, 4, 4, 4, 5, 5, 7, 9 };
	struct thread_of_scopes *t = *state;
	const struct scope_node *node;

	for (size_t i = 0; i < N_ITEMS(durations_ns); i++) {
		begin(t, SITE_OUTER, 1000);
		assert_int_equal(scope_stack_end(&t->stack, &t->tree, SITE_OUTER,
						 1000 + durations_ns[i], i == 3),
				 0);
	}
	node = node_of(t, 0, SITE_OUTER);
	assert_true(fabs(node->mean_ns - 5) < 1e-9);
	assert_true(fabs(scope_node_deviation_ns(node) - sqrt(32.0 / 7)) < 1e-9);
	assert_int_equal(node->n_errors, 1);
}

static void assert_same_node(const struct scope_node *a, const struct scope_node *b)
{
	assert_int_equal(a->parent, b->parent);
	assert_int_equal(a->site, b->site);
	assert_int_equal(a->n_cut, b->n_cut);
	assert_int_equal(a->total_ns, b->total_ns);
	assert_int_equal(a->self_ns, b->self_ns);
	assert_true(a->mean_ns == b->mean_ns);
	assert_true(a->squares_ns2 == b->squares_ns2);
	assert_int_equal(a->durations_ns.n_values, b->durations_ns.n_values);
	assert_int_equal(a->durations_ns.first, b->durations_ns.first);
	assert_int_equal(a->durations_ns.n_buckets, b->durations_ns.n_buckets);
	assert_int_equal(a->durations_ns.min, b->durations_ns.min);
	assert_int_equal(a->durations_ns.max, b->durations_ns.max);
	if (a->durations_ns.n_buckets)
		assert_memory_equal(a->durations_ns.counts, b->durations_ns.counts,
				    a->durations_ns.n_buckets * sizeof(uint64_t));
}

/* Most of them on the short way, so that it is what is compared. */
static void steps__do_what_begin_and_end_do(void **state)
{
	enum { N_STEPS = 20000 };
	struct thread_of_scopes *t = *state;
	struct thread_of_scopes other = { 0 };
	uint64_t random = 1;
	uint64_t time_ns = 1000;
	int n_short = 0;

	assert_int_equal(scope_tree_init(&other.tree), 0);
	for (int i = 0; i < N_STEPS; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407U;
		const uint32_t site = SITE_OUTER + (uint32_t)(random >> 60) / 6;

		time_ns += random >> 33 & (random >> 62 ? 63 : 4095);
		other.stack.counted_from_ns = t->stack.counted_from_ns = random >> 44 & 1999;
		if (random >> 50 & 1) {
			begin(&other, site, time_ns);
			if (scope_step_in(&t->stack, &t->tree, site, time_ns))
				n_short++;
			else
				begin(t, site, time_ns);
		} else {
			end(&other, site, time_ns);
			if (scope_step_out(&t->stack, &t->tree, site, time_ns))
				n_short++;
			else
				end(t, site, time_ns);
		}
		assert_int_equal(scope_stack_node(&t->stack), scope_stack_node(&other.stack));
	}
	assert_true(n_short > N_STEPS / 4);
	assert_int_equal(t->tree.n_nodes, other.tree.n_nodes);
	assert_int_equal(t->tree.n_unmatched_ends, other.tree.n_unmatched_ends);
	assert_int_equal(t->tree.n_too_deep, other.tree.n_too_deep);
	for (size_t i = 0; i < other.tree.n_nodes; i++)
		assert_same_node(&t->tree.nodes[i], &other.tree.nodes[i]);
	scope_stack_release(&other.stack);
	scope_tree_release(&other.tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scopes__have_total_and_self_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(end__cuts_what_a_jump_left_open, set_up, tear_down),
		cmocka_unit_test_setup_teardown(end__without_begin_is_counted_and_changes_nothing,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(end__of_a_recursive_scope_is_the_innermost, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(scopes__too_deep_are_counted_and_balanced, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(scopes__left_open_are_no_calls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(scopes__that_run_backwards_take_no_time, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(deviation__is_that_of_a_sample, set_up, tear_down),
		cmocka_unit_test_setup_teardown(steps__do_what_begin_and_end_do, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
