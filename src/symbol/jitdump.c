/* Records in the order of the file, each checked against its own size. */
#include "symbol/jitdump.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "model/registers.h"

#define JITDUMP_MAGIC UINT32_C(0x4a695444)
#define JITDUMP_FLAG_ARCH_TIMESTAMP UINT64_C(1)

enum {
	JITDUMP_VERSION = 1,
	JITDUMP_RECORD_HEADER_BYTES = 16,
	JITDUMP_MACHINE = ARCH_NATIVE == ARCH_X86_64 ? EM_X86_64 : EM_AARCH64,
};

enum jitdump_record {
	JITDUMP_CODE_LOAD = 0,
	JITDUMP_CODE_MOVE = 1,
	JITDUMP_CODE_DEBUG_INFO = 2,
	JITDUMP_CODE_CLOSE = 3,
	JITDUMP_CODE_UNWINDING_INFO = 4,
};

bool jitdump_is_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *at = slash ? slash + 1 : path;

	if (strncmp(at, "jit-", 4) != 0)
		return false;
	at += 4;
	if (!isdigit((unsigned char)*at))
		return false;
	while (isdigit((unsigned char)*at))
		at++;
	return strcmp(at, ".dump") == 0 || strcmp(at, ".dump (deleted)") == 0;
}

/* Returns the header's size; 0 when it is not all there. */
static uint64_t take_header(struct jitdump *dump, const uint8_t *data, size_t size)
{
	struct bytes b = bytes_of(data, size);
	const uint32_t magic = bytes_u32(&b);
	const uint32_t version = bytes_u32(&b);
	const uint32_t header_bytes = bytes_u32(&b);
	const uint32_t machine = bytes_u32(&b);
	uint64_t flags;

	(void)bytes_u32(&b); /* padding */
	(void)bytes_u32(&b); /* pid */
	(void)bytes_u64(&b); /* when it was made */
	flags = bytes_u64(&b);
	if (b.is_bad)
		return 0;
	dump->is_bad = magic != JITDUMP_MAGIC || version != JITDUMP_VERSION ||
		       machine != JITDUMP_MACHINE || header_bytes < JITDUMP_HEADER_BYTES;
	dump->has_header = !dump->is_bad;
	dump->has_times = !(flags & JITDUMP_FLAG_ARCH_TIMESTAMP);
	return dump->is_bad ? 0 : header_bytes;
}

static void forget_lines(struct jitdump *dump)
{
	dump->lines_ip = 0;
	dump->first_line = 0;
	dump->n_lines = 0;
}

static int add_function(struct jitdump *dump, struct jit_symbols *symbols,
			struct jit_function *function, uint64_t time_ns)
{
	function->time_ns = dump->has_times ? time_ns : 0;
	function->is_tracked = true;
	return jit_symbols_add(symbols, function);
}

static int take_load(struct jitdump *dump, struct jit_symbols *symbols, struct bytes b,
		     uint64_t time_ns)
{
	struct jit_function function = { 0 };
	int r;

	(void)bytes_u32(&b); /* pid */
	(void)bytes_u32(&b); /* tid */
	(void)bytes_u64(&b); /* vma: the same as the address in every dump of today */
	function.start = bytes_u64(&b);
	function.size_bytes = bytes_u64(&b);
	(void)bytes_u64(&b); /* the code's number */
	function.name = bytes_string(&b);
	if (b.is_bad || !function.name) {
		dump->n_unknown++;
		return 0;
	}
	function.name_bytes = strlen(function.name);
	if (dump->n_lines && dump->lines_ip == function.start) {
		function.first_line = dump->first_line;
		function.n_lines = dump->n_lines;
	}
	r = add_function(dump, symbols, &function, time_ns);
	forget_lines(dump);
	return r;
}

static int take_move(struct jitdump *dump, struct jit_symbols *symbols, struct bytes b,
		     uint64_t time_ns)
{
	struct jit_function function = { 0 };
	const struct jit_symbol *old;
	uint64_t old_start;

	(void)bytes_u32(&b); /* pid */
	(void)bytes_u32(&b); /* tid */
	(void)bytes_u64(&b); /* vma */
	old_start = bytes_u64(&b);
	function.start = bytes_u64(&b);
	function.size_bytes = bytes_u64(&b);
	old = b.is_bad ? NULL : jit_symbols_at(symbols, old_start);
	if (!old) {
		dump->n_unknown++;
		return 0;
	}
	function.name = interner_get(&symbols->strings, old->name);
	function.name_bytes = strlen(function.name);
	function.first_line = old->first_line;
	function.n_lines = old->n_lines;
	return add_function(dump, symbols, &function, time_ns);
}

/* A file's name of the byte 0xff alone is that of the line before. */
static bool is_same_file(const char *name)
{
	return (unsigned char)name[0] == 0xff && name[1] == '\0';
}

static int take_lines(struct jitdump *dump, struct jit_symbols *symbols, struct bytes b)
{
	const uint64_t ip = bytes_u64(&b);
	const uint64_t n_lines = bytes_u64(&b);
	const char *file = "";

	forget_lines(dump);
	dump->lines_ip = ip;
	dump->first_line = (uint32_t)symbols->n_lines;
	for (uint64_t i = 0; i < n_lines && bytes_left(&b); i++) {
		const uint64_t line_ip = bytes_u64(&b);
		const uint32_t line = bytes_u32(&b);
		const char *name;
		int r;

		(void)bytes_u32(&b); /* the discriminator */
		name = bytes_string(&b);
		if (b.is_bad || !name)
			break;
		if (!is_same_file(name))
			file = name;
		if (line_ip < ip)
			continue;
		r = jit_symbols_add_line(symbols, line_ip - ip, file, strlen(file), line);
		if (r < 0)
			return r;
	}
	dump->n_lines = (uint32_t)(symbols->n_lines - dump->first_line);
	return 0;
}

static int take_record(struct jitdump *dump, struct jit_symbols *symbols, uint32_t id,
		       struct bytes body, uint64_t time_ns)
{
	switch (id) {
	case JITDUMP_CODE_LOAD:
		return take_load(dump, symbols, body, time_ns);
	case JITDUMP_CODE_MOVE:
		return take_move(dump, symbols, body, time_ns);
	case JITDUMP_CODE_DEBUG_INFO:
		return take_lines(dump, symbols, body);
	case JITDUMP_CODE_CLOSE:
	case JITDUMP_CODE_UNWINDING_INFO:
		return 0;
	default:
		dump->n_unknown++;
		return 0;
	}
}

int jitdump_parse(struct jitdump *dump, struct jit_symbols *symbols, const uint8_t *data,
		  size_t size, uint64_t *ret_taken)
{
	uint64_t taken = 0;

	if (!dump->has_header && !dump->is_bad)
		taken = take_header(dump, data, size);
	while (dump->has_header && !dump->is_bad && taken < size &&
	       size - taken >= JITDUMP_RECORD_HEADER_BYTES) {
		struct bytes b = bytes_of(data + taken, size - (size_t)taken);
		const uint32_t id = bytes_u32(&b);
		const uint32_t record_bytes = bytes_u32(&b);
		const uint64_t time_ns = bytes_u64(&b);
		const size_t n_looked = record_bytes < JITDUMP_LOOK_BYTES ? record_bytes
									  : JITDUMP_LOOK_BYTES;
		int r;

		if (record_bytes < JITDUMP_RECORD_HEADER_BYTES) {
			/* Its writer has reserved the room and not yet filled it, or died there. */
			dump->is_bad = record_bytes != 0;
			break;
		}
		if (n_looked > size - taken)
			break;
		b = bytes_of(b.at, n_looked - JITDUMP_RECORD_HEADER_BYTES);
		r = take_record(dump, symbols, id, b, time_ns);
		if (r < 0)
			return r;
		taken += record_bytes;
	}
	*ret_taken = taken;
	return 0;
}
