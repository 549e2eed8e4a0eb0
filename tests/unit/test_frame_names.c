/* What a place is called that no symbol names. */
#include "unit.h"

#include "model/frame_names.h"

static void add_module(struct profile *profile, uint8_t kind, const char *path)
{
	struct module module = { .kind = kind };

	assert_int_equal(interner_add(&profile->strings, &module.path, path), 0);
	assert_int_equal(profile_add_module(profile, NULL, &module), 0);
}

static void frame_names__tell_module_and_address_or_the_reason(void **state)
{
	static const struct {
		uint32_t module;
		uint64_t vaddr;
		const char *name;
		uint8_t flags;
	} cases[] = {
		{ 1, 0x1234, "[libfoo.so+0x1234]", FRAME_UNRESOLVED },
		{ 2, UINT64_MAX, "[kernel+0xffffffffffffffff]", FRAME_UNRESOLVED | FRAME_KERNEL },
		{ 2, 0, "[kernel]", FRAME_KERNEL },
		{ 3, 0, "[unknown+0x0]", FRAME_UNRESOLVED },
		{ 0, STACK_TRUNCATED_DUMP, "[truncated: stack dump]", FRAME_PSEUDO },
		{ 0, UINT64_C(1) << 32 | STACK_NO_CFI, "[truncated: no unwind info in libfoo.so]",
		  FRAME_PSEUDO },
		{ 0, STACK_NOT_SAMPLED, "[not sampled: no tick fell into it]", FRAME_PSEUDO },
		{ 0, UINT64_C(99) << 32 | 99, "[truncated: unknown]", FRAME_PSEUDO },
	};
	struct profile profile;
	uint32_t id;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	add_module(&profile, MODULE_KIND_FILE, "/usr/lib/libfoo.so");
	add_module(&profile, MODULE_KIND_KERNEL, "[kernel]");
	add_module(&profile, MODULE_KIND_ANONYMOUS, "");
	for (size_t i = 0; i < N_ITEMS(cases); i++)
		assert_int_equal(location_table_add(&profile.locations, &id, cases[i].module,
						    cases[i].vaddr),
				 0);
	/* What they will be is known before, for files leave these names out. */
	for (size_t i = 0; i < N_ITEMS(cases); i++)
		assert_int_equal(frame_names_is_unresolved(&profile, (uint32_t)i),
				 (cases[i].flags & FRAME_UNRESOLVED) != 0);
	assert_int_equal(frame_names_complete(&profile), 0);
	assert_int_equal(profile.n_frames, N_ITEMS(cases));
	for (size_t i = 0; i < N_ITEMS(cases); i++) {
		const struct frame *frame = &profile.frames[i];

		assert_int_equal(frame_names_is_unresolved(&profile, (uint32_t)i),
				 (cases[i].flags & FRAME_UNRESOLVED) != 0);

		assert_string_equal(interner_get(&profile.strings, frame->function), cases[i].name);
		assert_int_equal(frame->flags, cases[i].flags);
	}
	profile_release(&profile);
}

static void frame_names__leave_named_places_alone(void **state)
{
	struct profile profile;
	struct frame frame = { .line = 3 };
	uint32_t id;

	(void)state;
	assert_int_equal(profile_init(&profile), 0);
	assert_int_equal(interner_add(&profile.strings, &frame.function, "main"), 0);
	assert_int_equal(location_table_add(&profile.locations, &id, 0, 1), 0);
	assert_int_equal(profile_set_frames(&profile, id, &frame, 1), 0);
	assert_int_equal(frame_names_complete(&profile), 0);
	assert_int_equal(profile.n_frames, 1);
	profile_release(&profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_names__tell_module_and_address_or_the_reason),
		cmocka_unit_test(frame_names__leave_named_places_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
