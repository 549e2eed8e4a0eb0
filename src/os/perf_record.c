/*
 * The layouts are those of <linux/perf_event.h>: a header, fields by type, and
 * for everything but samples a trailer with the fields of sample_type that every
 * record has (sample_id_all).
 */
#include "os/perf_record.h"

#include <linux/perf_event.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

#ifndef PERF_RECORD_MISC_MMAP_BUILD_ID
#define PERF_RECORD_MISC_MMAP_BUILD_ID (1 << 14)
#endif

enum {
	HEADER_BYTES = sizeof(struct perf_event_header),
	REGISTERS_ABI_64 = 2, /* PERF_SAMPLE_REGS_ABI_64 */
	KERNEL_IPS_MAX = 1024,
};

#if defined(__x86_64__)
/* The kernel's order is ax bx cx dx si di bp sp ip, then r8 to r15 (bits 16 to 23). */
#define REGISTER_MASK UINT64_C(0xff01ff)
enum { IP_AT = 8 };
static const uint8_t dwarf_numbers[] = { 0, 3, 2, 1, 4, 5, 6, 7, 16, 8, 9, 10, 11, 12, 13, 14, 15 };
#elif defined(__aarch64__)
/* x0 to x29, lr, sp, pc: already DWARF's numbers. */
#define REGISTER_MASK UINT64_C(0x1ffffffff)
enum { IP_AT = 32 };
static const uint8_t dwarf_numbers[] = { 0,  1,	 2,  3,	 4,  5,	 6,  7,	 8,  9,	 10,
					 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
					 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32 };
#endif

uint64_t perf_record_register_mask(void)
{
	return REGISTER_MASK;
}

static struct perf_event_header header_of(const uint8_t *bytes)
{
	struct perf_event_header header;

	memcpy(&header, bytes, sizeof(header));
	return header;
}

static size_t trailer_bytes(const struct perf_layout *layout)
{
	static const uint64_t fields = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_ID |
				       PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
				       PERF_SAMPLE_IDENTIFIER;

	return (size_t)__builtin_popcountll(layout->sample_type & fields) * sizeof(uint64_t);
}

uint64_t perf_record_time_ns(const struct perf_layout *layout, const uint8_t *bytes,
			     size_t size_bytes)
{
	const size_t trailer = trailer_bytes(layout);
	const size_t tid = layout->sample_type & PERF_SAMPLE_TID ? sizeof(uint64_t) : 0;
	size_t start;
	struct bytes at;

	if (size_bytes < HEADER_BYTES || !(layout->sample_type & PERF_SAMPLE_TIME))
		return 0;
	if (header_of(bytes).type == PERF_RECORD_SAMPLE) {
		start = HEADER_BYTES + tid;
		if (layout->sample_type & PERF_SAMPLE_IDENTIFIER)
			start += sizeof(uint64_t);
		if (layout->sample_type & PERF_SAMPLE_IP)
			start += sizeof(uint64_t);
	} else {
		if (size_bytes < HEADER_BYTES + trailer)
			return 0;
		start = size_bytes - trailer + tid;
	}
	at = bytes_of(bytes, size_bytes);
	(void)bytes_take(&at, start);
	return bytes_u64(&at);
}

size_t perf_record_ip_offset(const struct perf_layout *layout)
{
	static const uint64_t words = PERF_SAMPLE_IDENTIFIER | PERF_SAMPLE_IP | PERF_SAMPLE_TID |
				      PERF_SAMPLE_TIME | PERF_SAMPLE_STREAM_ID | PERF_SAMPLE_CPU |
				      PERF_SAMPLE_READ | PERF_SAMPLE_CALLCHAIN;
	static const uint64_t behind = PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	const uint64_t type = layout->sample_type;
	int n_words = __builtin_popcountll(type & words);

	if (!(type & PERF_SAMPLE_REGS_USER) || type & ~(words | behind))
		return 0;
	/* Behind the value that is read is what its format adds. */
	if (type & PERF_SAMPLE_READ)
		n_words += __builtin_popcountll(layout->read_format);
	/* The registers come behind their ABI. */
	return HEADER_BYTES + ((size_t)n_words + 1 + IP_AT) * sizeof(uint64_t);
}

static void parse_read(struct sampler_record *record, uint64_t format, struct bytes *at)
{
	record->read_value = bytes_u64(at);
	if (format & PERF_FORMAT_TOTAL_TIME_ENABLED)
		(void)bytes_u64(at);
	if (format & PERF_FORMAT_TOTAL_TIME_RUNNING)
		record->read_time_ns = bytes_u64(at);
	if (format & PERF_FORMAT_ID)
		(void)bytes_u64(at);
	if (format & PERF_FORMAT_LOST)
		(void)bytes_u64(at);
}

/* Context markers are addresses at the very top; they come before the ips of their kind. */
static void parse_callchain(struct raw_sample *sample, struct bytes *at)
{
	const uint64_t n_ips = bytes_u64(at);
	const uint8_t *ips;
	uint64_t first = 0;

	if (n_ips > bytes_left(at) / sizeof(uint64_t)) {
		at->is_bad = true;
		return;
	}
	ips = bytes_take(at, n_ips * sizeof(uint64_t));
	if (!ips)
		return;
	sample->kernel_ips = (const void *)ips;
	while (first < n_ips && sample->kernel_ips[first] >= (uint64_t)PERF_CONTEXT_MAX)
		first++;
	sample->kernel_ips += first;
	while (first < n_ips && sample->n_kernel_ips < KERNEL_IPS_MAX &&
	       sample->kernel_ips[sample->n_kernel_ips] < (uint64_t)PERF_CONTEXT_MAX) {
		sample->n_kernel_ips++;
		first++;
	}
}

static void parse_registers(struct raw_sample *sample, struct bytes *at)
{
	const uint64_t abi = bytes_u64(at);

	sample->registers.arch = ARCH_NATIVE;
	if (!abi)
		return;
	for (size_t i = 0; i < sizeof(dwarf_numbers); i++)
		sample->registers.values[dwarf_numbers[i]] = bytes_u64(at);
	/* A 32-bit program's registers would unwind to nonsense. */
	sample->has_registers = abi == REGISTERS_ABI_64;
}

/* Only what was really copied is valid: behind it are bytes of older records. */
static void parse_stack(struct raw_sample *sample, struct bytes *at)
{
	const uint64_t asked = bytes_u64(at);
	uint64_t copied;

	if (!asked)
		return;
	sample->stack_bytes = bytes_take(at, asked);
	copied = bytes_u64(at);
	if (at->is_bad)
		return;
	sample->stack_asked_bytes = asked;
	sample->stack_size_bytes = copied < asked ? copied : asked;
}

static void parse_raw(struct sampler_hit *probe, struct bytes *at)
{
	const uint32_t size_bytes = bytes_u32(at);

	probe->bytes = bytes_take(at, size_bytes);
	probe->size_bytes = probe->bytes ? size_bytes : 0;
}

static void parse_sample(struct sampler_record *record, const struct perf_layout *layout,
			 struct bytes *at)
{
	const uint64_t type = layout->sample_type;
	struct raw_sample *sample = &record->sample;

	if (type & PERF_SAMPLE_IDENTIFIER)
		(void)bytes_u64(at);
	if (type & PERF_SAMPLE_IP)
		(void)bytes_u64(at);
	if (type & PERF_SAMPLE_TID) {
		record->pid = bytes_u32(at);
		record->tid = bytes_u32(at);
	}
	if (type & PERF_SAMPLE_TIME)
		record->time_ns = bytes_u64(at);
	if (type & PERF_SAMPLE_STREAM_ID)
		record->stream_id = bytes_u64(at);
	if (type & PERF_SAMPLE_CPU) {
		sample->cpu = bytes_u32(at);
		(void)bytes_u32(at);
	}
	if (type & PERF_SAMPLE_READ)
		parse_read(record, layout->read_format, at);
	if (type & PERF_SAMPLE_CALLCHAIN)
		parse_callchain(sample, at);
	if (type & PERF_SAMPLE_RAW)
		parse_raw(&record->probe, at);
	if (type & PERF_SAMPLE_REGS_USER)
		parse_registers(sample, at);
	if (type & PERF_SAMPLE_STACK_USER)
		parse_stack(sample, at);
	sample->pid = record->pid;
	sample->tid = record->tid;
	sample->time_ns = record->time_ns;
	record->kind = SAMPLER_RECORD_SAMPLE;
}

static void parse_trailer(struct sampler_record *record, const struct perf_layout *layout,
			  struct bytes *at)
{
	if (layout->sample_type & PERF_SAMPLE_TID) {
		record->pid = bytes_u32(at);
		record->tid = bytes_u32(at);
	}
	if (layout->sample_type & PERF_SAMPLE_TIME)
		record->time_ns = bytes_u64(at);
}

/* A text that must end inside the record. */
static const char *parse_text(struct bytes *at)
{
	const char *text = bytes_string(at);

	return text ? text : "";
}

static void parse_mapping(struct sampler_record *record, uint16_t type, uint16_t misc,
			  struct bytes *at)
{
	struct sampler_mapping *map = &record->map;

	record->kind = SAMPLER_RECORD_MAP;
	record->pid = bytes_u32(at);
	record->tid = bytes_u32(at);
	map->start = bytes_u64(at);
	map->size_bytes = bytes_u64(at);
	map->file_offset = bytes_u64(at);
	map->is_executable = true;
	if (type == PERF_RECORD_MMAP2) {
		struct bytes identity = bytes_sub(at, 24);

		if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
			const uint8_t size = bytes_u8(&identity);

			(void)bytes_take(&identity, 3);
			map->build_id_size = size < SAMPLER_BUILD_ID_MAX_BYTES
						     ? size
						     : SAMPLER_BUILD_ID_MAX_BYTES;
			if (bytes_left(&identity) >= SAMPLER_BUILD_ID_MAX_BYTES)
				memcpy(map->build_id, identity.at, SAMPLER_BUILD_ID_MAX_BYTES);
		} else {
			map->device_major = bytes_u32(&identity);
			map->device_minor = bytes_u32(&identity);
			map->inode = bytes_u64(&identity);
		}
		map->is_executable = bytes_u32(at) & PROT_EXEC;
		(void)bytes_u32(at);
	} else {
		map->is_executable = !(misc & PERF_RECORD_MISC_MMAP_DATA);
	}
	map->path = parse_text(at);
	if (map->size_bytes > UINT64_MAX - map->start)
		at->is_bad = true;
}

static void parse_task(struct sampler_record *record, enum sampler_record_kind kind,
		       struct bytes *at)
{
	record->kind = kind;
	record->pid = bytes_u32(at);
	record->parent_pid = bytes_u32(at);
	record->tid = bytes_u32(at);
	record->parent_tid = bytes_u32(at);
}

static void parse_other(struct sampler_record *record, const struct perf_layout *layout,
			struct perf_event_header header, struct bytes *at)
{
	const size_t trailer = trailer_bytes(layout);
	struct bytes body;

	if (bytes_left(at) < trailer) {
		at->is_bad = true;
		return;
	}
	body = bytes_sub(at, bytes_left(at) - trailer);
	parse_trailer(record, layout, at);
	switch (header.type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		parse_mapping(record, (uint16_t)header.type, header.misc, &body);
		break;
	case PERF_RECORD_COMM:
		record->kind = SAMPLER_RECORD_COMM;
		record->is_exec = header.misc & PERF_RECORD_MISC_COMM_EXEC;
		record->pid = bytes_u32(&body);
		record->tid = bytes_u32(&body);
		record->comm = parse_text(&body);
		break;
	case PERF_RECORD_FORK:
		parse_task(record, SAMPLER_RECORD_FORK, &body);
		break;
	case PERF_RECORD_EXIT:
		parse_task(record, SAMPLER_RECORD_EXIT, &body);
		break;
	case PERF_RECORD_LOST:
		record->kind = SAMPLER_RECORD_LOST;
		(void)bytes_u64(&body);
		record->n_lost = bytes_u64(&body);
		break;
	case PERF_RECORD_LOST_SAMPLES:
		record->kind = SAMPLER_RECORD_LOST_SAMPLES;
		record->n_lost = bytes_u64(&body);
		break;
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		record->kind = header.misc & PERF_RECORD_MISC_SWITCH_OUT ? SAMPLER_RECORD_SWITCH_OUT
									 : SAMPLER_RECORD_SWITCH_IN;
		record->is_preempted = header.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
		break;
	case PERF_RECORD_THROTTLE:
		record->kind = SAMPLER_RECORD_THROTTLE;
		break;
	case PERF_RECORD_UNTHROTTLE:
		record->kind = SAMPLER_RECORD_UNTHROTTLE;
		break;
	default:
		record->kind = SAMPLER_RECORD_OTHER;
		break;
	}
	at->is_bad |= body.is_bad;
}

void perf_record_parse(struct sampler_record *record, const struct perf_layout *layout,
		       const uint8_t *bytes, size_t size_bytes)
{
	struct bytes at = bytes_of(bytes, size_bytes);
	struct perf_event_header header;

	sampler_record_clear(record);
	if (size_bytes < HEADER_BYTES)
		return;
	header = header_of(bytes);
	(void)bytes_take(&at, HEADER_BYTES);
	if (header.type == PERF_RECORD_SAMPLE) {
		const uint16_t mode = header.misc & PERF_RECORD_MISC_CPUMODE_MASK;

		record->sample.is_in_kernel = mode == PERF_RECORD_MISC_KERNEL;
		parse_sample(record, layout, &at);
	} else {
		parse_other(record, layout, header, &at);
	}
	if (at.is_bad)
		record->kind = SAMPLER_RECORD_BAD;
}
