#include "os/sampler_record.h"

#include <string.h>

/* One by one: what `sample` has room for is large, and says what of it is there. */
void sampler_record_clear(struct sampler_record *record)
{
	record->kind = SAMPLER_RECORD_BAD;
	record->is_exec = false;
	record->is_from_sampler = false;
	record->is_after_loss = false;
	record->is_preempted = false;
	record->pid = record->tid = 0;
	record->parent_pid = record->parent_tid = 0;
	record->time_ns = 0;
	record->n_lost = 0;
	record->stream_id = 0;
	record->read_value = record->read_time_ns = 0;
	record->comm = "";
	record->map = (struct sampler_mapping){ .path = "" };
	record->sample.time_ns = record->sample.weight_ns = 0;
	record->sample.pid = record->sample.tid = 0;
	record->sample.state = SAMPLE_RUNNING;
	record->sample.cpu = 0;
	record->sample.has_registers = false;
	record->sample.is_in_kernel = false;
	record->sample.stack_bytes = record->sample.top_bytes = NULL;
	record->sample.stack_size_bytes = record->sample.stack_asked_bytes = 0;
	memset(record->sample.absent_pages, 0, sizeof(record->sample.absent_pages));
	record->sample.next_ip = NULL;
	record->sample.kernel_ips = NULL;
	record->sample.n_kernel_ips = 0;
	record->probe = (struct sampler_hit){ .bytes = NULL };
}
