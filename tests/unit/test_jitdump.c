/* Records of jitdumps, whole, in pieces, and damaged. */
#include "unit.h"

#include <elf.h>
#include <string.h>

#include "base/buffer.h"
#include "model/registers.h"
#include "symbol/jitdump.h"

enum { LOAD, MOVE, LINES, CLOSE, UNWINDING };

static void add_header(struct buffer *out, uint64_t flags)
{
	buffer_add_u32(out, 0x4a695444);
	buffer_add_u32(out, 1);
	buffer_add_u32(out, JITDUMP_HEADER_BYTES);
	buffer_add_u32(out, ARCH_NATIVE == ARCH_X86_64 ? EM_X86_64 : EM_AARCH64);
	buffer_add_u32(out, 0);
	buffer_add_u32(out, 4711);
	buffer_add_u64(out, 1);
	buffer_add_u64(out, flags);
}

static void add_record(struct buffer *out, uint32_t id, uint64_t time_ns, const struct buffer *body)
{
	buffer_add_u32(out, id);
	buffer_add_u32(out, (uint32_t)(16 + body->size));
	buffer_add_u64(out, time_ns);
	buffer_add(out, body->data, body->size);
}

static void add_load(struct buffer *out, uint64_t time_ns, uint64_t address, const char *name)
{
	struct buffer body = BUFFER_INIT;

	buffer_add_u32(&body, 4711);
	buffer_add_u32(&body, 4711);
	buffer_add_u64(&body, address);
	buffer_add_u64(&body, address);
	buffer_add_u64(&body, 16);
	buffer_add_u64(&body, 0);
	buffer_add(&body, name, strlen(name) + 1);
	buffer_add(&body, "0123456789abcdef", 16);
	add_record(out, LOAD, time_ns, &body);
	buffer_release(&body);
}

static void add_move(struct buffer *out, uint64_t time_ns, uint64_t from, uint64_t to)
{
	struct buffer body = BUFFER_INIT;

	buffer_add_u64(&body, 0);
	buffer_add_u64(&body, to);
	buffer_add_u64(&body, from);
	buffer_add_u64(&body, to);
	buffer_add_u64(&body, 16);
	buffer_add_u64(&body, 0);
	add_record(out, MOVE, time_ns, &body);
	buffer_release(&body);
}

static void add_lines(struct buffer *out, uint64_t address)
{
	struct buffer body = BUFFER_INIT;

	buffer_add_u64(&body, address);
	buffer_add_u64(&body, 2);
	buffer_add_u64(&body, address);
	buffer_add_u32(&body, 3);
	buffer_add_u32(&body, 0);
	buffer_add(&body, "a.js", 5);
	buffer_add_u64(&body, address + 8);
	buffer_add_u32(&body, 4);
	buffer_add_u32(&body, 0);
	buffer_add(&body, "\xff", 2); /* the same file */
	add_record(out, LINES, 1, &body);
	buffer_release(&body);
}

static uint64_t parse(struct jitdump *dump, struct jit_symbols *symbols, const struct buffer *data,
		      size_t from, size_t size)
{
	uint64_t taken;

	assert_int_equal(
		jitdump_parse(dump, symbols, (const uint8_t *)data->data + from, size, &taken), 0);
	return taken;
}

static void jitdump_parse__names_code_with_lines_and_times(void **state)
{
	struct buffer data = BUFFER_INIT;
	struct jit_symbols symbols;
	struct jitdump dump = { 0 };

	(void)state;
	add_header(&data, 0);
	add_lines(&data, 0x1000);
	add_load(&data, 77, 0x1000, "f");
	add_load(&data, 78, 0x2000, "g");
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(parse(&dump, &symbols, &data, 0, data.size), data.size);
	assert_int_equal(symbols.n_symbols, 2);
	assert_int_equal(symbols.symbols[0].time_ns, 77);
	assert_int_equal(symbols.symbols[0].end, 0x1010);
	assert_int_equal(jit_symbols_line(&symbols, &symbols.symbols[0], 0x1007)->line, 3);
	assert_int_equal(jit_symbols_line(&symbols, &symbols.symbols[0], 0x1008)->line, 4);
	assert_int_equal(symbols.lines[0].file, symbols.lines[1].file);
	assert_null(jit_symbols_line(&symbols, &symbols.symbols[1], 0x2000));
	jit_symbols_release(&symbols);
	buffer_release(&data);
}

static void jitdump_parse__follows_code_that_moves(void **state)
{
	struct buffer data = BUFFER_INIT;
	struct jit_symbols symbols;
	struct jitdump dump = { 0 };

	(void)state;
	add_header(&data, 0);
	add_lines(&data, 0x1000);
	add_load(&data, 1, 0x1000, "f");
	add_move(&data, 2, 0x1000, 0x5000);
	add_move(&data, 3, 0x9000, 0xa000); /* from where nothing is */
	assert_int_equal(jit_symbols_init(&symbols), 0);
	(void)parse(&dump, &symbols, &data, 0, data.size);
	assert_int_equal(symbols.n_symbols, 2);
	assert_int_equal(symbols.symbols[1].name, symbols.symbols[0].name);
	assert_int_equal(symbols.symbols[1].start, 0x5000);
	assert_int_equal(jit_symbols_line(&symbols, &symbols.symbols[1], 0x5000)->line, 3);
	assert_int_equal(dump.n_unknown, 1);
	jit_symbols_release(&symbols);
	buffer_release(&data);
}

static void jitdump_parse__reads_the_same_in_pieces_of_any_size(void **state)
{
	struct buffer data = BUFFER_INIT;

	(void)state;
	add_header(&data, 0);
	add_lines(&data, 0x1000);
	add_load(&data, 1, 0x1000, "f");
	add_load(&data, 2, 0x1000, "g");
	for (size_t cut = 0; cut <= data.size; cut++) {
		struct jit_symbols symbols;
		struct jitdump dump = { 0 };
		size_t at;

		assert_int_equal(jit_symbols_init(&symbols), 0);
		at = (size_t)parse(&dump, &symbols, &data, 0, cut);
		assert_true(at <= cut);
		at += (size_t)parse(&dump, &symbols, &data, at, data.size - at);
		assert_int_equal(at, data.size);
		assert_int_equal(symbols.n_symbols, 2);
		assert_int_equal(symbols.n_lines, 2);
		jit_symbols_release(&symbols);
	}
	buffer_release(&data);
}

static void jitdump_parse__takes_no_times_from_a_clock_of_the_processor(void **state)
{
	struct buffer data = BUFFER_INIT;
	struct jit_symbols symbols;
	struct jitdump dump = { 0 };

	(void)state;
	add_header(&data, 1);
	add_load(&data, 77, 0x1000, "f");
	assert_int_equal(jit_symbols_init(&symbols), 0);
	(void)parse(&dump, &symbols, &data, 0, data.size);
	assert_int_equal(symbols.symbols[0].time_ns, 0);
	jit_symbols_release(&symbols);
	buffer_release(&data);
}

static void jitdump_parse__stops_at_what_is_no_jitdump(void **state)
{
	struct buffer data = BUFFER_INIT;
	struct jit_symbols symbols;
	struct jitdump dump = { 0 };

	(void)state;
	add_header(&data, 0);
	data.data[0] ^= 1;
	add_load(&data, 1, 0x1000, "f");
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(parse(&dump, &symbols, &data, 0, data.size), 0);
	assert_true(dump.is_bad);
	assert_int_equal(symbols.n_symbols, 0);
	jit_symbols_release(&symbols);
	buffer_release(&data);
}

static void jitdump_parse__waits_where_room_is_only_reserved(void **state)
{
	static const char zeros[64];
	struct buffer data = BUFFER_INIT;
	struct jit_symbols symbols;
	struct jitdump dump = { 0 };
	uint64_t taken;

	(void)state;
	add_header(&data, 0);
	add_load(&data, 1, 0x1000, "f");
	taken = data.size;
	buffer_add(&data, zeros, sizeof(zeros));
	assert_int_equal(jit_symbols_init(&symbols), 0);
	assert_int_equal(parse(&dump, &symbols, &data, 0, data.size), taken);
	assert_false(dump.is_bad);
	jit_symbols_release(&symbols);
	buffer_release(&data);
}

static void jitdump_is_path__knows_the_name_of_a_dump(void **state)
{
	(void)state;
	assert_true(jitdump_is_path("/home/u/jit-123.dump"));
	assert_true(jitdump_is_path("/home/u/jit-123.dump (deleted)"));
	assert_false(jitdump_is_path("/home/u/jit-.dump"));
	assert_false(jitdump_is_path("/home/u/jit-1.dump2"));
	assert_false(jitdump_is_path("/home/jit-1.dump/u"));
	assert_false(jitdump_is_path("//anon"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jitdump_parse__names_code_with_lines_and_times),
		cmocka_unit_test(jitdump_parse__follows_code_that_moves),
		cmocka_unit_test(jitdump_parse__reads_the_same_in_pieces_of_any_size),
		cmocka_unit_test(jitdump_parse__takes_no_times_from_a_clock_of_the_processor),
		cmocka_unit_test(jitdump_parse__stops_at_what_is_no_jitdump),
		cmocka_unit_test(jitdump_parse__waits_where_room_is_only_reserved),
		cmocka_unit_test(jitdump_is_path__knows_the_name_of_a_dump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
