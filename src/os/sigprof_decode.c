#include "os/sigprof_decode.h"

#include <string.h>

#include "lib/sigprof_wire.h"

#if defined(__x86_64__)
enum { N_REGISTERS = X86_64_N_REGISTERS };
#else
enum { N_REGISTERS = AARCH64_N_REGISTERS };
#endif

void sigprof_decode_sample(struct sampler_record *record, uint64_t *ret_cpu_ns,
			   const uint8_t *bytes, size_t size_bytes)
{
	const size_t fixed_bytes = sizeof(struct sigprof_sample) + N_REGISTERS * sizeof(uint64_t);
	struct raw_sample *sample = &record->sample;
	struct sigprof_sample wire;

	record->kind = SAMPLER_RECORD_BAD;
	if (size_bytes < fixed_bytes)
		return;
	memcpy(&wire, bytes, sizeof(wire));
	if (wire.n_registers != N_REGISTERS || wire.stack_bytes > SIGPROF_STACK_MAX_BYTES ||
	    wire.stack_asked_bytes > SIGPROF_STACK_MAX_BYTES ||
	    wire.stack_bytes > size_bytes - fixed_bytes)
		return;
	record->kind = SAMPLER_RECORD_SAMPLE;
	record->is_from_sampler = true;
	*sample = (struct raw_sample){
		.time_ns = record->time_ns,
		.cpu = wire.cpu,
		.has_registers = true,
		.registers = { .arch = ARCH_NATIVE },
		.stack_bytes = bytes + fixed_bytes,
		.stack_size_bytes = wire.stack_bytes,
		.stack_asked_bytes = wire.stack_asked_bytes,
	};
	memcpy(sample->registers.values, bytes + sizeof(wire), N_REGISTERS * sizeof(uint64_t));
	*ret_cpu_ns = wire.cpu_ns;
}

void sigprof_decode_map(struct sampler_record *record, const uint8_t *bytes, size_t size_bytes)
{
	struct sigprof_map wire;
	const char *path = (const char *)bytes + sizeof(wire);

	record->kind = SAMPLER_RECORD_BAD;
	if (size_bytes <= sizeof(wire) || !memchr(path, '\0', size_bytes - sizeof(wire)))
		return;
	memcpy(&wire, bytes, sizeof(wire));
	if (!wire.length_bytes || wire.start + wire.length_bytes < wire.start || !*path)
		return;
	record->kind = SAMPLER_RECORD_MAP;
	record->map = (struct sampler_mapping){
		.start = wire.start,
		.size_bytes = wire.length_bytes,
		.file_offset = wire.file_offset,
		.inode = wire.inode,
		.device_major = wire.device_major,
		.device_minor = wire.device_minor,
		.is_executable = true,
		.path = path,
	};
}
