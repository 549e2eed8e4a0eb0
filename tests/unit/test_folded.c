/* Folded stacks: what is written is read again, whatever the names hold. */
#include "unit.h"

#include <errno.h>

#include "export/folded.h"
#include "tree/calltree.h"
#include "tree/view.h"

#include "profile_bytes.h"

/* The text's profile folded again; free the buffer. */
static void fold_text(struct buffer *out, const char *text)
{
	struct profile profile;
	struct calltree tree;
	const struct view view = VIEW_INIT;
	struct error err = ERROR_INIT;
	uint64_t n_bad, first_bad;

	assert_int_equal(folded_read(&profile, (const uint8_t *)text, strlen(text), "t", &n_bad,
				     &first_bad, &err),
			 0);
	assert_int_equal(n_bad, 0);
	assert_int_equal(calltree_build(&tree, &profile, &view, &err), 0);
	buffer_clear(out);
	folded_write(out, &tree, false);
	assert_false(out->is_failed);
	calltree_release(&tree);
	profile_release(&profile);
}

static void assert_folds(const char *text, const char *expected)
{
	struct buffer out = BUFFER_INIT;

	fold_text(&out, text);
	assert_string_equal(buffer_string(&out), expected);
	buffer_release(&out);
}

/* A profile of one sample: a stack of `name` in a process called `process`. */
static void fold_name(struct buffer *out, const char *process, const char *name, uint8_t flags)
{
	struct profile profile;
	struct calltree tree;
	const struct view view = VIEW_INIT;
	struct thread thread = { .tid = 7 };
	struct module module = { .kind = MODULE_KIND_FILE };
	struct frame frame = { .flags = flags };
	struct sample sample = { .count = 3, .weight_ns = 2999500 };
	uint32_t id;

	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(interner_add(&profile.strings, &thread.process_name, process), 0);
	assert_int_equal(interner_add(&profile.strings, &frame.function, name), 0);
	assert_int_equal(profile_add_module(&profile, &id, &module), 0);
	assert_int_equal(profile_add_thread(&profile, NULL, &thread), 0);
	assert_int_equal(location_table_add(&profile.locations, &id, id, 0x10), 0);
	assert_int_equal(profile_set_frames(&profile, id, &frame, 1), 0);
	assert_int_equal(stack_trie_add(&profile.stacks, &sample.node, 0, id), 0);
	assert_int_equal(profile_add_sample(&profile, &sample), 0);
	assert_int_equal(calltree_build(&tree, &profile, &view, NULL), 0);
	buffer_clear(out);
	folded_write(out, &tree, flags & FRAME_JIT);
	calltree_release(&tree);
	profile_release(&profile);
}

static void folded_write__makes_names_harmless(void **state)
{
	static const struct {
		const char *name;
		const char *expected;
	} cases[] = {
		{ "plain", "app;plain 3\n" },
		{ "a;b", "app;a:b 3\n" },
		{ "operator\"\" _x", "app;operator\"\" _x 3\n" },
		{ "<script>alert('x')</script>", "app;<script>alert('x')</script> 3\n" },
		{ "tab\tnl\nesc\033del\177", "app;tab?nl?esc?del? 3\n" },
		{ "half \xc3", "app;half \xef\xbf\xbd 3\n" },
		{ "c1 \xc2\x9b line \xe2\x80\xa8.", "app;c1 ? line ?. 3\n" },
		{ "frame 12", "app;frame_12 3\n" },
		{ "frame 12 34", "app;frame 12_34 3\n" },
		{ "frame 1.5", "app;frame_1.5 3\n" },
		{ "frame 12.", "app;frame_12. 3\n" },
		{ "frame  12", "app;frame _12 3\n" },
		{ "12", "app;12 3\n" },
		{ " both ", "app;_both_ 3\n" },
		{ "# comment", "app;_ comment 3\n" },
		{ "#", "app;_ 3\n" },
		{ "x86 .5", "app;x86 .5 3\n" },
	};
	struct buffer out = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		fold_name(&out, "app", cases[i].name, 0);
		assert_string_equal(buffer_string(&out), cases[i].expected);
	}
	fold_name(&out, "# callgrind format", "main", 0);
	assert_string_equal(buffer_string(&out), "_ callgrind format;main 3\n");
	buffer_release(&out);
}

static void folded_write__marks_kernel_and_jit_and_counts_microseconds(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	fold_name(&out, "app", "do_idle", FRAME_KERNEL);
	assert_string_equal(buffer_string(&out), "app;do_idle_[k] 3\n");
	fold_name(&out, "app", "f", FRAME_JIT); /* the flag that asks fold_name for time */
	assert_string_equal(buffer_string(&out), "app;f_[j] 3000\n");
	buffer_release(&out);
}

static void folded_write__keeps_a_name_of_ten_thousand_bytes(void **state)
{
	enum { LONG = 10000 };
	struct buffer out = BUFFER_INIT;
	char *name = malloc(LONG + 1);

	(void)state;
	assert_non_null(name);
	memset(name, 'x', LONG);
	name[LONG] = '\0';
	fold_name(&out, "app", name, 0);
	assert_int_equal(out.size, strlen("app;") + LONG + strlen(" 3\n"));
	free(name);
	buffer_release(&out);
}

static void folded__round_trip_sorts_bytewise_and_merges(void **state)
{
	(void)state;
	assert_folds("b 1\na 2\n", "a 2\nb 1\n");
	assert_folds("a;c 1\na;b 2\na;c 3\n", "a;b 2\na;c 4\n");
	/* ' ' < '!' < ';': neither stack order nor name order alone gives this. */
	assert_folds("a;x 1\na!;x 2\na 3\na b 4\na 3x 5\n", "a 3\na 3x 5\na b 4\na!;x 2\na;x 1\n");
	assert_folds("k_[k];i_[i] 1\n", "k_[k];i 1\n");
	assert_folds("f 1\nf_[k] 2\nf_[k]_[i] 3\n", "f 1\nf_[k] 5\n");
	assert_folds(";a 1\n", "[unknown];a 1\n");
	assert_folds("n 9007199254740993\n", "n 9007199254740993\n");
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Random stacks of awkward names: the lines are sorted, and folding again changes nothing. */
static void folded__is_stable_for_random_stacks(void **state)
{
	static const char *const names[] = { "a", "a b", "a!", "a;b", "12", "x 7x", "~", "é", "-" };
	struct buffer text = BUFFER_INIT, once = BUFFER_INIT, twice = BUFFER_INIT;
	uint64_t random = 3;

	(void)state;
	for (int round = 0; round < 50; round++) {
		char *lines[200];
		size_t n_lines = 0;

		buffer_clear(&text);
		for (int i = 0; i < 100; i++) {
			for (uint64_t k = profile_bytes_random(&random) % 5; k > 0; k--) {
				buffer_add_string(
					&text,
					names[profile_bytes_random(&random) % N_ITEMS(names)]);
				buffer_add_char(&text, ';');
			}
			buffer_printf(&text, "leaf %u\n",
				      (unsigned int)(1 + profile_bytes_random(&random) % 2000));
		}
		fold_text(&once, text.data);
		fold_text(&twice, once.data);
		assert_string_equal(once.data, twice.data);
		for (char *line = strtok(twice.data, "\n"); line; line = strtok(NULL, "\n"))
			lines[n_lines++] = line;
		for (size_t i = 1; i < n_lines; i++)
			assert_true(compare_lines(&lines[i - 1], &lines[i]) < 0);
	}
	buffer_release(&text);
	buffer_release(&once);
	buffer_release(&twice);
}

static void folded_read__takes_what_its_readers_take(void **state)
{
	(void)state;
	assert_folds("# a comment 5\n\n  \na;b  3\r\n", "a;b 3\n");
	assert_folds("a;b 2.4\na;c 2.5\na;d 2.\n", "a;b 2\na;c 3\na;d 2\n");
	assert_folds("a;b\t4", "a;b 4\n");
	assert_folds("a;b 10 4\n", "a;b 4\n"); /* a differential: the later run */
	assert_folds("a;b 0\na;c 1\n", "a;c 1\n");
}

static void folded_read__counts_bad_lines_and_names_the_first(void **state)
{
	static const char text[] = "a 1\nnonsense\na;b 2x\na -1\na 1e3\n5\n"
				   "a 99999999999999999999999999\nb\0c 1\n"
				   "b 1\nb 1\nb 1\nb 1\nb 1\nb 1\nb 1\n";
	struct profile profile;
	uint64_t n_bad, first_bad;

	(void)state;
	assert_int_equal(folded_read(&profile, (const uint8_t *)text, sizeof(text) - 1, "t", &n_bad,
				     &first_bad, NULL),
			 0);
	assert_int_equal(n_bad, 7);
	assert_int_equal(first_bad, 2);
	assert_int_equal(profile.n_samples, 8);
	assert_false(profile.info.has_times);
	profile_release(&profile);
}

static void folded_read__refuses_text_of_another_kind(void **state)
{
	static const char text[] = "there are 12\nwords in\nthis text\n";
	struct profile profile;
	struct error err = ERROR_INIT;
	uint64_t n_bad, first_bad;

	(void)state;
	assert_int_equal(folded_read(&profile, (const uint8_t *)text, strlen(text), "t", &n_bad,
				     &first_bad, &err),
			 -EINVAL);
	assert_non_null(strstr(err.message, "as line 2"));
}

static void folded_read__refuses_text_without_a_single_stack(void **state)
{
	static const char *const texts[] = { "", "\n\n", "# only 1\n", "hello\nworld\n", "a 0\n" };

	(void)state;
	for (size_t i = 0; i < N_ITEMS(texts); i++) {
		struct profile profile;
		struct error err = ERROR_INIT;
		uint64_t n_bad, first_bad;

		assert_int_equal(folded_read(&profile, (const uint8_t *)texts[i], strlen(texts[i]),
					     "t", &n_bad, &first_bad, &err),
				 -EINVAL);
		assert_string_equal(err.message, "t: has no line of the form 'frame;frame COUNT'");
	}
}

static void folded_read__knows_unresolved_and_truncated_frames(void **state)
{
	static const char text[] = "[truncated: stack dump];[libc.so.6+0x12];[unknown];f[1] 1\n";
	static const uint8_t expected[] = { FRAME_PSEUDO, FRAME_UNRESOLVED, FRAME_UNRESOLVED, 0 };
	struct profile profile;
	uint64_t n_bad, first_bad;

	(void)state;
	assert_int_equal(folded_read(&profile, (const uint8_t *)text, strlen(text), "t", &n_bad,
				     &first_bad, NULL),
			 0);
	assert_int_equal(profile.n_frames, N_ITEMS(expected));
	for (size_t i = 0; i < N_ITEMS(expected); i++)
		assert_int_equal(profile.frames[i].flags, expected[i]);
	profile_release(&profile);
}

static void folded_read__refuses_stacks_deeper_than_any_view_can_stand(void **state)
{
	struct buffer text = BUFFER_INIT;
	struct profile profile;
	uint64_t n_bad, first_bad;

	(void)state;
	buffer_add_string(&text, "fine 1\n");
	for (int i = 0; i < FOLDED_MAX_FRAMES; i++)
		buffer_add_string(&text, "f;");
	buffer_add_string(&text, "f 1\n");
	assert_int_equal(folded_read(&profile, (const uint8_t *)text.data, text.size, "t", &n_bad,
				     &first_bad, NULL),
			 0);
	assert_int_equal(first_bad, 2);
	profile_release(&profile);
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folded_write__makes_names_harmless),
		cmocka_unit_test(folded_write__marks_kernel_and_jit_and_counts_microseconds),
		cmocka_unit_test(folded_write__keeps_a_name_of_ten_thousand_bytes),
		cmocka_unit_test(folded__round_trip_sorts_bytewise_and_merges),
		cmocka_unit_test(folded__is_stable_for_random_stacks),
		cmocka_unit_test(folded_read__takes_what_its_readers_take),
		cmocka_unit_test(folded_read__counts_bad_lines_and_names_the_first),
		cmocka_unit_test(folded_read__refuses_text_of_another_kind),
		cmocka_unit_test(folded_read__refuses_text_without_a_single_stack),
		cmocka_unit_test(folded_read__knows_unresolved_and_truncated_frames),
		cmocka_unit_test(folded_read__refuses_stacks_deeper_than_any_view_can_stand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
