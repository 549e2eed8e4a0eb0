/* Colours: the same name, the same colour; kinds that can be told apart. */
#include "unit.h"
#include "unit_profile.h"

#include "flamegraph/flame_palette.h"

static struct flame_color color_of(const char *frame)
{
	struct profile profile;
	struct calltree tree;
	struct flame_color color;

	unit_profile_init(&profile, NULL, 0);
	unit_profile_add(&profile, frame, 1);
	unit_profile_tree(&tree, &profile);
	color = flame_palette_color(&tree, &tree.frames[tree.nodes[1].frame], false);
	calltree_release(&tree);
	profile_release(&profile);
	return color;
}

static void flame_palette__tells_kinds_apart(void **state)
{
	(void)state;
	assert_int_equal(color_of("main").kind, FLAME_KIND_APP);
	assert_int_equal(color_of("malloc@/lib/libc.so.6").kind, FLAME_KIND_LIBRARY);
	assert_int_equal(color_of("min@/bin/app!i").kind, FLAME_KIND_INLINED);
	assert_int_equal(color_of("do_syscall_64@[kernel]!k").kind, FLAME_KIND_KERNEL);
	assert_int_equal(color_of("LazyCompile:f@/x!j").kind, FLAME_KIND_JIT);
	assert_int_equal(color_of("[libx.so+0x12]@/lib/libx.so!u").kind, FLAME_KIND_UNKNOWN);
	assert_int_equal(color_of("[truncated: stack dump]@/x!p").kind, FLAME_KIND_UNKNOWN);
}

static void flame_palette__takes_the_shade_from_the_name_alone(void **state)
{
	(void)state;
	for (const char *names[] = { "main", "malloc", "f" }, **n = names; n < names + 3; n++)
		assert_int_equal(color_of(*n).shade, color_of(*n).shade);
	assert_int_equal(color_of("malloc@/lib/libc.so.6").shade, color_of("malloc@/bin/x").shade);
}

static void flame_palette__writes_a_rule_for_every_class_in_light_and_dark(void **state)
{
	struct buffer css = BUFFER_INIT;
	size_t n_rules = 0;

	(void)state;
	flame_palette_write_css(&css);
	for (const char *at = css.data; (at = strstr(at, "{fill:#")); at++)
		n_rules++;
	assert_int_equal(n_rules, 2 * FLAME_KIND_N * FLAME_N_SHADES);
	for (enum flame_kind kind = 0; kind < FLAME_KIND_N; kind++) {
		struct buffer class = BUFFER_INIT;

		flame_palette_add_class(&class, (struct flame_color){ kind, 15 });
		assert_non_null(strstr(css.data, class.data));
		buffer_release(&class);
	}
	buffer_release(&css);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flame_palette__tells_kinds_apart),
		cmocka_unit_test(flame_palette__takes_the_shade_from_the_name_alone),
		cmocka_unit_test(flame_palette__writes_a_rule_for_every_class_in_light_and_dark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
