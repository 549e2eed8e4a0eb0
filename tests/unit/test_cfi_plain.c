/*
 * Rules read straight from programs against those of the rows, for instructions
 * written by hand, at each address of their function, on both architectures.
 */
#include "unit.h"

#include <stdbool.h>

#include "cfi_plain_fixture.h"
#include "cfi_section_fixture.h"
#include "unwind/cfi_opcode.h"
#include "unwind/cfi_plain.h"
#include "unwind/cfi_rows.h"

enum {
	FUNCTION_START = 0x1000,
	PROGRAM_MAX = 24, /* bytes; what is not said are nops */
	WHOLE = 64,	  /* addresses of a function, in units of its code alignment */
};

#define ADVANCE(units) (CFA_ADVANCE_LOC | (units))

/* A register's number and 2^32: another register, whatever its low bits say. */
#define FAR(number) (0x80 | (number)), 0x80, 0x80, 0x80, 0x10

struct machine {
	enum arch arch;
	uint8_t sp;
	uint8_t fp;
	uint8_t link;
	const char *initial; /* program of its CIEs */
	size_t n_initial;
};

struct program {
	const char *name;
	uint8_t bytes[PROGRAM_MAX];
	uint64_t n_plain; /* so many units from the function's start, and none behind them */
};

/* The section ends where the program does, so that sanitizers see who reads on. */
struct function {
	const struct machine *machine;
	uint8_t *bytes;
	struct cfi_section section;
	struct cfi_row initial;
	struct cfi_fde fde;
};

static void function_init(struct function *f, const struct machine *machine,
			  const struct cfi_description *d)
{
	struct buffer bytes = BUFFER_INIT;
	const size_t at = cfi_description_write(&bytes, d);
	size_t initial;
	size_t program;
	uint64_t next;

	f->machine = machine;
	f->section = cfi_fixture_section(&bytes, false);
	assert_int_equal(cfi_entry_parse(&f->section, at, &f->fde, &next), CFI_ENTRY_FDE);
	assert_int_equal(cfi_row_initial(&f->fde, machine->arch, &f->initial), 0);
	initial = (size_t)(f->fde.initial_program - f->section.bytes);
	program = (size_t)(f->fde.program - f->section.bytes);
	f->section.size_bytes = program + d->n_program;
	f->bytes = malloc(f->section.size_bytes);
	memcpy(f->bytes, bytes.data, f->section.size_bytes);
	f->section.bytes = f->bytes;
	f->fde.initial_program = f->bytes + initial;
	f->fde.program = f->bytes + program;
	f->fde.program_size = d->n_program;
	f->fde.initial = &f->initial;
	buffer_release(&bytes);
}

static void function_release(struct function *f)
{
	free(f->bytes);
}

static struct cfi_description description_of(const struct machine *machine, const uint8_t *program,
					     size_t n_program)
{
	return (struct cfi_description){
		.initial = machine->initial,
		.n_initial = machine->n_initial,
		.program = (const char *)program,
		.n_program = n_program,
		.start = FUNCTION_START,
		.size = WHOLE,
		.return_register = machine->link,
		.is_aarch64 = machine->arch == ARCH_AARCH64,
	};
}

/* Addresses that are plain, which are the first: what is not plain is not got over. */
static uint64_t n_plain(const struct function *f)
{
	uint64_t n = 0;

	for (uint64_t vaddr = f->fde.start; vaddr < f->fde.end; vaddr++) {
		if (!cfi_fixture_is_plain(&f->fde, vaddr, f->machine->arch))
			continue;
		assert_int_equal(n, vaddr - f->fde.start);
		n++;
	}
	return n;
}

static uint64_t n_general(const struct function *f)
{
	struct cfi_rule rule;
	uint64_t n = 0;

	for (uint64_t vaddr = f->fde.start; vaddr < f->fde.end; vaddr++)
		n += cfi_fixture_general_rule(&f->fde, vaddr, f->machine->arch, &rule);
	return n;
}

/* How many, by a CIE with these alignments. */
static uint64_t n_plain_of(const struct machine *machine, const struct program *program,
			   uint64_t code_alignment, int64_t data_alignment)
{
	struct cfi_description d = description_of(machine, program->bytes, PROGRAM_MAX);
	struct function f;
	uint64_t n;

	d.size = WHOLE * code_alignment;
	function_init(&f, machine, &d);
	f.fde.code_alignment = code_alignment;
	f.fde.data_alignment = data_alignment;
	/* What is kept of the CIE was made with others. */
	assert_int_equal(cfi_row_initial(&f.fde, machine->arch, &f.initial), 0);
	n = n_plain(&f);
	function_release(&f);
	return n;
}

static void assert_programs(const struct machine *machine, const struct program *programs,
			    size_t n_programs)
{
	static const struct {
		uint64_t code;
		int64_t data;
	} alignments[] = { { 1, -8 }, { 4, -8 }, { 1, 1 }, { 4, INT64_MIN + 8 } };

	for (size_t i = 0; i < n_programs; i++) {
		for (size_t j = 0; j < N_ITEMS(alignments); j++) {
			const uint64_t code = alignments[j].code;
			const uint64_t n = n_plain_of(machine, &programs[i], code,
						      alignments[j].data);

			if (n != programs[i].n_plain * code)
				fail_msg("%s: %llu of %llu addresses are plain", programs[i].name,
					 (unsigned long long)n, (unsigned long long)(WHOLE * code));
		}
	}
}

static void plain__follows_the_cfa(void **state)
{
	const struct machine *m = *state;
	const uint8_t sp = m->sp;
	const uint8_t fp = m->fp;
	const struct program programs[] = {
		{ "nothing", { CFA_NOP }, WHOLE },
		{ "pushes",
		  { ADVANCE(1), CFA_DEF_CFA_OFFSET, 16, ADVANCE(1), CFA_DEF_CFA_OFFSET, 24 },
		  WHOLE },
		{ "a frame",
		  { ADVANCE(3), CFA_DEF_CFA_REGISTER, fp, ADVANCE(40), CFA_DEF_CFA, sp, 8 },
		  WHOLE },
		{ "256 bytes", { ADVANCE(1), CFA_DEF_CFA_OFFSET, 0x80, 0x02 }, WHOLE },
		{ "long zeros", { CFA_DEF_CFA_OFFSET, 0x90, 0x80, 0x80, 0x00 }, WHOLE },
		{ "two long ones", { CFA_DEF_CFA, sp | 0x80, 0x00, 0x80, 0x04 }, WHOLE },
		{ "not whole words", { CFA_DEF_CFA_OFFSET, 12 }, WHOLE },
		{ "too large", { CFA_DEF_CFA_OFFSET, 0x80, 0x80, 0x10 }, WHOLE },
		{ "another register", { CFA_DEF_CFA_REGISTER, 10 }, WHOLE },
		{ "a vector register", { CFA_DEF_CFA, 99, 16 }, WHOLE },
		{ "a far one", { ADVANCE(1), CFA_DEF_CFA_REGISTER, FAR(m->sp) }, WHOLE },
	};

	assert_programs(m, programs, N_ITEMS(programs));
}

static void plain__follows_registers(void **state)
{
	const struct machine *m = *state;
	const uint8_t fp = m->fp;
	const uint8_t link = m->link;
	const struct program programs[] = {
		{ "saved",
		  { ADVANCE(1), CFA_OFFSET | fp, 2, ADVANCE(1), CFA_OFFSET | link, 3 },
		  WHOLE },
		{ "saved at the CFA", { ADVANCE(1), CFA_OFFSET | fp, 0 }, WHOLE },
		{ "saved far away", { ADVANCE(1), CFA_OFFSET | fp, 0x80, 0x80, 0x02 }, WHOLE },
		{ "saved, in long",
		  { CFA_OFFSET_EXTENDED, fp, 2, ADVANCE(1), CFA_OFFSET_EXTENDED, link, 3 },
		  WHOLE },
		{ "restored",
		  { CFA_OFFSET | fp, 2, CFA_OFFSET | link, 3, ADVANCE(9), CFA_RESTORE | fp,
		    ADVANCE(1), CFA_RESTORE | link },
		  WHOLE },
		{ "restored, in long",
		  { CFA_OFFSET | fp, 2, CFA_OFFSET | link, 3, ADVANCE(9), CFA_RESTORE_EXTENDED, fp,
		    ADVANCE(1), CFA_RESTORE_EXTENDED, link },
		  WHOLE },
		{ "undefined",
		  { ADVANCE(1), CFA_UNDEFINED, fp, ADVANCE(1), CFA_UNDEFINED, link, ADVANCE(1),
		    CFA_RESTORE | link },
		  WHOLE },
		{ "the same",
		  { CFA_OFFSET | fp, 2, ADVANCE(1), CFA_SAME_VALUE, fp, ADVANCE(1), CFA_SAME_VALUE,
		    link },
		  WHOLE },
		{ "no matter", { CFA_OFFSET | 3, 9, ADVANCE(1), CFA_RESTORE | 3 }, WHOLE },
		{ "no matter, in long",
		  { CFA_OFFSET_EXTENDED, 99, 9, ADVANCE(1), CFA_RESTORE_EXTENDED, 99, CFA_UNDEFINED,
		    12, CFA_SAME_VALUE, 12, CFA_OFFSET | 63, 0x80, 0x01 },
		  WHOLE },
		{ "far ones",
		  { CFA_OFFSET_EXTENDED, FAR(m->fp), 2, CFA_UNDEFINED, FAR(m->link), CFA_SAME_VALUE,
		    FAR(m->sp) },
		  WHOLE },
		{ "restored sp", { ADVANCE(1), CFA_RESTORE | m->sp }, WHOLE },
		{ "signed",
		  { CFA_NEGATE_RA_STATE, ADVANCE(1), CFA_NEGATE_RA_STATE_WITH_PC },
		  WHOLE },
	};

	assert_programs(m, programs, N_ITEMS(programs));
}

static void plain__follows_locations_and_states(void **state)
{
	const struct machine *m = *state;
	const uint8_t fp = m->fp;
	const struct program programs[] = {
		{ "one byte", { CFA_ADVANCE_LOC1, 5, CFA_DEF_CFA_OFFSET, 16 }, WHOLE },
		{ "two bytes", { CFA_ADVANCE_LOC2, 5, 0, CFA_DEF_CFA_OFFSET, 16 }, WHOLE },
		{ "four bytes", { CFA_ADVANCE_LOC4, 5, 0, 0, 0, CFA_DEF_CFA_OFFSET, 16 }, WHOLE },
		{ "past the end", { CFA_ADVANCE_LOC4, 0, 0, 0, 1, CFA_DEF_CFA_OFFSET, 16 }, WHOLE },
		{ "not at all", { ADVANCE(0), CFA_DEF_CFA_OFFSET, 16, ADVANCE(63) }, WHOLE },
		{ "arguments", { ADVANCE(1), CFA_GNU_ARGS_SIZE, 0xa0, 0x01, ADVANCE(1) }, WHOLE },
		{ "an early return",
		  { ADVANCE(1), CFA_DEF_CFA_OFFSET, 16, CFA_OFFSET | fp, 2, ADVANCE(9),
		    CFA_REMEMBER_STATE, CFA_RESTORE | fp, CFA_DEF_CFA_OFFSET, 8, ADVANCE(1),
		    CFA_RESTORE_STATE },
		  WHOLE },
		{ "two of them",
		  { CFA_REMEMBER_STATE, ADVANCE(1), CFA_UNDEFINED, m->link, CFA_REMEMBER_STATE,
		    ADVANCE(1), CFA_DEF_CFA, fp, 24, ADVANCE(1), CFA_RESTORE_STATE, ADVANCE(1),
		    CFA_RESTORE_STATE },
		  WHOLE },
		{ "eight states",
		  { 10, 10, 10, 10, 10, 10, 10, 10, CFA_OFFSET | fp, 2, ADVANCE(1), 11, 11, 11, 11,
		    11, 11, 11, 11 },
		  WHOLE },
		{ "nine states",
		  { ADVANCE(4), 10, 10, 10, 10, 10, 10, 10, 10, ADVANCE(4), 10 },
		  8 },
		{ "no state", { ADVANCE(4), CFA_RESTORE_STATE }, 4 },
		{ "one too few",
		  { CFA_REMEMBER_STATE, CFA_RESTORE_STATE, ADVANCE(4), CFA_RESTORE_STATE },
		  4 },
	};

	assert_programs(m, programs, N_ITEMS(programs));
}

static void plain__leaves_the_rest(void **state)
{
	const struct machine *m = *state;
	const uint8_t sp = m->sp;
	const uint8_t fp = m->fp;
	const struct program programs[] = {
		{ "cfa expression", { ADVANCE(2), CFA_DEF_CFA_EXPRESSION, 2, 0x77, 8 }, 2 },
		{ "expression", { ADVANCE(2), CFA_EXPRESSION, fp, 2, 0x77, 8 }, 2 },
		{ "any expression", { ADVANCE(2), CFA_EXPRESSION, 3, 2, 0x77, 8 }, 2 },
		{ "value expression", { ADVANCE(2), CFA_VAL_EXPRESSION, m->link, 2, 0x77, 8 }, 2 },
		{ "value offset", { ADVANCE(2), CFA_VAL_OFFSET, fp, 1 }, 2 },
		{ "signed value offset", { ADVANCE(2), CFA_VAL_OFFSET_SF, fp, 1 }, 2 },
		{ "signed cfa", { ADVANCE(2), CFA_DEF_CFA_SF, sp, 0x7e }, 2 },
		{ "signed cfa offset", { ADVANCE(2), CFA_DEF_CFA_OFFSET_SF, 0x7e }, 2 },
		{ "signed offset", { ADVANCE(2), CFA_OFFSET_EXTENDED_SF, fp, 2 }, 2 },
		{ "negative offset", { ADVANCE(2), CFA_GNU_NEGATIVE_OFFSET, fp, 2 }, 2 },
		{ "another register", { ADVANCE(2), CFA_REGISTER, m->link, 5 }, 2 },
		{ "set_loc", { ADVANCE(2), CFA_SET_LOC, 8, 0x10, 0, 0, 0, 0, 0, 0 }, 2 },
		{ "advance_loc8", { ADVANCE(2), CFA_ADVANCE_LOC8, 1, 0, 0, 0, 0, 0, 0, 0 }, 2 },
		{ "no instruction", { ADVANCE(2), 0x3f }, 2 },
		{ "65 bits",
		  { ADVANCE(2), CFA_DEF_CFA_OFFSET, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0x7f },
		  2 },
		{ "saved sp", { ADVANCE(3), CFA_OFFSET | sp, 2 }, 3 },
		{ "saved sp, in long", { ADVANCE(3), CFA_OFFSET_EXTENDED, sp, 2 }, 3 },
		{ "no sp", { ADVANCE(3), CFA_UNDEFINED, sp }, 3 },
		{ "the same sp", { ADVANCE(3), CFA_SAME_VALUE, sp }, 3 },
		{ "not reached", { ADVANCE(63), ADVANCE(1), 0x3f }, WHOLE },
	};

	assert_programs(m, programs, N_ITEMS(programs));
}

static void plain__makes_these_rules(void **state)
{
	const struct machine *m = *state;
	const bool is_x86 = m->arch == ARCH_X86_64;
	const struct program program = {
		"a frame",
		{ ADVANCE(1), CFA_DEF_CFA_OFFSET, 16, CFA_OFFSET | m->fp, 2, CFA_OFFSET | m->link,
		  1, ADVANCE(3), CFA_DEF_CFA_REGISTER, m->fp, ADVANCE(4), CFA_RESTORE | m->fp,
		  CFA_DEF_CFA_REGISTER, m->sp, ADVANCE(1), CFA_UNDEFINED, m->link, ADVANCE(1),
		  CFA_RESTORE | m->link },
		WHOLE
	};
	const struct {
		uint64_t unit;
		struct cfi_rule rule;
	} wanted[] = {
		{ 0, { is_x86 ? 1 : 0, 0, is_x86 ? -1 : 0, CFI_RULE_SP, 0 } },
		{ 1, { 2, -2, -1, CFI_RULE_SP, 0 } },
		{ 4, { 2, -2, -1, CFI_RULE_FP, 0 } },
		{ 8, { 2, 0, -1, CFI_RULE_SP, 0 } },
		{ 9, { 0, 0, 0, CFI_RULE_END, 0 } },
		{ 10, { 2, 0, is_x86 ? -1 : 0, CFI_RULE_SP, 0 } },
	};

	for (int is_signal = 0; is_signal < 2; is_signal++) {
		struct cfi_description d = description_of(m, program.bytes, PROGRAM_MAX);
		struct function f;

		d.augmentation = is_signal ? "zRS" : "zR";
		function_init(&f, m, &d);
		assert_int_equal(n_plain(&f), WHOLE);
		for (size_t i = 0; i < N_ITEMS(wanted); i++) {
			const uint64_t vaddr = f.fde.start + wanted[i].unit * f.fde.code_alignment;
			struct cfi_rule expected = wanted[i].rule;
			struct cfi_span span;

			expected.flags = is_signal ? CFI_RULE_IS_SIGNAL : 0;
			assert_true(cfi_plain_span(&f.fde, vaddr, m->arch, &span));
			assert_memory_equal(&span.rule, &expected, sizeof(expected));
		}
		function_release(&f);
	}
}

static void plain__asks_for_a_plain_cie(void **state)
{
	static const struct program program = { "nothing", { CFA_NOP }, WHOLE };
	const struct machine *m = *state;
	const struct cfi_description d = description_of(m, program.bytes, PROGRAM_MAX);
	struct cfi_span span;
	struct function f;

	function_init(&f, m, &d);
	assert_int_equal(n_plain(&f), WHOLE);
	f.initial.cfa_expression = f.bytes;
	assert_int_equal(n_plain(&f), 0);
	f.initial.cfa_expression = NULL;
	f.initial.columns[m->sp].how = CFI_HOW_OFFSET;
	assert_int_equal(n_plain(&f), 0);
	f.initial.columns[m->sp].how = CFI_HOW_SAME;
	f.fde.return_register = 5;
	assert_int_equal(n_plain(&f), 0);
	f.fde.return_register = m->link;
	f.fde.initial = NULL;
	assert_false(cfi_plain_span(&f.fde, FUNCTION_START, m->arch, &span));
	function_release(&f);
}

/* How many of the program's cuts are whole programs. */
static uint64_t n_whole_cuts(const struct machine *machine, const struct program *program)
{
	uint64_t n_whole = 0;

	for (size_t size = 0; size <= PROGRAM_MAX; size++) {
		struct cfi_description d = description_of(machine, program->bytes, size);
		struct function f;

		function_init(&f, machine, &d);
		f.fde.code_alignment = 1;
		assert_int_equal(n_plain(&f), n_general(&f));
		n_whole += n_plain(&f) == WHOLE;
		function_release(&f);
	}
	return n_whole;
}

static void plain__stops_at_each_cut(void **state)
{
	const struct machine *m = *state;
	const struct program programs[] = {
		{ "17 bytes",
		  { CFA_DEF_CFA_OFFSET, 0x90, 0x01, CFA_ADVANCE_LOC1, 2, CFA_OFFSET | m->fp, 0x82,
		    0x00, CFA_DEF_CFA, m->fp, 16, CFA_DEF_CFA_REGISTER, m->sp, CFA_GNU_ARGS_SIZE,
		    0x80, 0x01, ADVANCE(1) },
		  WHOLE },
		{ "18 bytes",
		  { CFA_ADVANCE_LOC2, 1, 0, CFA_ADVANCE_LOC4, 1, 0, 0, 0, CFA_OFFSET_EXTENDED,
		    m->link, 1, CFA_RESTORE_EXTENDED, m->link, CFA_UNDEFINED, 12, CFA_SAME_VALUE,
		    m->fp, CFA_RESTORE | m->fp },
		  WHOLE },
	};

	/* Nothing, and what ends behind one of seven instructions or a nop. */
	assert_int_equal(n_whole_cuts(m, &programs[0]), 1 + 7 + PROGRAM_MAX - 17);
	assert_int_equal(n_whole_cuts(m, &programs[1]), 1 + 7 + PROGRAM_MAX - 18);
}

/* Up to the last address that there is, by steps that do not end there. */
static void plain__does_not_run_over(void **state)
{
	static const struct program program = {
		"to the end",
		{ ADVANCE(63), CFA_DEF_CFA_OFFSET, 16, CFA_ADVANCE_LOC1, 255, CFA_DEF_CFA_OFFSET,
		  24, ADVANCE(63), CFA_ADVANCE_LOC2, 9, 0, CFA_DEF_CFA_OFFSET, 32, ADVANCE(63),
		  CFA_ADVANCE_LOC4, 9, 0, 0, 0 },
		WHOLE
	};
	static const uint64_t alignments[] = {
		0, 1, 4, UINT64_C(1) << 58, UINT64_C(1) << 63, UINT64_MAX
	};
	const struct machine *m = *state;
	uint64_t n_refused = 0;

	for (uint64_t size = 1; size < 480; size += 7) {
		for (size_t i = 0; i < N_ITEMS(alignments); i++) {
			struct cfi_description d = description_of(m, program.bytes, PROGRAM_MAX);
			struct function f;
			uint64_t n;

			d.size = size;
			d.start = UINT64_MAX - size;
			function_init(&f, m, &d);
			f.fde.code_alignment = alignments[i];
			n = n_plain(&f);
			assert_int_equal(n, n_general(&f));
			n_refused += n < size;
			function_release(&f);
		}
	}
	assert_true(n_refused > 0);
}

/* Each test on each architecture, which is its state. */
#define ON_BOTH(test)                                                                              \
	cmocka_unit_test_prestate(test, &x86_64), cmocka_unit_test_prestate(test, &aarch64)

int main(void)
{
	/* def_cfa rsp, 8; offset rip, cfa-8 */
	struct machine x86_64 = {
		.arch = ARCH_X86_64,
		.sp = X86_64_RSP,
		.fp = X86_64_RBP,
		.link = X86_64_RIP,
		.initial = "\x0c\x07\x08\x90\x01",
		.n_initial = 5,
	};
	/* def_cfa sp, 0 */
	struct machine aarch64 = {
		.arch = ARCH_AARCH64,
		.sp = AARCH64_SP,
		.fp = AARCH64_FP,
		.link = AARCH64_LR,
		.initial = "\x0c\x1f\x00",
		.n_initial = 3,
	};
	const struct CMUnitTest tests[] = {
		ON_BOTH(plain__follows_the_cfa),
		ON_BOTH(plain__follows_registers),
		ON_BOTH(plain__follows_locations_and_states),
		ON_BOTH(plain__leaves_the_rest),
		ON_BOTH(plain__makes_these_rules),
		ON_BOTH(plain__asks_for_a_plain_cie),
		ON_BOTH(plain__stops_at_each_cut),
		ON_BOTH(plain__does_not_run_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
