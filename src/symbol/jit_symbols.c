/*
 * Symbols are kept as they come and looked up once, at the end, by a sweep over
 * the sorted starts.  While they come only one thing has to be known at once:
 * whether one takes the place of another, which a list of symbols for each page
 * answers.
 */
#include "symbol/jit_symbols.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

enum {
	PAGE_SHIFT = 12,
	/* Of one symbol, and looked at for one page: past these a replacement goes unnoticed. */
	SYMBOL_MAX_PAGES = 256,
	PAGE_MAX_LOOKS = 512,
};

#define REPLACED_STEP_NS UINT64_C(1000000)
#define LINK_NONE UINT32_MAX

struct jit_page {
	uint64_t number;
	uint32_t last_link;
};

struct jit_page_link {
	uint32_t symbol;
	uint32_t previous;
};

int jit_symbols_init(struct jit_symbols *symbols)
{
	*symbols = (struct jit_symbols){ 0 };
	return interner_init(&symbols->strings);
}

void jit_symbols_release(struct jit_symbols *symbols)
{
	interner_release(&symbols->strings);
	free(symbols->symbols);
	free(symbols->lines);
	free(symbols->replaced_ns);
	free(symbols->pages.pages);
	free(symbols->pages.links);
	hash_index_release(&symbols->pages.index);
	*symbols = (struct jit_symbols){ 0 };
}

static int intern(struct jit_symbols *symbols, uint32_t *ret_id, const char *text, size_t size)
{
	if (size > JIT_NAME_MAX_BYTES)
		size = JIT_NAME_MAX_BYTES;
	symbols->text_bytes += size;
	return interner_add_sized(&symbols->strings, ret_id, text, size);
}

static struct jit_page *page_find(const struct jit_pages *pages, uint64_t number)
{
	struct hash_cursor cursor = hash_index_cursor(&pages->index, hash_u64(number));
	uint32_t at;

	while ((at = hash_index_next(&pages->index, &cursor)) != HASH_INDEX_NONE)
		if (pages->pages[at].number == number)
			return &pages->pages[at];
	return NULL;
}

static int page_get(struct jit_pages *pages, uint64_t number, struct jit_page **ret_page)
{
	struct jit_page *grown;

	*ret_page = page_find(pages, number);
	if (*ret_page)
		return 0;
	grown = array_grown(pages->pages, &pages->pages_capacity, pages->n_pages + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	pages->pages = grown;
	if (hash_index_add(&pages->index, hash_u64(number), (uint32_t)pages->n_pages) < 0)
		return -ENOMEM;
	grown[pages->n_pages] = (struct jit_page){ .number = number, .last_link = LINK_NONE };
	*ret_page = &grown[pages->n_pages++];
	return 0;
}

/* Is one of the page's symbols in the way of `symbol`, under another name? */
static bool page_has_other(const struct jit_symbols *symbols, const struct jit_page *page,
			   const struct jit_symbol *symbol)
{
	uint32_t link = page->last_link;

	for (int n = 0; link != LINK_NONE && n < PAGE_MAX_LOOKS; n++) {
		const struct jit_page_link *at = &symbols->pages.links[link];
		const struct jit_symbol *old = &symbols->symbols[at->symbol];

		if (old->start < symbol->end && symbol->start < old->end &&
		    (old->name != symbol->name || old->start != symbol->start))
			return true;
		link = at->previous;
	}
	return false;
}

/* Enter the last symbol into its pages. */
static int note_pages(struct jit_symbols *symbols, bool *ret_is_replacing)
{
	const uint32_t id = (uint32_t)symbols->n_symbols - 1;
	const struct jit_symbol symbol = symbols->symbols[id];
	const uint64_t first = symbol.start >> PAGE_SHIFT;
	uint64_t n_pages = ((symbol.end - 1) >> PAGE_SHIFT) - first + 1;
	struct jit_pages *pages = &symbols->pages;

	*ret_is_replacing = false;
	if (n_pages > SYMBOL_MAX_PAGES)
		n_pages = SYMBOL_MAX_PAGES;
	for (uint64_t i = 0; i < n_pages; i++) {
		struct jit_page *page;
		struct jit_page_link *grown;
		int r = page_get(pages, first + i, &page);

		if (r < 0)
			return r;
		if (!*ret_is_replacing)
			*ret_is_replacing = page_has_other(symbols, page, &symbol);
		grown = array_grown(pages->links, &pages->links_capacity, pages->n_links + 1,
				    sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		pages->links = grown;
		grown[pages->n_links] = (struct jit_page_link){ id, page->last_link };
		page->last_link = (uint32_t)pages->n_links++;
	}
	return 0;
}

static int note_replaced(struct jit_symbols *symbols, uint64_t time_ns)
{
	const size_t n = symbols->n_replaced;
	uint64_t *grown;

	if (n >= JIT_REPLACED_MAX ||
	    (n && time_ns < symbols->replaced_ns[n - 1] + REPLACED_STEP_NS))
		return 0;
	grown = array_grown(symbols->replaced_ns, &symbols->replaced_capacity, n + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	symbols->replaced_ns = grown;
	grown[symbols->n_replaced++] = time_ns;
	return 0;
}

static bool has_room(struct jit_symbols *symbols)
{
	symbols->is_full |= symbols->n_symbols >= JIT_SYMBOLS_MAX ||
			    symbols->n_lines >= JIT_LINES_MAX ||
			    symbols->text_bytes >= JIT_TEXT_MAX_BYTES;
	return !symbols->is_full;
}

int jit_symbols_add(struct jit_symbols *symbols, const struct jit_function *function)
{
	struct jit_symbol symbol = {
		.start = function->start,
		.end = function->start + function->size_bytes,
		.time_ns = function->time_ns,
		.first_line = function->first_line,
		.n_lines = function->n_lines,
	};
	struct jit_symbol *grown;
	bool is_replacing;
	int r;

	if (symbol.end <= symbol.start || !function->name_bytes || !has_room(symbols))
		return 0;
	r = intern(symbols, &symbol.name, function->name, function->name_bytes);
	if (r < 0)
		return r;
	grown = array_grown(symbols->symbols, &symbols->symbols_capacity, symbols->n_symbols + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	symbols->symbols = grown;
	grown[symbols->n_symbols++] = symbol;
	if (!function->is_tracked)
		return 0;
	r = note_pages(symbols, &is_replacing);
	return r == 0 && is_replacing && symbol.time_ns ? note_replaced(symbols, symbol.time_ns)
							: r;
}

int jit_symbols_add_line(struct jit_symbols *symbols, uint64_t offset, const char *file,
			 size_t file_bytes, uint32_t line)
{
	struct jit_line added = { .offset = offset, .line = line };
	struct jit_line *grown;
	int r;

	if (!has_room(symbols))
		return 0;
	r = intern(symbols, &added.file, file, file_bytes);
	if (r < 0)
		return r;
	grown = array_grown(symbols->lines, &symbols->lines_capacity, symbols->n_lines + 1,
			    sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	symbols->lines = grown;
	grown[symbols->n_lines++] = added;
	return 0;
}

const struct jit_symbol *jit_symbols_at(const struct jit_symbols *symbols, uint64_t start)
{
	const struct jit_page *page = page_find(&symbols->pages, start >> PAGE_SHIFT);
	uint32_t link = page ? page->last_link : LINK_NONE;

	for (int n = 0; link != LINK_NONE && n < PAGE_MAX_LOOKS; n++) {
		const struct jit_page_link *at = &symbols->pages.links[link];

		if (symbols->symbols[at->symbol].start == start)
			return &symbols->symbols[at->symbol];
		link = at->previous;
	}
	return NULL;
}

/* A symbol on its way through the sweep; the higher rank wins. */
struct contender {
	const struct jit_symbol *symbol;
	uint64_t time_ns; /* behind until_ns: inverted, so that the oldest wins */
	bool is_in_time;
};

static bool contender_loses(const struct contender *a, const struct contender *b)
{
	if (a->is_in_time != b->is_in_time)
		return b->is_in_time;
	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns;
	return a->symbol < b->symbol;
}

static void heap_push(struct contender *heap, size_t *n, struct contender added)
{
	size_t at = (*n)++;

	while (at > 0 && contender_loses(&heap[(at - 1) / 2], &added)) {
		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	heap[at] = added;
}

static void heap_pop(struct contender *heap, size_t *n)
{
	const struct contender last = heap[--*n];
	size_t at = 0;

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= *n)
			break;
		if (child + 1 < *n && contender_loses(&heap[child], &heap[child + 1]))
			child++;
		if (!contender_loses(&last, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = last;
}

static int compare_starts(const void *a, const void *b)
{
	const struct jit_symbol *const *left = a;
	const struct jit_symbol *const *right = b;

	if ((*left)->start != (*right)->start)
		return (*left)->start < (*right)->start ? -1 : 1;
	return (*left > *right) - (*left < *right);
}

int jit_symbols_resolve(const struct jit_symbols *symbols, const uint64_t *ips, size_t n_ips,
			uint64_t until_ns, const struct jit_symbol **ret_symbols)
{
	const size_t n = symbols->n_symbols;
	const struct jit_symbol **sorted = malloc((n + 1) * sizeof(*sorted));
	struct contender *heap = malloc((n + 1) * sizeof(*heap));
	size_t n_heap = 0;
	size_t next = 0;
	int r = -ENOMEM;

	if (!sorted || !heap)
		goto out;
	for (size_t i = 0; i < n; i++)
		sorted[i] = &symbols->symbols[i];
	qsort(sorted, n, sizeof(*sorted), compare_starts);
	for (size_t i = 0; i < n_ips; i++) {
		for (; next < n && sorted[next]->start <= ips[i]; next++) {
			const uint64_t time_ns = sorted[next]->time_ns;
			const bool is_in_time = time_ns <= until_ns;

			heap_push(heap, &n_heap,
				  (struct contender){ .symbol = sorted[next],
						      .time_ns = is_in_time ? time_ns : ~time_ns,
						      .is_in_time = is_in_time });
		}
		while (n_heap && heap[0].symbol->end <= ips[i])
			heap_pop(heap, &n_heap);
		ret_symbols[i] = n_heap ? heap[0].symbol : NULL;
	}
	r = 0;
out:
	free(sorted);
	free(heap);
	return r;
}

const struct jit_line *jit_symbols_line(const struct jit_symbols *symbols,
					const struct jit_symbol *symbol, uint64_t ip)
{
	const struct jit_line *found = NULL;

	for (uint32_t i = 0; i < symbol->n_lines; i++) {
		const struct jit_line *line = &symbols->lines[symbol->first_line + i];

		if (line->offset <= ip - symbol->start && (!found || found->offset <= line->offset))
			found = line;
	}
	return found;
}
