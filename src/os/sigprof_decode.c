#include "os/sigprof_decode.h"

#include <string.h>

#include "os/sigprof_waits.h"

#if defined(__x86_64__)
enum { N_REGISTERS = X86_64_N_REGISTERS };
#else
enum { N_REGISTERS = AARCH64_N_REGISTERS };
#endif

/* Registers and stack behind a header of `fixed_bytes`; false when they are not all there. */
static bool decode_place(struct raw_sample *sample, const uint8_t *bytes, size_t size_bytes,
			 size_t fixed_bytes, uint32_t n_registers,
			 const struct sigprof_stack *stack)
{
	const size_t before_bytes = fixed_bytes + N_REGISTERS * sizeof(uint64_t);
	const size_t top_at = before_bytes + ((stack->size_bytes + UINT64_C(7)) & ~UINT64_C(7));

	if (size_bytes < before_bytes || n_registers != N_REGISTERS ||
	    stack->size_bytes > SIGPROF_STACK_MOST_BYTES ||
	    stack->asked_bytes > SIGPROF_STACK_MOST_BYTES ||
	    stack->size_bytes > size_bytes - before_bytes)
		return false;
	if (stack->top_bytes && (stack->top_bytes > SIGPROF_STACK_TOP_BYTES ||
				 top_at > size_bytes || stack->top_bytes > size_bytes - top_at))
		return false;
	sample->has_registers = true;
	sample->registers.arch = ARCH_NATIVE;
	sample->stack_bytes = bytes + before_bytes;
	sample->stack_size_bytes = stack->size_bytes;
	sample->stack_asked_bytes = stack->asked_bytes;
	if (stack->top_bytes) {
		sample->top_bytes = bytes + top_at;
		sample->top_address = stack->top;
		sample->top_size_bytes = stack->top_bytes;
	}
	memcpy(sample->registers.values, bytes + fixed_bytes, N_REGISTERS * sizeof(uint64_t));
	return true;
}

void sigprof_decode_sample(struct sampler_record *record, uint64_t *ret_cpu_ns,
			   uint64_t *ret_waited_ns, const uint8_t *bytes, size_t size_bytes)
{
	struct sigprof_sample wire;

	record->kind = SAMPLER_RECORD_BAD;
	if (size_bytes < sizeof(wire))
		return;
	memcpy(&wire, bytes, sizeof(wire));
	record->sample = (struct raw_sample){ .time_ns = record->time_ns, .cpu = wire.cpu };
	if (!decode_place(&record->sample, bytes, size_bytes, sizeof(wire), wire.n_registers,
			  &wire.stack))
		return;
	record->kind = SAMPLER_RECORD_SAMPLE;
	record->is_from_sampler = true;
	*ret_cpu_ns = wire.cpu_ns;
	*ret_waited_ns = wire.waited_ns;
}

void sigprof_decode_wait(struct sampler_record *record, struct sigprof_wait *ret_wait,
			 const uint8_t *bytes, size_t size_bytes)
{
	record->kind = SAMPLER_RECORD_BAD;
	if (size_bytes < sizeof(*ret_wait))
		return;
	memcpy(ret_wait, bytes, sizeof(*ret_wait));
	record->sample = (struct raw_sample){ .time_ns = record->time_ns,
					      .state = sigprof_wait_state(ret_wait->reason) };
	if (decode_place(&record->sample, bytes, size_bytes, sizeof(*ret_wait),
			 ret_wait->n_registers, &ret_wait->stack))
		record->kind = SAMPLER_RECORD_SWITCH_STACK;
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
