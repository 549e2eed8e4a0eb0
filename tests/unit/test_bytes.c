/* The bounded cursor: what it reads and how it refuses. */
#include "unit.h"

#include "base/bytes.h"
#include "base/crc32.h"

static void bytes_u32__past_the_end_is_zero_and_bad(void **state)
{
	const uint8_t data[] = { 1, 2, 3 };
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_int_equal(bytes_u32(&b), 0);
	assert_true(b.is_bad);
	assert_int_equal(bytes_u8(&b), 0);
}

static void bytes_uleb__reads_the_example_of_the_standard(void **state)
{
	const uint8_t data[] = { 0xe5, 0x8e, 0x26 };
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_int_equal(bytes_uleb(&b), 624485);
	assert_false(b.is_bad);
}

static void bytes_uleb__refuses_more_than_64_bits(void **state)
{
	const uint8_t data[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02 };
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	(void)bytes_uleb(&b);
	assert_true(b.is_bad);
}

static void bytes_sleb__reads_negative_numbers(void **state)
{
	const uint8_t data[] = { 0xc0, 0xbb, 0x78, 0x7f };
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_int_equal(bytes_sleb(&b), -123456);
	assert_int_equal(bytes_sleb(&b), -1);
	assert_false(b.is_bad);
}

static void bytes_string__needs_its_nul(void **state)
{
	const uint8_t data[] = { 'a', 'b', 0, 'c' };
	struct bytes b = bytes_of(data, sizeof(data));

	(void)state;
	assert_string_equal(bytes_string(&b), "ab");
	assert_null(bytes_string(&b));
	assert_true(b.is_bad);
}

/* The check value of the catalogue of parametrised CRC algorithms for CRC-32/ISO-HDLC. */
static void crc32__is_the_one_of_zlib(void **state)
{
	static const char digits[] = "123456789";

	(void)state;
	assert_int_equal(crc32_of(0, digits, 9), UINT32_C(0xcbf43926));
	for (size_t n = 0; n <= 9; n++)
		assert_int_equal(crc32_of(crc32_of(0, digits, n), digits + n, 9 - n),
				 UINT32_C(0xcbf43926));
	assert_int_equal(crc32_of(0, NULL, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_u32__past_the_end_is_zero_and_bad),
		cmocka_unit_test(bytes_uleb__reads_the_example_of_the_standard),
		cmocka_unit_test(bytes_uleb__refuses_more_than_64_bits),
		cmocka_unit_test(bytes_sleb__reads_negative_numbers),
		cmocka_unit_test(bytes_string__needs_its_nul),
		cmocka_unit_test(crc32__is_the_one_of_zlib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
