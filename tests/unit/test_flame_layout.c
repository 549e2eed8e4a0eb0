/* Boxes: where they are, and what is left out. */
#include "unit.h"
#include "unit_profile.h"

#include <errno.h>

#include "flamegraph/flame_layout.h"

static const struct unit_stack stacks[] = {
	{ "main;parse;lex", 30 },	    { "main;parse", 20 },
	{ "main;eval;call;call;call", 45 }, { "main;eval", 4 },
	{ "main;tiny;deep;deeper", 1 },
};

struct drawing {
	struct profile profile;
	struct calltree tree;
	struct flame_layout layout;
};

static void drawing_init(struct drawing *drawing, double min_share)
{
	unit_profile_init(&drawing->profile, stacks, N_ITEMS(stacks));
	unit_profile_tree(&drawing->tree, &drawing->profile);
	assert_int_equal(flame_layout_build(&drawing->layout, &drawing->tree, FLAME_SAMPLES,
					    min_share, NULL),
			 0);
}

static void drawing_release(struct drawing *drawing)
{
	flame_layout_release(&drawing->layout);
	calltree_release(&drawing->tree);
	profile_release(&drawing->profile);
}

/* The box above which `box` stands, by geometry. */
static const struct flame_box *parent_of(const struct flame_layout *layout,
					 const struct flame_box *box)
{
	for (const struct flame_box *p = box; p-- > layout->boxes;)
		if (p->depth + 1 == box->depth && p->start <= box->start &&
		    p->start + p->width >= box->start + box->width)
			return p;
	return NULL;
}

static void flame_layout__widths_of_a_level_and_the_selves_below_make_the_whole(void **state)
{
	struct drawing d;

	(void)state;
	drawing_init(&d, 0);
	for (uint32_t level = 0; level < d.layout.n_levels; level++) {
		uint64_t sum = 0;

		for (size_t i = 0; i < d.layout.n_boxes; i++) {
			const struct flame_box *box = &d.layout.boxes[i];

			if (box->depth == level)
				sum += box->width;
			else if (box->depth < level)
				sum += d.tree.nodes[box->node].self.n_ticks;
		}
		assert_int_equal(sum, 100);
	}
	assert_int_equal(d.layout.total, 100);
	drawing_release(&d);
}

static void flame_layout__children_lie_inside_their_parent(void **state)
{
	struct drawing d;

	(void)state;
	drawing_init(&d, 0);
	assert_int_equal(d.layout.n_boxes, 11);
	assert_int_equal(d.layout.n_levels, 6);
	for (size_t i = 1; i < d.layout.n_boxes; i++) {
		const struct flame_box *box = &d.layout.boxes[i];
		const struct flame_box *parent = parent_of(&d.layout, box);

		assert_non_null(parent);
		assert_int_equal(d.tree.nodes[box->node].parent, parent->node);
	}
	drawing_release(&d);
}

static void flame_layout__siblings_do_not_overlap(void **state)
{
	struct drawing d;
	uint64_t ends[16] = { 0 };

	(void)state;
	drawing_init(&d, 0);
	for (size_t i = 0; i < d.layout.n_boxes; i++) {
		const struct flame_box *box = &d.layout.boxes[i];

		assert_true(box->start >= ends[box->depth]);
		ends[box->depth] = box->start + box->width;
	}
	drawing_release(&d);
}

static void flame_layout__prunes_narrow_boxes_with_all_above_and_says_so(void **state)
{
	struct drawing d;

	(void)state;
	drawing_init(&d, 0.02);
	assert_int_equal(d.layout.n_boxes, 8);
	assert_int_equal(d.layout.n_pruned, 3);
	assert_int_equal(d.layout.pruned, 1);
	drawing_release(&d);
}

static void flame_layout__keeps_a_box_exactly_as_wide_as_the_limit(void **state)
{
	struct drawing d;

	(void)state;
	drawing_init(&d, 0.01);
	assert_int_equal(d.layout.n_boxes, 11);
	assert_int_equal(d.layout.n_pruned, 0);
	drawing_release(&d);
}

static void flame_layout__refuses_an_empty_tree(void **state)
{
	struct profile profile;
	struct calltree tree;
	struct flame_layout layout;
	struct error err = ERROR_INIT;

	(void)state;
	unit_profile_init(&profile, NULL, 0);
	unit_profile_tree(&tree, &profile);
	assert_int_equal(flame_layout_build(&layout, &tree, FLAME_SAMPLES, 0, &err), -ENODATA);
	assert_non_null(strstr(err.message, "no samples"));
	calltree_release(&tree);
	profile_release(&profile);
}

static void flame_layout__takes_stacks_of_any_depth(void **state)
{
	enum { DEPTH = 20000 };
	struct profile profile;
	struct calltree tree;
	struct flame_layout layout;
	char *frames = calloc(DEPTH, 2);

	(void)state;
	assert_non_null(frames);
	for (size_t i = 0; i < DEPTH; i++)
		memcpy(frames + 2 * i, i + 1 < DEPTH ? "f;" : "f", 2);
	unit_profile_init(&profile, NULL, 0);
	unit_profile_add(&profile, frames, 7);
	unit_profile_tree(&tree, &profile);
	assert_int_equal(flame_layout_build(&layout, &tree, FLAME_TIME, 0, NULL), 0);
	assert_int_equal(layout.n_levels, DEPTH + 1);
	assert_int_equal(layout.total, 7000000);
	flame_layout_release(&layout);
	calltree_release(&tree);
	profile_release(&profile);
	free(frames);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			flame_layout__widths_of_a_level_and_the_selves_below_make_the_whole),
		cmocka_unit_test(flame_layout__children_lie_inside_their_parent),
		cmocka_unit_test(flame_layout__siblings_do_not_overlap),
		cmocka_unit_test(flame_layout__prunes_narrow_boxes_with_all_above_and_says_so),
		cmocka_unit_test(flame_layout__keeps_a_box_exactly_as_wide_as_the_limit),
		cmocka_unit_test(flame_layout__refuses_an_empty_tree),
		cmocka_unit_test(flame_layout__takes_stacks_of_any_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
