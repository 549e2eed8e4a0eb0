/* The SVG: well-formed whatever names are, self-contained, and complete without its script. */
#include "unit.h"
#include "unit_profile.h"

#include <ctype.h>
#include <errno.h>

#include "flamegraph/flame_svg.h"

enum { MAX_DEPTH = 16 };

/* Draws `stacks`; the caller releases `svg`. */
static int draw(struct buffer *svg, const struct unit_stack *stacks, size_t n_stacks,
		const struct flame_svg_options *options, struct error *err)
{
	struct profile profile;
	struct calltree tree;
	int r;

	unit_profile_init(&profile, stacks, n_stacks);
	unit_profile_tree(&tree, &profile);
	r = flame_svg_write(svg, &tree, options, err);
	calltree_release(&tree);
	profile_release(&profile);
	return r;
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static const char *expect_text(const char *at, const char *stop)
{
	for (; *at && *at != '<'; at++) {
		assert_true((unsigned char)*at >= 0x20 || *at == '\n');
		if (*at == '&')
			assert_true(strchr("lgaq#", at[1]) && strchr(at, ';'));
	}
	return *at ? at : stop;
}

/* Tags nest, attributes are quoted, text has no bare control bytes or '&'. */
static void expect_well_formed(const char *svg)
{
	const char *const end = svg + strlen(svg);
	char open[MAX_DEPTH][16];
	size_t depth = 0;

	svg = strstr(svg, "?>") + 2;
	while ((svg = expect_text(svg, end)) < end) {
		const size_t n = strcspn(svg + 1, " />\n");
		const char *close;

		if (strncmp(svg, "<![CDATA[", 9) == 0) {
			svg = strstr(svg, "]]>") + 3;
			continue;
		}
		if (svg[1] == '/') {
			assert_true(depth > 0);
			depth--;
			assert_int_equal(strncmp(svg + 2, open[depth], strlen(open[depth])), 0);
			svg = strchr(svg, '>') + 1;
			continue;
		}
		assert_true(islower((unsigned char)svg[1]) && n < sizeof(open[0]));
		assert_true(depth < MAX_DEPTH);
		memcpy(open[depth], svg + 1, n);
		open[depth++][n] = '\0';
		close = svg + strcspn(svg, ">");
		assert_int_equal(*close, '>');
		for (const char *at = svg, *q = NULL; at < close; at++)
			if (*at == '"')
				q = q ? NULL : at;
			else
				assert_true(q || (*at != '&' && *at != '\''));
		depth -= close[-1] == '/';
		svg = close + 1;
	}
	assert_int_equal(depth, 0);
}

static void flame_svg__every_box_has_its_title_with_total_and_self(void **state)
{
	const struct unit_stack stacks[] = { { "main;work", 75 }, { "main", 25 } };
	const struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;

	(void)state;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	assert_int_equal(count(svg.data, "<g class=\"box\""), 3);
	assert_non_null(strstr(svg.data, "<title>main\ntotal 100 samples, 100 ms, 100.00%\n"
					 "self 25 samples, 25.0 ms, 25.00%\nin app</title>"));
	assert_non_null(strstr(svg.data, ">work</text>"));
	expect_well_formed(svg.data);
	buffer_release(&svg);
}

static void flame_svg__survives_hostile_names(void **state)
{
	const struct unit_stack stacks[] = {
		{ "<script>alert(1)</script>", 10 },
		{ "\"'><img src=x onerror=alert(1)>", 10 },
		{ "]]></style><script>", 10 },
		{ "&amp &#0 &lt", 10 },
		{ "\x01\x02\x1b[31mred\x7f", 10 },
		{ "\xff\xfe\xc3\x28\xed\xa0\x80", 10 },
		{ "new\nline\tand\rmore", 10 },
		{ "\xe2\x80\xae"
		  "desrever",
		  10 },
		{ "<<<<((((", 10 },
		{ ">>>>))))::::", 10 },
		{ "operator", 10 },
		{ "::", 10 },
		{ "", 10 },
	};
	struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;

	(void)state;
	options.title = stacks[2].frames;
	options.subtitle = stacks[1].frames;
	options.footer = stacks[4].frames;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	expect_well_formed(svg.data);
	assert_int_equal(count(svg.data, "<script>"), 1);
	assert_int_equal(count(svg.data, "<g class=\"box\""), N_ITEMS(stacks) + 1);
	buffer_release(&svg);
}

static void flame_svg__keeps_a_long_name_whole_in_its_title(void **state)
{
	enum { LENGTH = 10000 };
	char name[LENGTH + 1];
	const struct unit_stack stacks[] = { { name, 1 } };
	const struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;
	const char *title;

	(void)state;
	memset(name, 'x', LENGTH);
	name[LENGTH] = '\0';
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	title = strstr(svg.data, "<title>x");
	assert_non_null(title);
	assert_int_equal(strspn(title + 7, "x"), LENGTH);
	title = strstr(title, "\">x");
	assert_non_null(title);
	assert_true(strspn(title + 2, "x") < 180);
	buffer_release(&svg);
}

static void flame_svg__fetches_nothing(void **state)
{
	const struct unit_stack stacks[] = { { "main", 1 } };
	const struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;

	(void)state;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	/* Three names of namespaces: in the root element and twice in the script. */
	assert_int_equal(count(svg.data, "://"), 3);
	assert_int_equal(count(svg.data, "http://www.w3.org/"), 3);
	assert_int_equal(count(svg.data, "href"), 0);
	assert_int_equal(count(svg.data, "@import"), 0);
	assert_int_equal(count(svg.data, "url("), 0);
	buffer_release(&svg);
}

static void flame_svg__says_what_it_left_out(void **state)
{
	const struct unit_stack stacks[] = { { "main;wide", 99990 }, { "main;thin;above", 10 } };
	const struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct flame_svg_options everything = options;
	struct buffer svg = BUFFER_INIT;

	(void)state;
	everything.min_width_px = 0;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &everything, NULL), 0);
	assert_null(strstr(svg.data, "not drawn"));
	buffer_clear(&svg);
	everything.min_width_px = 1;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &everything, NULL), 0);
	assert_non_null(strstr(svg.data, "2 frames narrower than 1 px not drawn, "
					 "0.01% of the samples end in them"));
	buffer_release(&svg);
}

static void flame_svg__inverts_with_the_root_at_the_top(void **state)
{
	const struct unit_stack stacks[] = { { "main;work", 1 } };
	struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;

	(void)state;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	assert_non_null(strstr(svg.data, "x=\"0%\" y=\"34\" width=\"100%\""));
	assert_true(strstr(svg.data, "y=\"34\" w") < strstr(svg.data, "<title>main"));
	buffer_clear(&svg);
	options.is_inverted = true;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, NULL), 0);
	assert_true(strstr(svg.data, "y=\"0\" w") < strstr(svg.data, "<title>main"));
	buffer_release(&svg);
}

static void flame_svg__refuses_sizes_that_cannot_be_drawn(void **state)
{
	const struct unit_stack stacks[] = { { "main", 1 } };
	struct flame_svg_options options = FLAME_SVG_OPTIONS_INIT;
	struct buffer svg = BUFFER_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	options.width_px = 10;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, &err), -EINVAL);
	assert_non_null(strstr(err.message, "300 to 100000"));
	options = FLAME_SVG_OPTIONS_INIT;
	options.height_px = 5;
	assert_int_equal(draw(&svg, stacks, N_ITEMS(stacks), &options, &err), -EINVAL);
	options = FLAME_SVG_OPTIONS_INIT;
	assert_int_equal(draw(&svg, stacks, 0, &options, &err), -ENODATA);
	assert_int_equal(svg.size, 0);
	buffer_release(&svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flame_svg__every_box_has_its_title_with_total_and_self),
		cmocka_unit_test(flame_svg__survives_hostile_names),
		cmocka_unit_test(flame_svg__keeps_a_long_name_whole_in_its_title),
		cmocka_unit_test(flame_svg__fetches_nothing),
		cmocka_unit_test(flame_svg__says_what_it_left_out),
		cmocka_unit_test(flame_svg__inverts_with_the_root_at_the_top),
		cmocka_unit_test(flame_svg__refuses_sizes_that_cannot_be_drawn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
