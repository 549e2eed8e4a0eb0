/* The option parser: every kind of option, operands, and what typos get. */
#include "unit.h"

#include "cmd/command.h"
#include "base/suggest.h"

struct sample_options {
	const char *output;
	const char *mode;
	uint64_t top;
	uint64_t rate_hz;
	uint64_t stack_bytes;
	uint64_t from_ns;
	double width;
	bool is_verbose;
	bool wants_symbols;
};

static const char *const modes[] = { "fast", "exact", NULL };

static const struct option sample_table[] = {
	{ "output", 'o', OPTION_STRING, "FILE", "write here",
	  offsetof(struct sample_options, output), NULL },
	{ "mode", 0, OPTION_STRING, "MODE", "how", offsetof(struct sample_options, mode), modes },
	{ "top", 'n', OPTION_COUNT, "N", "rows", offsetof(struct sample_options, top), NULL },
	{ "frequency", 'F', OPTION_RATE, "HZ", "rate", offsetof(struct sample_options, rate_hz),
	  NULL },
	{ "stack-size", 0, OPTION_BYTES, "BYTES", "dump",
	  offsetof(struct sample_options, stack_bytes), NULL },
	{ "from", 0, OPTION_DURATION, "TIME", "start", offsetof(struct sample_options, from_ns),
	  NULL },
	{ "width", 0, OPTION_NUMBER, "PX", "wide", offsetof(struct sample_options, width), NULL },
	{ "verbose", 'v', OPTION_FLAG, NULL, "say more",
	  offsetof(struct sample_options, is_verbose), NULL },
	{ "no-symbols", 'S', OPTION_NO_FLAG, NULL, "leave them out",
	  offsetof(struct sample_options, wants_symbols), NULL },
	{ 0 },
};

static int sample_run(struct app *app, int argc, char **argv)
{
	(void)app;
	(void)argc;
	(void)argv;
	return EXIT_OK;
}

static const struct command sample_command = {
	.name = "sample",
	.summary = "a command to test with",
	.operands = "[--] WORD…",
	.options = sample_table,
	.run = sample_run,
};

struct parsed {
	struct sample_options values;
	int result;
	char *argv[16];
	char *out;
	char *messages;
};

/* Parse a NULL-terminated list of words; parsed_release frees the captured text. */
static void parse_words(struct parsed *parsed, bool stop_at_operand, const char *const *words)
{
	size_t out_size;
	size_t messages_size;
	struct app app = { .program = "tsprof" };
	int argc = 0;

	memset(parsed, 0, sizeof(*parsed));
	parsed->values.wants_symbols = true;
	parsed->argv[argc++] = (char *)(uintptr_t) "sample";
	while (*words)
		parsed->argv[argc++] = (char *)(uintptr_t)*words++;
	app.out = open_memstream(&parsed->out, &out_size);
	app.messages = open_memstream(&parsed->messages, &messages_size);
	parsed->result = options_parse(&app, &sample_command, &parsed->values, argc, parsed->argv,
				       stop_at_operand);
	(void)fclose(app.out);
	(void)fclose(app.messages);
}

static void parsed_release(struct parsed *parsed)
{
	free(parsed->out);
	free(parsed->messages);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void options_parse__stores_every_kind(void **state)
{
	struct parsed parsed;

	(void)state;
	parse_words(&parsed, false,
		    WORDS("-oout", "--mode=exact", "-n", "12", "-F", "4k", "--stack-size", "32k",
			  "--from=300ms", "--width", "1.5", "-vS"));
	assert_string_equal(parsed.messages, "");
	assert_int_equal(parsed.result, 0);
	assert_string_equal(parsed.values.output, "out");
	assert_string_equal(parsed.values.mode, "exact");
	assert_int_equal(parsed.values.top, 12);
	assert_int_equal(parsed.values.rate_hz, 4000);
	assert_int_equal(parsed.values.stack_bytes, 32768);
	assert_int_equal(parsed.values.from_ns, 300000000);
	assert_true(parsed.values.width > 1.49 && parsed.values.width < 1.51);
	assert_true(parsed.values.is_verbose);
	assert_false(parsed.values.wants_symbols);
	parsed_release(&parsed);
}

static void options_parse__gathers_operands_from_anywhere(void **state)
{
	struct parsed parsed;

	(void)state;
	parse_words(&parsed, false, WORDS("a", "-v", "-", "-n", "3", "--", "-o"));
	assert_int_equal(parsed.result, 3);
	assert_string_equal(parsed.argv[1], "a");
	assert_string_equal(parsed.argv[2], "-");
	assert_string_equal(parsed.argv[3], "-o");
	assert_null(parsed.argv[4]);
	assert_true(parsed.values.is_verbose);
	parsed_release(&parsed);
}

static void options_parse__leaves_a_command_line_alone(void **state)
{
	struct parsed parsed;

	(void)state;
	parse_words(&parsed, true, WORDS("-v", "xz", "-9", "--", "--mode"));
	assert_int_equal(parsed.result, 4);
	assert_string_equal(parsed.argv[1], "xz");
	assert_string_equal(parsed.argv[2], "-9");
	assert_string_equal(parsed.argv[3], "--");
	assert_null(parsed.argv[5]);
	parsed_release(&parsed);
	parse_words(&parsed, true, WORDS("--", "-v"));
	assert_int_equal(parsed.result, 1);
	assert_string_equal(parsed.argv[1], "-v");
	assert_false(parsed.values.is_verbose);
	parsed_release(&parsed);
}

static void options_parse__names_the_option_and_the_remedy(void **state)
{
	static const struct {
		const char *const words[3];
		const char *message;
	} cases[] = {
		{ { "--ouput", "x" }, "unknown option --ouput, did you mean --output?" },
		{ { "--freq", "9" }, "unknown option --freq, did you mean --frequency?" },
		{ { "--xyzzy" }, "unknown option --xyzzy; see 'tsprof sample -h'" },
		{ { "-q" }, "unknown option -q" },
		{ { "-o" }, "-o needs a value, FILE" },
		{ { "--verbose=yes" }, "--verbose takes no value" },
		{ { "--mode", "exat" },
		  "--mode: 'exat' is not one of fast, exact (did you mean exact?)" },
		{ { "-n", "-3" }, "-n: '-3' is not a whole number" },
		{ { "--width=wide" }, "--width: 'wide' is not a number" },
		{ { "-F", "often" }, "-F: 'often' is not a rate" },
		{ { "--a\033[31m" }, "--a\xef\xbf\xbd[31m" },
	};

	(void)state;
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		struct parsed parsed;

		parse_words(&parsed, false, cases[i].words);
		assert_int_equal(parsed.result, OPTIONS_ERROR);
		if (!strstr(parsed.messages, cases[i].message))
			fail_msg("expected \"%s\" in \"%s\"", cases[i].message, parsed.messages);
		assert_ptr_equal(strchr(parsed.messages, '\n') + 1,
				 parsed.messages + strlen(parsed.messages));
		parsed_release(&parsed);
	}
}

static void options_parse__prints_help_on_request(void **state)
{
	struct parsed parsed;

	(void)state;
	parse_words(&parsed, false, WORDS("-vh"));
	assert_int_equal(parsed.result, OPTIONS_HELP);
	assert_string_equal(parsed.messages, "");
	assert_non_null(strstr(parsed.out, "  -F, --frequency HZ"));
	assert_non_null(strstr(parsed.out, "how (fast, exact)"));
	parsed_release(&parsed);
}

static void options_write_usage__wraps_at_80_columns(void **state)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	options_write_usage(out, &sample_command);
	(void)fclose(out);
	assert_string_equal(
		text,
		"usage: tsprof sample [-o FILE] [--mode MODE] [-n N] [-F HZ] [--stack-size BYTES]\n"
		"                     [--from TIME] [--width PX] [-v] [-S] [--] WORD…\n");
	free(text);
}

static void suggestion_offer__keeps_the_nearest(void **state)
{
	struct suggestion guess = SUGGESTION_INIT("reprot");

	(void)state;
	suggestion_offer(&guess, "record");
	suggestion_offer(&guess, "report");
	suggestion_offer(&guess, "flame");
	assert_string_equal(guess.nearest, "report");
}

static void suggestion_offer__does_not_guess_wildly(void **state)
{
	struct suggestion guess = SUGGESTION_INIT("xz");

	(void)state;
	suggestion_offer(&guess, "fold");
	suggestion_offer(&guess, "flame");
	assert_null(guess.nearest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_parse__stores_every_kind),
		cmocka_unit_test(options_parse__gathers_operands_from_anywhere),
		cmocka_unit_test(options_parse__leaves_a_command_line_alone),
		cmocka_unit_test(options_parse__names_the_option_and_the_remedy),
		cmocka_unit_test(options_parse__prints_help_on_request),
		cmocka_unit_test(options_write_usage__wraps_at_80_columns),
		cmocka_unit_test(suggestion_offer__keeps_the_nearest),
		cmocka_unit_test(suggestion_offer__does_not_guess_wildly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
