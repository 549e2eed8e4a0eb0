/* One pass over /proc/kallsyms: "ffffffff81000000 T name\t[module]". */
#include "symbol/kernel_symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* kallsyms has no sizes: no function is longer than this. */
#define KERNEL_FUNCTION_MAX_BYTES (UINT64_C(1) << 20)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* False for lines that are no function with an address. */
static bool parse_line(struct kernel_symbol *ret_symbol, const char *line, const char *end)
{
	const char *at = line;
	const char *name;
	uint64_t address = 0;

	while (at < end && at - line < 16 && hex_digit(*at) >= 0)
		address = address << 4 | (uint64_t)hex_digit(*at++);
	if (address == 0 || end - at < 4 || at[0] != ' ' || at[2] != ' ' || !strchr("tTwW", at[1]))
		return false;
	name = at + 3;
	for (at = name; at < end && *at != '\t' && *at != ' ' && *at != '\0'; at++)
		;
	/* Mapping symbols of aarch64 ($x, $d) are no functions. */
	if (at == name || *name == '$')
		return false;
	*ret_symbol = (struct kernel_symbol){ address, name, (size_t)(at - name) };
	return true;
}

static int compare_address(const void *a, const void *b)
{
	const struct kernel_symbol *left = a;
	const struct kernel_symbol *right = b;

	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	/* Aliases: kallsyms order, which the names' places in the text are. */
	return (left->name > right->name) - (left->name < right->name);
}

int kernel_symbols_load(struct kernel_symbols *symbols, const char *path)
{
	const char *line;
	const char *end;

	*symbols = (struct kernel_symbols){ 0 };
	if (mapped_file_open(&symbols->text, path, NULL) < 0)
		return 0;
	line = (const char *)symbols->text.bytes;
	end = line + (symbols->text.size_bytes < KERNEL_SYMBOLS_MAX_BYTES
			      ? symbols->text.size_bytes
			      : KERNEL_SYMBOLS_MAX_BYTES);
	while (line < end && symbols->n_symbols < KERNEL_SYMBOLS_MAX) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *line_end = newline ? newline : end;
		struct kernel_symbol symbol;
		void *grown;

		if (parse_line(&symbol, line, line_end)) {
			grown = array_grown(symbols->symbols, &symbols->capacity,
					    symbols->n_symbols + 1, sizeof(symbol));
			if (!grown) {
				kernel_symbols_release(symbols);
				return -ENOMEM;
			}
			symbols->symbols = grown;
			symbols->symbols[symbols->n_symbols++] = symbol;
		}
		line = line_end + 1;
	}
	if (symbols->n_symbols > 0)
		qsort(symbols->symbols, symbols->n_symbols, sizeof(*symbols->symbols),
		      compare_address);
	return 0;
}

void kernel_symbols_release(struct kernel_symbols *symbols)
{
	free(symbols->symbols);
	mapped_file_release(&symbols->text);
	*symbols = (struct kernel_symbols){ 0 };
}

const struct kernel_symbol *kernel_symbols_find(const struct kernel_symbols *symbols,
						uint64_t address)
{
	size_t low = 0;
	size_t high = symbols->n_symbols;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (symbols->symbols[middle].address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || address - symbols->symbols[low - 1].address >= KERNEL_FUNCTION_MAX_BYTES)
		return NULL;
	/* The first of its aliases. */
	for (low--; low > 0 && symbols->symbols[low - 1].address == symbols->symbols[low].address;)
		low--;
	return &symbols->symbols[low];
}
