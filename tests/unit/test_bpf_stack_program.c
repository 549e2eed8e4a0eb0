/* The program itself is the kernel's to check; here is what it is made of. */
#include "unit.h"

#include <stdbool.h>

#include "os/bpf_stack_program.h"

static void programs__fit(void **state)
{
	struct bpf_code *code = calloc(1, sizeof(*code));

	(void)state;
	assert_non_null(code);
	for (uint32_t asked = 8; asked <= 65528; asked += 8) {
		bpf_stack_program_make(code, &(struct bpf_stack_options){ .whole_ns = 1,
									  .asked_bytes = asked,
									  .most_bytes = asked,
									  .with_top = true });
		assert_in_range(code->n_insns, 100, BPF_CODE_MAX_INSNS);
		assert_true(bpf_stack_program_top_at(asked) >= asked);
	}
	free(code);
}

/* Ticks that are not regular: the one before is neither noted nor asked for. */
static void programs__without_whole_samples_do_not_look_at_the_tick_before(void **state)
{
	enum { WHOLE_NS = 0x1234567 };
	static const uint32_t whole_ns[] = { 0, WHOLE_NS };
	struct bpf_stack_options options = { .asked_bytes = 4096, .most_bytes = 4096 };
	struct bpf_code *code = calloc(1, sizeof(*code));

	(void)state;
	assert_non_null(code);
	for (size_t i = 0; i < N_ITEMS(whole_ns); i++) {
		bool is_asked = false;

		options.whole_ns = whole_ns[i];
		bpf_stack_program_make(code, &options);
		for (size_t at = 0; at < code->n_insns; at++)
			is_asked |= code->insns[at] >> 32 == WHOLE_NS;
		assert_int_equal(is_asked, whole_ns[i] > 0);
	}
	free(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs__fit),
		cmocka_unit_test(programs__without_whole_samples_do_not_look_at_the_tick_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
