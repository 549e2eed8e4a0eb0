/* The rules file, line by line: indentation says what belongs to what. */
#include "tree/components.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buffer.h"
#include "base/escape.h"

enum { TAB_COLUMNS = 8, QUOTED_COLUMNS = 60 };

struct parser {
	struct components *components;
	const char *name; /* of the file */
	uint32_t line;
	uint32_t open; /* the innermost component that the line may belong to */
	struct error *err;
};

/* One line without its indentation, comment and trailing blanks. */
struct rule_line {
	const char *text;
	size_t size;
	uint32_t indent;
};

__attribute__((format(printf, 3, 4))) static int
parser_fail(const struct parser *parser, uint32_t line, const char *format, ...);

static int parser_fail(const struct parser *parser, uint32_t line, const char *format, ...)
{
	char message[400];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	return error_set(parser->err, -EINVAL, "%s:%u: %s", parser->name, line, message);
}

/* The line's text made fit for a message; the caller releases `out`. */
static const char *quoted(struct buffer *out, const char *text, size_t size)
{
	struct buffer copy = BUFFER_INIT;

	buffer_add(&copy, text, size);
	escape_terminal_fit(out, buffer_string(&copy), QUOTED_COLUMNS);
	buffer_release(&copy);
	return buffer_string(out);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct rule_line rule_line_of(const char *text, size_t size)
{
	struct rule_line line = { .text = text, .size = size };

	while (line.size && is_blank(line.text[0])) {
		line.indent += line.text[0] == '\t' ? TAB_COLUMNS - line.indent % TAB_COLUMNS : 1;
		line.text++;
		line.size--;
	}
	while (line.size && is_blank(line.text[line.size - 1]))
		line.size--;
	if (line.size && line.text[0] == '#')
		line.size = 0;
	return line;
}

/* Does the line start with "func:" and the like?  Sets where its pattern starts. */
static bool is_keyword_line(const struct rule_line *line, enum rule_kind *ret_kind,
			    size_t *ret_start)
{
	static const struct {
		const char *word;
		enum rule_kind kind;
	} keywords[] = {
		{ "func:", RULE_FUNCTION },
		{ "module:", RULE_MODULE },
		{ "path:", RULE_PATH },
		{ "scope:", RULE_SCOPE },
	};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		const size_t size = strlen(keywords[i].word);

		if (line->size < size || memcmp(line->text, keywords[i].word, size) != 0)
			continue;
		*ret_kind = keywords[i].kind;
		while (size + *ret_start < line->size && is_blank(line->text[size + *ret_start]))
			(*ret_start)++;
		*ret_start += size;
		return true;
	}
	return false;
}

/*
 * "modul: x" is a slip of the pen, not a function: names hold "::" but no word
 * that ends in one colon and a blank.
 */
static bool is_unknown_keyword(const struct rule_line *line)
{
	size_t size = 0;

	while (size < line->size && line->text[size] != ':' && !is_blank(line->text[size]))
		size++;
	return size > 0 && size + 1 < line->size && line->text[size] == ':' &&
	       is_blank(line->text[size + 1]);
}

/* Components that the line is not indented below are over. */
static void parser_leave(struct parser *parser, uint32_t indent)
{
	const struct component *items = parser->components->items;

	while (parser->open != COMPONENT_NONE && items[parser->open].indent >= indent)
		parser->open = items[parser->open].parent;
}

static uint32_t depth_of(const struct components *components, uint32_t at)
{
	uint32_t depth = 0;

	for (; at != COMPONENT_NONE; at = components->items[at].parent)
		depth++;
	return depth;
}

static int parser_check_name(const struct parser *parser, uint32_t name)
{
	const struct components *components = parser->components;
	const char *const text = interner_get(&components->strings, name);

	if (strcmp(text, "TOTAL") == 0 || strcmp(text, "UNEXPLAINED") == 0)
		return parser_fail(parser, parser->line,
				   "'%s' is a row of every breakdown: expected another name", text);
	for (size_t i = 0; i < components->n_items; i++)
		if (components->items[i].parent == parser->open &&
		    components->items[i].name == name)
			return parser_fail(parser, parser->line,
					   "the component is there already in line %u: expected "
					   "another name, or its patterns there",
					   components->items[i].line);
	return 0;
}

static int parser_add_component(struct parser *parser, const struct rule_line *line)
{
	struct components *components = parser->components;
	struct component *grown;
	size_t size = line->size - 1;
	uint32_t name;
	int r;

	while (size && is_blank(line->text[size - 1]))
		size--;
	if (size == 0)
		return parser_fail(parser, parser->line, "expected a component's name before ':'");
	if (parser->open == COMPONENT_NONE && line->indent > 0)
		return parser_fail(parser, parser->line,
				   "expected the first component at the start of its line");
	if (depth_of(components, parser->open) >= COMPONENTS_MAX_DEPTH)
		return parser_fail(parser, parser->line,
				   "expected at most %d components inside each other",
				   COMPONENTS_MAX_DEPTH);
	if (components->n_items >= COMPONENTS_MAX)
		return parser_fail(parser, parser->line, "expected at most %d components",
				   COMPONENTS_MAX);
	if (interner_add_sized(&components->strings, &name, line->text, size) < 0)
		return error_set_no_memory(parser->err);
	r = parser_check_name(parser, name);
	if (r < 0)
		return r;
	grown = array_grown(components->items, &components->capacity, components->n_items + 1,
			    sizeof(*grown));
	if (!grown)
		return error_set_no_memory(parser->err);
	components->items = grown;
	grown[components->n_items] = (struct component){
		.name = name, .parent = parser->open, .line = parser->line, .indent = line->indent
	};
	if (parser->open != COMPONENT_NONE)
		grown[parser->open].n_inside++;
	parser->open = (uint32_t)components->n_items++;
	return 0;
}

static int parser_add_rule(struct parser *parser, const struct rule_line *line, enum rule_kind kind,
			   size_t start)
{
	struct components *components = parser->components;
	struct component_rule rule = { .kind = (uint8_t)kind,
				       .component = parser->open,
				       .line = parser->line };
	struct buffer text = BUFFER_INIT;
	struct component_rule *grown;
	int r = 0;

	if (start == line->size)
		r = parser_fail(parser, parser->line, "expected a pattern after '%s'",
				quoted(&text, line->text, line->size));
	else if (parser->open == COMPONENT_NONE)
		r = parser_fail(parser, parser->line,
				"expected a component's name ending in ':', found '%s'",
				quoted(&text, line->text, line->size));
	buffer_release(&text);
	if (r < 0)
		return r;
	grown = array_grown(components->rules, &components->rules_capacity, components->n_rules + 1,
			    sizeof(*grown));
	if (!grown)
		return error_set_no_memory(parser->err);
	components->rules = grown;
	if (interner_add_sized(&components->strings, &rule.pattern, line->text + start,
			       line->size - start) < 0)
		return error_set_no_memory(parser->err);
	components->items[parser->open].n_inside++;
	components->has_scopes |= kind == RULE_SCOPE;
	grown[components->n_rules++] = rule;
	return 0;
}

static int parser_add_line(struct parser *parser, const char *text, size_t size)
{
	const struct rule_line line = rule_line_of(text, size);
	enum rule_kind kind = RULE_FUNCTION;
	size_t start = 0;

	if (line.size == 0)
		return 0;
	if (memchr(text, '\0', size))
		return parser_fail(parser, parser->line, "expected text, found a zero byte");
	parser_leave(parser, line.indent);
	if (!is_keyword_line(&line, &kind, &start)) {
		if (line.text[line.size - 1] == ':')
			return parser_add_component(parser, &line);
		if (is_unknown_keyword(&line))
			return parser_fail(parser, parser->line,
					   "expected func:, module:, path: or scope: before a "
					   "pattern, found another word with a colon");
	}
	return parser_add_rule(parser, &line, kind, start);
}

static int parser_check_whole(const struct parser *parser)
{
	const struct components *components = parser->components;

	if (components->n_items == 0)
		return parser_fail(parser, 1,
				   "expected a component's name ending in ':', found none");
	for (size_t i = 0; i < components->n_items; i++) {
		const struct component *item = &components->items[i];
		const char *const name = interner_get(&components->strings, item->name);
		struct buffer text = BUFFER_INIT;

		if (item->n_inside > 0)
			continue;
		(void)parser_fail(parser, item->line,
				  "expected a pattern or a part indented below '%s'",
				  quoted(&text, name, strlen(name)));
		buffer_release(&text);
		return -EINVAL;
	}
	return 0;
}

/*
 * A component's place among those that are asked: behind its parts, which is
 * where its last descendant is, and before whatever follows in the file.
 */
static void number_last_parts(const struct components *components, uint32_t *last_parts)
{
	for (size_t i = components->n_items; i-- > 0;) {
		const uint32_t parent = components->items[i].parent;

		if (last_parts[i] < i)
			last_parts[i] = (uint32_t)i;
		if (parent != COMPONENT_NONE && last_parts[parent] < last_parts[i])
			last_parts[parent] = last_parts[i];
	}
}

struct ordered_rule {
	struct component_rule rule;
	uint32_t last_part;
};

static int compare_ordered_rules(const void *a, const void *b)
{
	const struct ordered_rule *x = a;
	const struct ordered_rule *y = b;

	if (x->last_part != y->last_part)
		return x->last_part < y->last_part ? -1 : 1;
	/* A chain of last parts: the deeper one, defined later, is asked first. */
	if (x->rule.component != y->rule.component)
		return x->rule.component > y->rule.component ? -1 : 1;
	return x->rule.line < y->rule.line ? -1 : x->rule.line > y->rule.line;
}

static int order_rules(struct components *components)
{
	uint32_t *last_parts = calloc(components->n_items + 1, sizeof(*last_parts));
	struct ordered_rule *ordered = calloc(components->n_rules + 1, sizeof(*ordered));
	const int r = last_parts && ordered ? 0 : -ENOMEM;

	if (r == 0) {
		number_last_parts(components, last_parts);
		for (size_t i = 0; i < components->n_rules; i++)
			ordered[i] = (struct ordered_rule){
				.rule = components->rules[i],
				.last_part = last_parts[components->rules[i].component],
			};
		qsort(ordered, components->n_rules, sizeof(*ordered), compare_ordered_rules);
		for (size_t i = 0; i < components->n_rules; i++)
			components->rules[i] = ordered[i].rule;
	}
	free(last_parts);
	free(ordered);
	return r;
}

static int parser_read_lines(struct parser *parser, const char *text, size_t size_bytes)
{
	const char *const end = text + size_bytes;

	while (text < end) {
		const char *const newline = memchr(text, '\n', (size_t)(end - text));
		const char *const line_end = newline ? newline : end;
		int r;

		parser->line++;
		r = parser_add_line(parser, text, (size_t)(line_end - text));
		if (r < 0)
			return r;
		text = newline ? newline + 1 : end;
	}
	return parser_check_whole(parser);
}

int components_parse(struct components *components, const char *text, size_t size_bytes,
		     const char *name, struct error *err)
{
	struct parser parser = {
		.components = components, .name = name, .open = COMPONENT_NONE, .err = err
	};
	int r;

	*components = (struct components){ 0 };
	if (size_bytes > COMPONENTS_MAX_BYTES)
		return error_set(err, -EFBIG,
				 "%s: expected a rules file of at most %d bytes, found %zu", name,
				 COMPONENTS_MAX_BYTES, size_bytes);
	if (interner_init(&components->strings) < 0)
		return error_set_no_memory(err);
	r = parser_read_lines(&parser, text, size_bytes);
	if (r == 0 && order_rules(components) < 0)
		r = error_set_no_memory(err);
	if (r < 0)
		components_release(components);
	return r;
}
