/* Records as the kernel writes them, and as it never should. */
#include "unit.h"

#include "base/buffer.h"
#include "os/perf_record.h"

/* Numbers of <linux/perf_event.h>, which belongs to src/os alone. */
enum {
	TYPE_LOST = 2,
	TYPE_COMM = 3,
	TYPE_FORK = 7,
	TYPE_SAMPLE = 9,
	TYPE_SWITCH = 14,
	TYPE_SWITCH_CPU_WIDE = 15,
	TYPE_MMAP2 = 10,
	MISC_KERNEL = 1,
	MISC_COMM_EXEC = 1 << 13,
	MISC_BUILD_ID = 1 << 14,
	MISC_SWITCH_OUT = 1 << 13,
	MISC_PREEMPT = 1 << 14,
	SAMPLE_TID = 1 << 1,
	SAMPLE_TIME = 1 << 2,
	SAMPLE_READ = 1 << 4,
	SAMPLE_CALLCHAIN = 1 << 5,
	SAMPLE_CPU = 1 << 7,
	SAMPLE_STREAM_ID = 1 << 9,
	SAMPLE_REGS = 1 << 12,
	SAMPLE_STACK = 1 << 13,
	FORMAT_TIMES = 3,
	FORMAT_LOST = 16,
	N_REGISTERS = ARCH_NATIVE == ARCH_X86_64 ? 17 : 33,
};

static const struct perf_layout sampler = {
	.sample_type = SAMPLE_TID | SAMPLE_TIME | SAMPLE_READ | SAMPLE_CALLCHAIN | SAMPLE_CPU |
		       SAMPLE_STREAM_ID | SAMPLE_REGS | SAMPLE_STACK,
	.read_format = FORMAT_TIMES | FORMAT_LOST,
};

static const struct perf_layout sideband = { .sample_type = SAMPLE_TID | SAMPLE_TIME | SAMPLE_CPU };

static void begin(struct buffer *out, uint32_t type, uint16_t misc)
{
	buffer_clear(out);
	buffer_add_u32(out, type);
	buffer_add_u16(out, misc);
	buffer_add_u16(out, 0);
}

static void add_sideband_trailer(struct buffer *out)
{
	buffer_add_u32(out, 10);
	buffer_add_u32(out, 11);
	buffer_add_u64(out, 5000);
	buffer_add_u64(out, 1);
}

static void end(struct buffer *out)
{
	const uint16_t size = (uint16_t)out->size;

	memcpy(out->data + 6, &size, sizeof(size));
}

static void parse(struct sampler_record *record, const struct perf_layout *layout,
		  struct buffer *out)
{
	end(out);
	perf_record_parse(record, layout, (const uint8_t *)out->data, out->size);
}

static void add_sample_head(struct buffer *out)
{
	begin(out, TYPE_SAMPLE, MISC_KERNEL);
	buffer_add_u32(out, 10);
	buffer_add_u32(out, 11);
	buffer_add_u64(out, 7777);
	buffer_add_u64(out, 42); /* stream */
	buffer_add_u64(out, 1);	 /* cpu */
	buffer_add_u64(out, 123456);
	buffer_add_u64(out, 200);
	buffer_add_u64(out, 100);
	buffer_add_u64(out, 0); /* lost */
}

static void add_kernel_chain(struct buffer *out)
{
	buffer_add_u64(out, 3);
	buffer_add_u64(out, (uint64_t)-128);
	buffer_add_u64(out, UINT64_C(0xffffffff81000010));
	buffer_add_u64(out, UINT64_C(0xffffffff81000020));
}

static void add_registers(struct buffer *out, uint64_t abi)
{
	buffer_add_u64(out, abi);
	for (uint64_t i = 0; abi && i < N_REGISTERS; i++)
		buffer_add_u64(out, 100 + i);
}

static void add_stack(struct buffer *out, uint64_t copied)
{
	buffer_add_u64(out, 32);
	for (uint64_t i = 0; i < 4; i++)
		buffer_add_u64(out, i);
	buffer_add_u64(out, copied);
}

static void sample__is_decoded_whole(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_sample_head(&bytes);
	add_kernel_chain(&bytes);
	add_registers(&bytes, 2);
	add_stack(&bytes, 16);
	parse(&record, &sampler, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_SAMPLE);
	assert_int_equal(record.sample.pid, 10);
	assert_int_equal(record.sample.tid, 11);
	assert_int_equal(record.sample.time_ns, 7777);
	assert_int_equal(record.sample.cpu, 1);
	assert_int_equal(record.stream_id, 42);
	assert_int_equal(record.read_value, 123456);
	assert_int_equal(record.read_time_ns, 100);
	assert_true(record.sample.is_in_kernel);
	assert_int_equal(record.sample.n_kernel_ips, 2);
	assert_true(record.sample.kernel_ips[0] == UINT64_C(0xffffffff81000010));
	assert_int_equal(record.sample.stack_asked_bytes, 32);
	assert_int_equal(record.sample.stack_size_bytes, 16);
	assert_int_equal(perf_record_time_ns(&sampler, (const uint8_t *)bytes.data, bytes.size),
			 7777);
	buffer_release(&bytes);
}

static void sample__registers_have_the_numbers_of_dwarf(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_sample_head(&bytes);
	add_kernel_chain(&bytes);
	add_registers(&bytes, 2);
	add_stack(&bytes, 16);
	parse(&record, &sampler, &bytes);
	assert_true(record.sample.has_registers);
	/* perf: ax bx cx dx si di bp sp ip; DWARF: rax rdx rcx rbx rsi rdi rbp rsp. */
	if (ARCH_NATIVE == ARCH_X86_64) {
		assert_int_equal(record.sample.registers.values[1], 103);
		assert_int_equal(record.sample.registers.values[X86_64_RBX], 101);
		assert_int_equal(registers_fp(&record.sample.registers), 106);
		assert_int_equal(registers_sp(&record.sample.registers), 107);
		assert_int_equal(registers_pc(&record.sample.registers), 108);
		assert_int_equal(record.sample.registers.values[8], 109);
		assert_int_equal(record.sample.registers.values[15], 116);
	}
	buffer_release(&bytes);
}

/* In user mode, where there is no stack of the kernel. */
static void sample__ip_is_where_its_offset_tells(void **state)
{
	const size_t offset = perf_record_ip_offset(&sampler);
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;
	uint64_t ip = 0;

	(void)state;
	add_sample_head(&bytes);
	buffer_add_u64(&bytes, 0);
	add_registers(&bytes, 2);
	add_stack(&bytes, 16);
	parse(&record, &sampler, &bytes);
	assert_in_range(offset, 1, bytes.size - sizeof(ip));
	memcpy(&ip, bytes.data + offset, sizeof(ip));
	assert_int_equal(ip, registers_pc(&record.sample.registers));
	assert_int_equal(perf_record_ip_offset(&sideband), 0);
	buffer_release(&bytes);
}

static void sample__without_registers_or_of_32_bits_has_none(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	for (uint64_t abi = 0; abi < 2; abi++) {
		add_sample_head(&bytes);
		add_kernel_chain(&bytes);
		add_registers(&bytes, abi);
		buffer_add_u64(&bytes, 0);
		parse(&record, &sampler, &bytes);
		assert_int_equal(record.kind, SAMPLER_RECORD_SAMPLE);
		assert_false(record.sample.has_registers);
		assert_int_equal(record.sample.stack_size_bytes, 0);
	}
	buffer_release(&bytes);
}

static void sample__with_impossible_sizes_is_bad(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_sample_head(&bytes);
	buffer_add_u64(&bytes, UINT64_MAX / 4);
	parse(&record, &sampler, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	add_sample_head(&bytes);
	add_kernel_chain(&bytes);
	add_registers(&bytes, 2);
	buffer_add_u64(&bytes, 65528);
	parse(&record, &sampler, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	assert_int_equal(record.sample.stack_size_bytes, 0);
	buffer_release(&bytes);
}

static void sample__copied_more_than_asked_is_cut(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_sample_head(&bytes);
	add_kernel_chain(&bytes);
	add_registers(&bytes, 2);
	add_stack(&bytes, UINT64_MAX);
	parse(&record, &sampler, &bytes);
	assert_int_equal(record.sample.stack_size_bytes, 32);
	buffer_release(&bytes);
}

static void sample__cut_anywhere_stays_inside(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_sample_head(&bytes);
	add_kernel_chain(&bytes);
	add_registers(&bytes, 2);
	add_stack(&bytes, 16);
	for (size_t size = 0; size < bytes.size; size++) {
		uint64_t *cut = malloc(size + 1);

		assert_non_null(cut);
		memcpy(cut, bytes.data, size);
		perf_record_parse(&record, &sampler, (const uint8_t *)cut, size);
		assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
		(void)perf_record_time_ns(&sampler, (const uint8_t *)cut, size);
		free(cut);
	}
	buffer_release(&bytes);
}

static void add_mmap2(struct buffer *bytes, uint16_t misc)
{
	begin(bytes, TYPE_MMAP2, misc);
	buffer_add_u32(bytes, 10);
	buffer_add_u32(bytes, 11);
	buffer_add_u64(bytes, 0x400000);
	buffer_add_u64(bytes, 0x1000);
	buffer_add_u64(bytes, 0x2000);
}

static void mmap2__with_build_id(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_mmap2(&bytes, MISC_BUILD_ID);
	buffer_add_u32(&bytes, 255); /* a size larger than there is room for */
	buffer_add(&bytes, "abcdefghijklmnopqrst", 20);
	buffer_add_u32(&bytes, 5); /* PROT_READ | PROT_EXEC */
	buffer_add_u32(&bytes, 0);
	buffer_add(&bytes, "/bin/x\0", 8);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_MAP);
	assert_true(record.map.is_executable);
	assert_int_equal(record.map.build_id_size, 20);
	assert_memory_equal(record.map.build_id, "abcdefghijklmnopqrst", 20);
	assert_string_equal(record.map.path, "/bin/x");
	assert_int_equal(record.map.file_offset, 0x2000);
	assert_int_equal(record.time_ns, 5000);
	buffer_release(&bytes);
}

static void mmap2__with_inode(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_mmap2(&bytes, 0);
	buffer_add_u32(&bytes, 8);
	buffer_add_u32(&bytes, 1);
	buffer_add_u64(&bytes, 4711);
	buffer_add_u64(&bytes, 0);
	buffer_add_u32(&bytes, 1); /* not executable */
	buffer_add_u32(&bytes, 0);
	buffer_add(&bytes, "/bin/x\0", 8);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_MAP);
	assert_false(record.map.is_executable);
	assert_int_equal(record.map.inode, 4711);
	assert_int_equal(record.map.device_major, 8);
	assert_int_equal(record.map.build_id_size, 0);
	buffer_release(&bytes);
}

static void mmap2__path_without_end_is_bad(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	add_mmap2(&bytes, 0);
	for (int i = 0; i < 32; i++)
		buffer_add_u8(&bytes, 0);
	buffer_add(&bytes, "/bin/xyz", 8);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	buffer_release(&bytes);
}

static void comm__tells_exec_from_renaming(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	for (int is_exec = 0; is_exec < 2; is_exec++) {
		begin(&bytes, TYPE_COMM, is_exec ? MISC_COMM_EXEC : 0);
		buffer_add_u32(&bytes, 20);
		buffer_add_u32(&bytes, 21);
		buffer_add(&bytes, "make\0\0\0", 8);
		add_sideband_trailer(&bytes);
		parse(&record, &sideband, &bytes);
		assert_int_equal(record.kind, SAMPLER_RECORD_COMM);
		assert_string_equal(record.comm, "make");
		assert_int_equal(record.is_exec, is_exec);
		assert_int_equal(record.pid, 20);
		assert_int_equal(record.tid, 21);
	}
	buffer_release(&bytes);
}

static void fork__names_child_and_parent(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	begin(&bytes, TYPE_FORK, 0);
	buffer_add_u32(&bytes, 30);
	buffer_add_u32(&bytes, 10);
	buffer_add_u32(&bytes, 31);
	buffer_add_u32(&bytes, 11);
	buffer_add_u64(&bytes, 5000);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_FORK);
	assert_int_equal(record.pid, 30);
	assert_int_equal(record.parent_pid, 10);
	assert_int_equal(record.tid, 31);
	assert_int_equal(record.parent_tid, 11);
	buffer_release(&bytes);
}

static void lost__tells_how_many(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	begin(&bytes, TYPE_LOST, 0);
	buffer_add_u64(&bytes, 1);
	buffer_add_u64(&bytes, 99);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_LOST);
	assert_int_equal(record.n_lost, 99);
	buffer_release(&bytes);
}

static void switch__tells_which_way_and_why(void **state)
{
	static const struct {
		uint32_t type;
		uint16_t misc;
		enum sampler_record_kind kind;
		bool is_preempted;
	} switches[] = {
		{ TYPE_SWITCH, 0, SAMPLER_RECORD_SWITCH_IN, false },
		{ TYPE_SWITCH, MISC_SWITCH_OUT, SAMPLER_RECORD_SWITCH_OUT, false },
		{ TYPE_SWITCH, MISC_SWITCH_OUT | MISC_PREEMPT, SAMPLER_RECORD_SWITCH_OUT, true },
		{ TYPE_SWITCH_CPU_WIDE, MISC_SWITCH_OUT, SAMPLER_RECORD_SWITCH_OUT, false },
	};
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	for (size_t i = 0; i < N_ITEMS(switches); i++) {
		begin(&bytes, switches[i].type, switches[i].misc);
		/* Of all CPUs: who comes next.  It is the trailer that tells who leaves. */
		if (switches[i].type == TYPE_SWITCH_CPU_WIDE)
			buffer_add_u64(&bytes, 77);
		add_sideband_trailer(&bytes);
		parse(&record, &sideband, &bytes);
		assert_int_equal(record.kind, switches[i].kind);
		assert_int_equal(record.is_preempted, switches[i].is_preempted);
		assert_int_equal(record.pid, 10);
		assert_int_equal(record.tid, 11);
		assert_int_equal(record.time_ns, 5000);
	}
	begin(&bytes, TYPE_SWITCH, 0);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_BAD);
	buffer_release(&bytes);
}

static void unknown_type__is_other(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record;

	(void)state;
	begin(&bytes, 4000, 0);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.kind, SAMPLER_RECORD_OTHER);
	buffer_release(&bytes);
}

static void records__have_nothing_of_the_one_before(void **state)
{
	struct buffer bytes = BUFFER_INIT;
	struct sampler_record record = {
		.sample = { .pid = 1, .tid = 2, .time_ns = 3, .state = SAMPLE_LOCK },
		.probe = { .index = 4, .ip = 5 },
	};

	(void)state;
	begin(&bytes, 4000, 0);
	add_sideband_trailer(&bytes);
	parse(&record, &sideband, &bytes);
	assert_int_equal(record.sample.pid, 0);
	assert_int_equal(record.sample.tid, 0);
	assert_int_equal(record.sample.time_ns, 0);
	assert_int_equal(record.sample.state, SAMPLE_RUNNING);
	assert_int_equal(record.probe.index, 0);
	assert_int_equal(record.probe.ip, 0);
	buffer_release(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sample__is_decoded_whole),
		cmocka_unit_test(sample__registers_have_the_numbers_of_dwarf),
		cmocka_unit_test(sample__ip_is_where_its_offset_tells),
		cmocka_unit_test(sample__without_registers_or_of_32_bits_has_none),
		cmocka_unit_test(sample__with_impossible_sizes_is_bad),
		cmocka_unit_test(sample__copied_more_than_asked_is_cut),
		cmocka_unit_test(sample__cut_anywhere_stays_inside),
		cmocka_unit_test(mmap2__with_build_id),
		cmocka_unit_test(mmap2__with_inode),
		cmocka_unit_test(mmap2__path_without_end_is_bad),
		cmocka_unit_test(comm__tells_exec_from_renaming),
		cmocka_unit_test(fork__names_child_and_parent),
		cmocka_unit_test(lost__tells_how_many),
		cmocka_unit_test(switch__tells_which_way_and_why),
		cmocka_unit_test(unknown_type__is_other),
		cmocka_unit_test(records__have_nothing_of_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
