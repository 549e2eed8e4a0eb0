/* Names that files leave out, for readers to make. */
#include "unit.h"

#include "model/frame_names.h"
#include "profile/profile_reader.h"
#include "profile_bytes.h"

static const char *name_of(const struct profile *profile, size_t location)
{
	const struct location *place = &profile->locations.locations[location];

	assert_int_equal(place->n_frames, 1);
	return interner_get(&profile->strings, profile->frames[place->first_frame].function);
}

/* From the `n_named`th on. */
static void write_and_read(size_t n_named)
{
	const struct profile_shape shape = { .seed = 7,
					     .n_modules = 5,
					     .n_threads = 2,
					     .n_locations = 60,
					     .n_samples = 90,
					     .depth = 9 };
	struct buffer with = BUFFER_INIT;
	struct buffer without = BUFFER_INIT;
	struct profile written, read;

	profile_bytes_make(&written, &shape);
	profile_bytes_write(&with, &written, 1);
	for (size_t i = n_named; i < written.locations.n_locations; i++)
		written.locations.locations[i].n_frames = 0;
	profile_bytes_write(&without, &written, 1);
	assert_true(without.size < with.size);
	assert_int_equal(profile_read_bytes(&read, (const uint8_t *)without.data, without.size, "p",
					    NULL),
			 0);
	assert_false(read.info.is_cut);
	assert_int_equal(frame_names_complete(&written), 0);
	assert_int_equal(read.locations.n_locations, written.locations.n_locations);
	for (size_t i = 0; i < n_named; i++)
		assert_int_equal(read.locations.locations[i].n_frames,
				 written.locations.locations[i].n_frames);
	for (size_t i = n_named; i < written.locations.n_locations; i++)
		assert_string_equal(name_of(&read, i), name_of(&written, i));
	profile_release(&written);
	profile_release(&read);
	buffer_release(&with);
	buffer_release(&without);
}

static void profile_file__leaves_names_of_addresses_to_readers(void **state)
{
	(void)state;
	write_and_read(0);
	write_and_read(1);
	write_and_read(30);
	write_and_read(59);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(profile_file__leaves_names_of_addresses_to_readers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
