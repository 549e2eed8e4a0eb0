/* Function starts out of .eh_frame_hdr: found by search, refused when the table lies. */
#include "unit.h"

#include "symbol/function_starts.h"

/* A header at vaddr 0x2000 with functions at 0x1000, 0x1040 and 0x1100. */
static const uint8_t header[] = {
	1,    0x1b, 0x03, 0x3b, 0, 0, 0, 0, /* version, encodings, eh_frame_ptr */
	3,    0,    0,	  0,		    /* three entries: {start, FDE}, from 0x2000 */
	0x00, 0xf0, 0xff, 0xff, 0, 0, 0, 0, /* 0x1000 */
	0x40, 0xf0, 0xff, 0xff, 0, 0, 0, 0, /* 0x1040 */
	0x00, 0xf1, 0xff, 0xff, 0, 0, 0, 0, /* 0x1100 */
};

static struct elf_image image_with(size_t size_bytes)
{
	return (struct elf_image){
		.eh_frame_hdr = { .bytes = header, .size_bytes = size_bytes, .vaddr = 0x2000 },
	};
}

static void function_starts_find__gives_the_start_at_or_before(void **state)
{
	const struct elf_image image = image_with(sizeof(header));
	uint64_t start = 0;

	(void)state;
	assert_true(function_starts_find(&image, 0x1000, &start));
	assert_int_equal(start, 0x1000);
	assert_true(function_starts_find(&image, 0x10ff, &start));
	assert_int_equal(start, 0x1040);
	assert_true(function_starts_find(&image, UINT64_MAX, &start));
	assert_int_equal(start, 0x1100);
	assert_false(function_starts_find(&image, 0xfff, &start));
}

static void function_starts_find__stays_inside_a_cut_table(void **state)
{
	uint64_t start = 0;

	(void)state;
	for (size_t size = 0; size < sizeof(header); size++) {
		const struct elf_image image = image_with(size);
		const size_t n_whole = size < 12 ? 0 : (size - 12) / 8;

		assert_int_equal(function_starts_find(&image, 0x1200, &start), n_whole > 0);
		if (n_whole > 0)
			assert_int_equal(start, n_whole == 1 ? 0x1000 : 0x1040);
	}
}

/* FDEs at 0x3000 of the functions at 0x1000, with 16 bytes, and 0x1040, in another form. */
static void function_starts_find__knows_ends(void **state)
{
	static const uint8_t table[] = {
		1,    0x1b, 0x03, 0x3b, 0,    0,    0, 0, /* version, encodings, eh_frame_ptr */
		2,    0,    0,	  0,			  /* two entries: {start, FDE} */
		0x00, 0xf0, 0xff, 0xff, 0x00, 0x10, 0, 0, /* 0x1000, 0x3000 */
		0x40, 0xf0, 0xff, 0xff, 0x10, 0x10, 0, 0, /* 0x1040, 0x3010 */
	};
	static const uint8_t fdes[] = {
		12, 0, 0, 0, 0x14, 0, 0, 0, 0xf8, 0xdf, 0xff, 0xff, 16, 0, 0, 0,
		12, 0, 0, 0, 0x24, 0, 0, 0, 0x40, 0x10, 0x00, 0x00, 16, 0, 0, 0,
	};
	struct elf_segment segment = { .vaddr = 0x3000, .file_size = sizeof(fdes) };
	const struct elf_image image = {
		.file = { .bytes = fdes, .size_bytes = sizeof(fdes) },
		.segments = &segment,
		.n_segments = 1,
		.eh_frame_hdr = { .bytes = table, .size_bytes = sizeof(table), .vaddr = 0x2000 },
	};
	uint64_t start = 0;

	(void)state;
	assert_true(function_starts_find(&image, 0x1000, &start));
	assert_true(function_starts_find(&image, 0x100f, &start));
	assert_int_equal(start, 0x1000);
	assert_false(function_starts_find(&image, 0x1010, &start));
	assert_false(function_starts_find(&image, 0x103f, &start));
	assert_true(function_starts_find(&image, 0x2000, &start));
	assert_int_equal(start, 0x1040);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(function_starts_find__knows_ends),
		cmocka_unit_test(function_starts_find__gives_the_start_at_or_before),
		cmocka_unit_test(function_starts_find__stays_inside_a_cut_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
