/*
 * The shortcuts through call frame information against the long ways, for all
 * functions of the modules of this process: rules straight from programs against
 * those of the rows, and the search by marks against the one without.
 */
#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "cfi_plain_fixture.h"
#include "process_fixture.h"
#include "unwind/cfi_spans.h"
#include "unwind/cfi_tables.h"

enum {
	N_BETWEEN = 14,
	PLAIN_PERCENT = 98,	/* of libc's rows, or the shortcut is not worth its name */
	SEARCHES_WITHOUT = 16,	/* fewer than marks are made after */
	SEARCHES_BEFORE = 40,	/* more than they are made after */
	TABLE_SIZES_TRIED = 70, /* more items than four marks stand for */
};

struct totals {
	uint64_t n_rows;
	uint64_t n_plain;
};

static void count_row(struct totals *totals, const struct cfi_fde *fde, uint64_t vaddr)
{
	totals->n_rows++;
	totals->n_plain += cfi_fixture_is_plain(fde, vaddr, ARCH_NATIVE);
}

/* The first and the last address, and some that depend on the address but not on the run. */
static void count_fde(struct totals *totals, const struct cfi_fde *fde)
{
	const uint64_t size = fde->end - fde->start;
	uint64_t seed = fde->start;

	assert_non_null(fde->initial);
	count_row(totals, fde, fde->start);
	count_row(totals, fde, fde->end - 1);
	for (int i = 0; i < N_BETWEEN; i++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		count_row(totals, fde, fde->start + (seed >> 33) % size);
	}
}

static struct totals count_image(const struct elf_image *image)
{
	struct totals totals = { 0 };
	enum cfi_entry_kind kind;
	struct cfi_tables tables;
	uint64_t offset = 0;
	struct cfi_fde fde;

	cfi_tables_init(&tables, image);
	while ((kind = cfi_entry_parse(&tables.eh_frame, offset, &fde, &offset)) != CFI_ENTRY_END) {
		struct cfi_fde found;

		if (kind != CFI_ENTRY_FDE)
			continue;
		assert_int_equal(cfi_tables_find(&tables, fde.end - 1, &found), 0);
		assert_int_equal(found.start, fde.start);
		count_fde(&totals, &found);
	}
	cfi_tables_release(&tables);
	print_message("%s: %llu rows, %llu plain\n", image->path, (unsigned long long)totals.n_rows,
		      (unsigned long long)totals.n_plain);
	return totals;
}

/* The same tables twice: one kept until it has marks, one made anew before it has. */
struct searches {
	const struct elf_image *image;
	size_t n_items; /* of the linker's table; 0: all */
	struct cfi_tables marked;
	struct cfi_tables unmarked;
	unsigned int n_unmarked;
	uint64_t n_found;
	uint64_t n_missing;
};

static void tables_open(struct cfi_tables *tables, const struct searches *searches)
{
	cfi_tables_init(tables, searches->image);
	if (searches->n_items)
		tables->n_header_items = searches->n_items;
}

static void searches_init(struct searches *searches, const struct elf_image *image, size_t n_items)
{
	struct cfi_fde fde;

	*searches = (struct searches){ .image = image, .n_items = n_items };
	tables_open(&searches->marked, searches);
	tables_open(&searches->unmarked, searches);
	for (int i = 0; i < SEARCHES_BEFORE; i++)
		(void)cfi_tables_find(&searches->marked, 0, &fde);
}

static void searches_release(struct searches *searches)
{
	cfi_tables_release(&searches->marked);
	cfi_tables_release(&searches->unmarked);
}

static void assert_same_found(struct searches *searches, uint64_t vaddr)
{
	struct cfi_fde wanted;
	struct cfi_fde found;
	int r;

	if (searches->n_unmarked++ == SEARCHES_WITHOUT) {
		cfi_tables_release(&searches->unmarked);
		tables_open(&searches->unmarked, searches);
		searches->n_unmarked = 1;
	}
	r = cfi_tables_find(&searches->unmarked, vaddr, &wanted);
	assert_null(searches->unmarked.marks.starts);
	assert_int_equal(cfi_tables_find(&searches->marked, vaddr, &found), r);
	searches->n_found += r == 0;
	searches->n_missing += r == -ENOENT;
	if (r == 0) {
		assert_int_equal(found.start, wanted.start);
		assert_int_equal(found.end, wanted.end);
		assert_ptr_equal(found.program, wanted.program);
	}
}

/* Where the functions of the linker's table begin, in its encoding that has marks. */
static uint64_t item_start(const struct cfi_tables *tables, size_t i)
{
	int32_t start;

	assert_int_equal(tables->header_encoding, CFI_POINTER_DATA_RELATIVE_S4);
	memcpy(&start, tables->header_items + i * 2 * sizeof(start), sizeof(start));
	return tables->header_vaddr + (uint64_t)(int64_t)start;
}

static void plain_rules__are_those_of_rows(void **state)
{
	struct process_fixture fixture;
	struct totals libc = { 0 };

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	for (size_t id = 1; id < fixture.images.n_images; id++) {
		const struct elf_image *image = fixture.opened[id];
		struct totals totals;

		if (!image || !strcmp(fixture.paths[id], "[vdso]") || !image->eh_frame.bytes)
			continue;
		totals = count_image(image);
		if (image == process_fixture_image(&fixture, "/libc.so.6"))
			libc = totals;
	}
	assert_true(libc.n_rows > 0);
	assert_true(libc.n_plain * 100 >= libc.n_rows * PLAIN_PERCENT);
	process_fixture_release(&fixture);
}

static void marks__find_what_is_found_without(void **state)
{
	struct process_fixture fixture;
	const struct elf_image *libc;
	struct searches searches;
	enum cfi_entry_kind kind;
	uint64_t offset = 0;
	struct cfi_fde fde;

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	libc = process_fixture_image(&fixture, "/libc.so.6");
	assert_non_null(libc);
	searches_init(&searches, libc, 0);
	assert_non_null(searches.marked.marks.starts);
	while ((kind = cfi_entry_parse(&searches.marked.eh_frame, offset, &fde, &offset)) !=
	       CFI_ENTRY_END) {
		if (kind != CFI_ENTRY_FDE)
			continue;
		/* Between two functions there are some bytes often, but not always. */
		assert_same_found(&searches, fde.start - 1);
		assert_same_found(&searches, fde.start);
		assert_same_found(&searches, fde.end - 1);
		assert_same_found(&searches, fde.end);
	}
	assert_same_found(&searches, 0);
	assert_same_found(&searches, UINT64_MAX);
	assert_true(searches.n_found > 0);
	assert_true(searches.n_missing > 2);
	searches_release(&searches);
	process_fixture_release(&fixture);
}

/* Tables that end before, at and behind a mark. */
static void marks__find_the_same_in_small_tables(void **state)
{
	struct process_fixture fixture;
	const struct elf_image *libc;

	(void)state;
	assert_int_equal(process_fixture_load(&fixture, getpid()), 0);
	libc = process_fixture_image(&fixture, "/libc.so.6");
	assert_non_null(libc);
	for (size_t n_items = 1; n_items <= TABLE_SIZES_TRIED; n_items++) {
		struct searches searches;

		searches_init(&searches, libc, n_items);
		assert_non_null(searches.marked.marks.starts);
		for (size_t i = 0; i <= n_items; i++) {
			const uint64_t start = item_start(&searches.marked, i);

			assert_same_found(&searches, start - 1);
			assert_same_found(&searches, start);
			assert_same_found(&searches, start + 1);
		}
		assert_true(searches.n_found >= n_items);
		searches_release(&searches);
	}
	process_fixture_release(&fixture);
}

/* What is put at an address is found where it holds, in its module and block. */
static void spans__are_found_where_they_hold(void **state)
{
	const struct cfi_span span = { .start = 0x1000,
				       .end = 0x1020,
				       .rule = { .kind = CFI_RULE_SP } };
	const struct cfi_span endless = { .start = 0x5000, .end = UINT64_MAX };
	struct cfi_spans spans = { 0 };

	(void)state;
	assert_null(cfi_spans_find(&spans, 1, 0x1010));
	cfi_spans_put(&spans, 1, 0x1010, &span);
	assert_non_null(cfi_spans_find(&spans, 1, 0x1000));
	assert_non_null(cfi_spans_find(&spans, 1, 0x101f));
	assert_int_equal(cfi_spans_find(&spans, 1, 0x1010)->kind, CFI_RULE_SP);
	assert_null(cfi_spans_find(&spans, 1, 0x0fff));
	assert_null(cfi_spans_find(&spans, 1, 0x1020));
	assert_null(cfi_spans_find(&spans, 2, 0x1010));
	assert_null(cfi_spans_find(&spans, 0, 0));
	cfi_spans_put(&spans, 1, 0x5010, &endless);
	assert_null(cfi_spans_find(&spans, 1, 0x5010));
	cfi_spans_release(&spans);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_rules__are_those_of_rows),
		cmocka_unit_test(spans__are_found_where_they_hold),
		cmocka_unit_test(marks__find_what_is_found_without),
		cmocka_unit_test(marks__find_the_same_in_small_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
