/*
 * Registers: r6 is where the thread's are, r7 the state that is shared, r8 its line of
 * this CPU, r9 the record.  A record's size is known when the program is made, texts have all
 * the room that they may need: the kernel's verifier wants every store to be inside
 * by numbers alone, and rings are large.
 *
 * The program can be preempted by another thread that comes by a probe (Linux 5.19 and later
 * only keep it on its CPU); so room is reserved, and the count of what was lost is atomic.
 */
#include "os/bpf_program.h"

#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/user.h>

enum {
	CPU_SHIFT = 6,
	RETURN_FIELDS_AT = 24, /* in perf's record */
	ENTRY_FIELDS_AT = 16,
	RECORD_MAX_BYTES = 8192,
	N_DEREFERENCES = 4,
	NAME_MAX_BYTES = 8,
	LENGTH_SHIFT = 16, /* of a text, above its place */
	/* On the program's stack. */
	CPU_SLOT = -8,
	POINTER_SLOT = -16,
	MAX_LOSSES = 2,
};

static_assert(sizeof(struct bpf_program_cpu) == 1 << CPU_SHIFT, "a line for each CPU");
static_assert(sizeof(struct bpf_program_state) == sizeof(struct bpf_program_cpu), "a line");
static_assert(offsetof(struct bpf_program_record, point) == BPF_PROGRAM_FETCHED_AT, "as perf's");

struct named_register {
	char name[NAME_MAX_BYTES];
	int16_t offset; /* in what the kernel hands to the program */
};

#if defined(__x86_64__)
#define AT(member) ((int16_t)offsetof(struct user_regs_struct, member))
static const struct named_register registers[] = {
	{ "%sp", AT(rsp) }, { "%di", AT(rdi) }, { "%si", AT(rsi) }, { "%dx", AT(rdx) },
	{ "%cx", AT(rcx) }, { "%r8", AT(r8) },	{ "%r9", AT(r9) },  { "$retval", AT(rax) },
};
enum { PC_AT = offsetof(struct user_regs_struct, rip) };
#elif defined(__aarch64__)
#define AT(index) ((int16_t)((index) * sizeof(uint64_t)))
static const struct named_register registers[] = {
	{ "%sp", AT(31) }, { "%lr", AT(30) }, { "%x0", AT(0) },	    { "%x1", AT(1) },
	{ "%x2", AT(2) },  { "%x3", AT(3) },  { "%x4", AT(4) },	    { "%x5", AT(5) },
	{ "%x6", AT(6) },  { "%x7", AT(7) },  { "$retval", AT(0) },
};
enum { PC_AT = offsetof(struct user_regs_struct, pc) };
#endif

enum { N_REGISTERS = sizeof(registers) / sizeof(registers[0]) };

/* One thing to fetch: a register, or what is where it points, and so on. */
struct field {
	int16_t register_at;
	size_t n_offsets;
	int32_t offsets[N_DEREFERENCES]; /* the outermost first */
	size_t size_bytes;		 /* 0: a text */
};

static const char *parse_register(struct field *field, const char *text)
{
	const size_t n_bytes = strcspn(text, "):");

	for (size_t i = 0; i < N_REGISTERS; i++) {
		if (strlen(registers[i].name) == n_bytes &&
		    memcmp(registers[i].name, text, n_bytes) == 0) {
			field->register_at = registers[i].offset;
			return text + n_bytes;
		}
	}
	return NULL;
}

static const char *parse_type(struct field *field, const char *text)
{
	static const char string[] = ":string";
	char *end;
	unsigned long n_bits;

	if (strncmp(text, string, sizeof(string) - 1) == 0)
		return text + sizeof(string) - 1;
	if (text[0] != ':' || (text[1] != 'u' && text[1] != 's'))
		return NULL;
	n_bits = strtoul(text + 2, &end, 10);
	if (n_bits != 8 && n_bits != 16 && n_bits != 32 && n_bits != 64)
		return NULL;
	field->size_bytes = n_bits / 8;
	return end;
}

/* "NAME=+8(+0(%di)):TYPE"; the rest behind it, or NULL. */
static const char *parse_field(struct field *field, const char *text)
{
	*field = (struct field){ 0 };
	text = strchr(text, '=');
	if (!text++)
		return NULL;
	while (*text == '+') {
		char *end;

		if (field->n_offsets == N_DEREFERENCES)
			return NULL;
		field->offsets[field->n_offsets++] = (int32_t)strtoul(text + 1, &end, 10);
		if (*end != '(')
			return NULL;
		text = end + 1;
	}
	text = parse_register(field, text);
	for (size_t i = 0; text && i < field->n_offsets; i++)
		text = *text == ')' ? text + 1 : NULL;
	text = text ? parse_type(field, text) : NULL;
	if (!text || (!field->size_bytes && !field->n_offsets))
		return NULL;
	return text + strspn(text, " ");
}

/* r3: the address that the last of the field's steps reads from. */
static void emit_address(struct bpf_program *program, const struct field *field)
{
	bpf_code_load(&program->code, BPF_REG_3, BPF_REG_6, field->register_at);
	for (size_t i = field->n_offsets; i-- > 1;) {
		bpf_code_compute(&program->code, BPF_ADD, BPF_REG_3, field->offsets[i]);
		bpf_code_move(&program->code, BPF_REG_1, BPF_REG_10, POINTER_SLOT);
		bpf_code_number(&program->code, BPF_REG_2, sizeof(uint64_t));
		bpf_code_call(&program->code, BPF_FUNC_probe_read_user);
		bpf_code_load(&program->code, BPF_REG_3, BPF_REG_10, POINTER_SLOT);
	}
	if (field->n_offsets)
		bpf_code_compute(&program->code, BPF_ADD, BPF_REG_3, field->offsets[0]);
}

/* Where nothing can be read the kernel leaves zeros. */
static void emit_number_field(struct bpf_program *program, const struct field *field, size_t at)
{
	emit_address(program, field);
	if (!field->n_offsets) {
		bpf_code_store(&program->code, BPF_REG_9, (int)at, BPF_REG_3, field->size_bytes);
		return;
	}
	bpf_code_move(&program->code, BPF_REG_1, BPF_REG_9, (int32_t)at);
	bpf_code_number(&program->code, BPF_REG_2, (int32_t)field->size_bytes);
	bpf_code_call(&program->code, BPF_FUNC_probe_read_user);
}

/* At `at` its place and length, 0 when it cannot be read. */
static void emit_text_field(struct bpf_program *program, const struct field *field, size_t at,
			    size_t text_at)
{
	size_t jump;

	emit_address(program, field);
	bpf_code_move(&program->code, BPF_REG_1, BPF_REG_9, (int32_t)text_at);
	bpf_code_number(&program->code, BPF_REG_2, TRACE_EVENTS_TEXT_BYTES);
	bpf_code_call(&program->code, BPF_FUNC_probe_read_user_str);
	jump = bpf_code_jump(&program->code, BPF_JSGT, BPF_REG_0, 0);
	bpf_code_number(&program->code, BPF_REG_0, 0);
	bpf_code_jump_here(&program->code, jump);
	bpf_code_compute(&program->code, BPF_LSH, BPF_REG_0, LENGTH_SHIFT);
	bpf_code_compute(&program->code, BPF_OR, BPF_REG_0,
			 (int32_t)(text_at - BPF_PROGRAM_FETCHED_AT));
	bpf_code_store(&program->code, BPF_REG_9, (int)at, BPF_REG_0, sizeof(uint32_t));
}

static size_t first_field_at(const struct probe_point *point)
{
	return BPF_PROGRAM_FETCHED_AT + (point->is_return ? RETURN_FIELDS_AT : ENTRY_FIELDS_AT);
}

/* How long it all is; texts lie behind the rest. */
static int measure(size_t *ret_texts_at, size_t *ret_record_bytes, const struct probe_point *point)
{
	size_t size_bytes = first_field_at(point);
	size_t n_texts = 0;
	struct field field;

	for (const char *text = point->fields; *text;) {
		text = parse_field(&field, text);
		if (!text)
			return -EINVAL;
		size_bytes += field.size_bytes ? field.size_bytes : sizeof(uint32_t);
		n_texts += !field.size_bytes;
	}
	*ret_texts_at = size_bytes;
	size_bytes += n_texts * TRACE_EVENTS_TEXT_BYTES;
	*ret_record_bytes = (size_bytes + 7) & ~(size_t)7;
	return *ret_record_bytes > RECORD_MAX_BYTES ? -E2BIG : 0;
}

static void emit_fields(struct bpf_program *program, const struct probe_point *point,
			size_t texts_at)
{
	size_t at = first_field_at(point);
	struct field field;

	for (const char *text = point->fields; *text;) {
		text = parse_field(&field, text);
		if (field.size_bytes) {
			emit_number_field(program, &field, at);
			at += field.size_bytes;
		} else {
			emit_text_field(program, &field, at, texts_at);
			at += sizeof(uint32_t);
			texts_at += TRACE_EVENTS_TEXT_BYTES;
		}
	}
}

/* r9: room in the ring of this CPU.  Where there is none, it jumps from `losses`. */
static void emit_reserve(struct bpf_program *program, const struct bpf_program_options *options,
			 size_t losses[static MAX_LOSSES])
{
	bpf_code_call(&program->code, BPF_FUNC_get_smp_processor_id);
	bpf_code_store(&program->code, BPF_REG_10, CPU_SLOT, BPF_REG_0, sizeof(uint32_t));
	bpf_code_compute(&program->code, BPF_AND, BPF_REG_0, (int32_t)(options->n_cpus - 1));
	bpf_code_compute(&program->code, BPF_LSH, BPF_REG_0, CPU_SHIFT);
	bpf_code_move(&program->code, BPF_REG_8, BPF_REG_7, sizeof(struct bpf_program_state));
	bpf_code_add(&program->code, BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_8, BPF_REG_0, 0, 0);
	bpf_code_map(&program->code, BPF_REG_1, BPF_PSEUDO_MAP_FD, options->list_fd);
	bpf_code_move(&program->code, BPF_REG_2, BPF_REG_10, CPU_SLOT);
	bpf_code_call(&program->code, BPF_FUNC_map_lookup_elem);
	losses[0] = bpf_code_jump(&program->code, BPF_JEQ, BPF_REG_0, 0);
	bpf_code_move(&program->code, BPF_REG_1, BPF_REG_0, 0);
	bpf_code_number(&program->code, BPF_REG_2, (int32_t)program->record_bytes);
	bpf_code_number(&program->code, BPF_REG_3, 0);
	bpf_code_call(&program->code, BPF_FUNC_ringbuf_reserve);
	losses[1] = bpf_code_jump(&program->code, BPF_JEQ, BPF_REG_0, 0);
	bpf_code_move(&program->code, BPF_REG_9, BPF_REG_0, 0);
}

static void emit_head(struct bpf_program *program, const struct probe_point *point, uint32_t index)
{
	bpf_code_call(&program->code, BPF_FUNC_ktime_get_ns);
	bpf_code_store(&program->code, BPF_REG_9, offsetof(struct bpf_program_record, time_ns),
		       BPF_REG_0, 8);
	bpf_code_call(&program->code, BPF_FUNC_get_current_pid_tgid);
	bpf_code_store(&program->code, BPF_REG_9, offsetof(struct bpf_program_record, tid),
		       BPF_REG_0, 8);
	bpf_code_load(&program->code, BPF_REG_1, BPF_REG_8,
		      offsetof(struct bpf_program_cpu, n_lost));
	bpf_code_store(&program->code, BPF_REG_9, offsetof(struct bpf_program_record, n_lost),
		       BPF_REG_1, 8);
	bpf_code_number(&program->code, BPF_REG_1, (int32_t)index);
	bpf_code_store(&program->code, BPF_REG_9, offsetof(struct bpf_program_record, point),
		       BPF_REG_1, 8);
	if (point->is_return) {
		bpf_code_number(&program->code, BPF_REG_1, 0);
		bpf_code_store(&program->code, BPF_REG_9,
			       offsetof(struct bpf_program_record, ip) + 8, BPF_REG_1, 8);
	} else {
		bpf_code_load(&program->code, BPF_REG_1, BPF_REG_6, PC_AT);
	}
	bpf_code_store(&program->code, BPF_REG_9, offsetof(struct bpf_program_record, ip),
		       BPF_REG_1, 8);
}

/* Waking somebody up is dear: it is done once for many. */
static void emit_submit(struct bpf_program *program, const struct bpf_program_options *options)
{
	const int n_written_at = (int)offsetof(struct bpf_program_cpu, n_written);
	size_t jump;

	bpf_code_load(&program->code, BPF_REG_3, BPF_REG_8, n_written_at);
	bpf_code_compute(&program->code, BPF_ADD, BPF_REG_3, 1);
	bpf_code_store(&program->code, BPF_REG_8, n_written_at, BPF_REG_3, 8);
	bpf_code_compute(&program->code, BPF_AND, BPF_REG_3,
			 (int32_t)(options->n_until_wake_up - 1));
	bpf_code_move(&program->code, BPF_REG_1, BPF_REG_9, 0);
	bpf_code_number(&program->code, BPF_REG_2, BPF_RB_NO_WAKEUP);
	jump = bpf_code_jump(&program->code, BPF_JNE, BPF_REG_3, 0);
	bpf_code_number(&program->code, BPF_REG_2, BPF_RB_FORCE_WAKEUP);
	bpf_code_jump_here(&program->code, jump);
	bpf_code_call(&program->code, BPF_FUNC_ringbuf_submit);
}

/* 0: the kernel is to make no record of its own. */
static void emit_return(struct bpf_program *program)
{
	bpf_code_number(&program->code, BPF_REG_0, 0);
	bpf_code_add(&program->code, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

int bpf_program_make(struct bpf_program *program, const struct probe_point *point,
		     const struct bpf_program_options *options)
{
	size_t losses[MAX_LOSSES];
	size_t texts_at;
	size_t when_off;
	int r;

	program->code.n_insns = 0;
	r = measure(&texts_at, &program->record_bytes, point);
	if (r < 0)
		return r;
	bpf_code_move(&program->code, BPF_REG_6, BPF_REG_1, 0);
	bpf_code_map(&program->code, BPF_REG_7, BPF_PSEUDO_MAP_VALUE, options->state_fd);
	bpf_code_load(&program->code, BPF_REG_0, BPF_REG_7,
		      offsetof(struct bpf_program_state, is_on));
	when_off = bpf_code_jump(&program->code, BPF_JEQ, BPF_REG_0, 0);
	emit_reserve(program, options, losses);
	emit_head(program, point, options->point);
	emit_fields(program, point, texts_at);
	emit_submit(program, options);
	bpf_code_jump_here(&program->code, when_off);
	emit_return(program);
	for (size_t i = 0; i < MAX_LOSSES; i++)
		bpf_code_jump_here(&program->code, losses[i]);
	bpf_code_number(&program->code, BPF_REG_1, 1);
	bpf_code_add(&program->code, BPF_STX | BPF_ATOMIC | BPF_DW, BPF_REG_8, BPF_REG_1,
		     offsetof(struct bpf_program_cpu, n_lost), BPF_ADD);
	emit_return(program);
	return program->code.n_insns > BPF_CODE_MAX_INSNS ? -E2BIG : 0;
}
