/* A stack of open calls for each thread; see probe_calls.h. */
#include "record/probe_calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "os/bpf_stack_program.h"
#include "os/probe_price.h"
#include "record/probe_fields.h"
#include "record/probe_inlines.h"
#include "record/probe_mend.h"

/* As long as a stack dump can be; beyond so many places none is remembered. */
enum { MENDED_BYTES = BPF_STACK_MOST_BYTES, MAX_IPS = 1 << 16 };

#if defined(__x86_64__)
enum { RETURN_ADDRESS_BYTES = 8 };
#elif defined(__aarch64__)
enum { RETURN_ADDRESS_BYTES = 0 }; /* it is in a register */
#endif

int probe_calls_init(struct probe_calls *calls, const struct probe_plan *plan,
		     struct marks_store *store, struct process_table *processes)
{
	*calls = (struct probe_calls){ .store = store, .processes = processes };
	if (!plan || !plan->n_probes)
		return 0;
	calls->plan = plan;
	calls->sites = calloc(plan->n_probes, sizeof(*calls->sites));
	calls->n_hits = calloc(plan->n_probes, sizeof(*calls->n_hits));
	calls->stack_bytes = malloc(MENDED_BYTES);
	return calls->sites && calls->n_hits && calls->stack_bytes ? 0 : -ENOMEM;
}

static void forget_marks(struct probe_thread *thread)
{
	if (thread->marks)
		mark_thread_free(thread->marks);
	thread->marks = NULL;
}

void probe_calls_release(struct probe_calls *calls)
{
	for (size_t i = 0; i < calls->n_threads; i++) {
		forget_marks(calls->threads[i]);
		for (size_t j = 0; j < PROBE_CALLS_MAX_DEPTH; j++)
			buffer_release(&calls->threads[i]->texts[j]);
		free(calls->threads[i]);
	}
	free(calls->threads);
	free(calls->sites);
	free(calls->n_hits);
	free(calls->stack_bytes);
	hash_index_release(&calls->index);
	hash_index_release(&calls->ip_index);
	free(calls->ips);
	buffer_release(&calls->text);
	*calls = (struct probe_calls){ 0 };
}

static struct probe_thread *find_thread(const struct probe_calls *calls, uint32_t tid)
{
	struct hash_cursor cursor = hash_index_cursor(&calls->index, hash_u64(tid));
	uint32_t at;

	while ((at = hash_index_next(&calls->index, &cursor)) != HASH_INDEX_NONE)
		if (calls->threads[at]->tid == tid)
			return calls->threads[at];
	return NULL;
}

static struct probe_thread *get_thread(struct probe_calls *calls, uint32_t pid, uint32_t tid)
{
	struct probe_thread *thread = find_thread(calls, tid);
	struct probe_thread **grown;

	if (thread) {
		thread->pid = pid;
		return thread;
	}
	grown = array_grown(calls->threads, &calls->threads_capacity, calls->n_threads + 1,
			    sizeof(*grown));
	if (!grown)
		return NULL;
	calls->threads = grown;
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->pid = pid;
	thread->tid = tid;
	if (hash_index_add(&calls->index, hash_u64(tid), (uint32_t)calls->n_threads) < 0) {
		free(thread);
		return NULL;
	}
	grown[calls->n_threads++] = thread;
	return thread;
}

static bool is_probe(const struct probe_calls *calls, uint64_t ip)
{
	struct hash_cursor cursor = hash_index_cursor(&calls->ip_index, hash_u64(ip));
	uint32_t at;

	while ((at = hash_index_next(&calls->ip_index, &cursor)) != HASH_INDEX_NONE)
		if (calls->ips[at] == ip)
			return true;
	return false;
}

/* The places where the kernel has put break points, as far as anybody came by. */
static int remember_ip(struct probe_calls *calls, uint64_t ip)
{
	uint64_t *grown;

	if (is_probe(calls, ip) || calls->n_ips == MAX_IPS)
		return 0;
	grown = array_grown(calls->ips, &calls->ips_capacity, calls->n_ips + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	calls->ips = grown;
	grown[calls->n_ips] = ip;
	return hash_index_add(&calls->ip_index, hash_u64(ip), (uint32_t)calls->n_ips++);
}

static int site_of(struct probe_calls *calls, uint32_t index, uint32_t *ret_site)
{
	const struct probe *probe = &calls->plan->probes[index];
	const struct mark_site_text text = {
		.name = probe->name,
		.name_bytes = strlen(probe->name),
		.kind = probe->spec->is_scope ? MARK_SCOPE : MARK_MILESTONE,
		.source = MARK_SOURCE_PROBE,
	};

	if (!calls->sites[index]) {
		if (mark_sites_get(&calls->store->sites, ret_site, &text) < 0)
			return -ENOMEM;
		calls->sites[index] = *ret_site + 1;
	}
	*ret_site = calls->sites[index] - 1;
	return 0;
}

static int know_marks(struct probe_calls *calls, struct probe_thread *thread)
{
	struct live_thread *live;

	if (thread->marks)
		return 0;
	live = process_table_thread(calls->processes, thread->pid, thread->tid);
	thread->marks = live ? mark_thread_get(live, calls) : NULL;
	return thread->marks ? 0 : -ENOMEM;
}

static struct mark_text text_of(const struct buffer *buffer)
{
	return (struct mark_text){ .bytes = buffer_string(buffer), .size_bytes = buffer->size };
}

static int add_milestone(struct probe_calls *calls, struct probe_thread *thread, uint32_t probe,
			 uint64_t time_ns)
{
	uint32_t site;
	int r = site_of(calls, probe, &site);

	if (r == 0)
		r = mark_thread_milestone(thread->marks, calls->store, site, time_ns);
	return r < 0 ? r : mark_thread_data(thread->marks, calls->store, text_of(&calls->text));
}

static int begin_call(struct probe_calls *calls, struct probe_thread *thread,
		      const struct probe_call *call)
{
	uint32_t site;
	int r;

	if (!calls->plan->probes[call->probe].spec->is_scope)
		return 0;
	r = site_of(calls, call->probe, &site);
	if (r == 0)
		r = mark_thread_begin(thread->marks, calls->store, site, call->start_ns);
	if (r == 0 && calls->text.size)
		r = mark_thread_arguments(thread->marks, text_of(&calls->text));
	return r;
}

/* It is the innermost of its thread.  `is_seen`: it returned, with what is in calls->text. */
static int end_call(struct probe_calls *calls, struct probe_thread *thread,
		    const struct probe_call *call, bool is_seen, uint64_t time_ns)
{
	static const char no_return[] = "no return was seen";
	const struct mark_text error = { no_return, sizeof(no_return) - 1 };
	uint32_t site;
	int r;

	if (call->is_inherited || !calls->plan->probes[call->probe].spec->is_scope)
		return 0;
	r = site_of(calls, call->probe, &site);
	if (r < 0)
		return r;
	if (!is_seen)
		r = mark_thread_error(thread->marks, error);
	else if (calls->plan->probes[call->probe].spec->has_result)
		r = mark_thread_arguments(thread->marks, text_of(&calls->text));
	return r < 0 ? r : mark_thread_end(thread->marks, calls->store, site, time_ns);
}

/* The innermost calls down to `n_left`, which were jumped out of. */
static int cut_calls(struct probe_calls *calls, struct probe_thread *thread, size_t n_left,
		     uint64_t time_ns)
{
	int r = 0;

	while (r == 0 && thread->n_open > n_left)
		r = end_call(calls, thread, &thread->open[--thread->n_open], false, time_ns);
	return r;
}

static bool is_trampoline(const struct probe_calls *calls, uint32_t pid, uint64_t ip)
{
	const struct live_process *process = process_table_process(calls->processes, pid);

	return process && process->trampoline && ip == process->trampoline;
}

/*
 * Who was called at this height of the stack or below is no more; unless it
 * jumped here in place of a call, and then both return at once.
 */
static size_t n_alive(const struct probe_thread *thread, uint64_t sp, bool is_jumped_to)
{
	size_t n = thread->n_open;

	while (n &&
	       (thread->open[n - 1].slot < sp || (thread->open[n - 1].slot == sp && !is_jumped_to)))
		n--;
	return n;
}

static int take_entry(struct probe_calls *calls, struct probe_thread *thread, uint32_t probe,
		      const struct sampler_record *record)
{
	const struct probe *traced = &calls->plan->probes[probe];
	struct probe_call call = { .probe = probe, .start_ns = record->time_ns };
	struct probe_entry_fields fields;
	bool is_jumped_to;
	int r;

	if (!probe_fields_read_entry(&fields, &calls->text, traced->spec, traced->has_arguments,
				     record->probe.bytes, record->probe.size_bytes))
		return 0;
	if (thread->last_ip != record->probe.ip && remember_ip(calls, record->probe.ip) < 0)
		return -ENOMEM;
	thread->last_ip = record->probe.ip;
	thread->last_sp = fields.sp;
	if (!probe_spec_has_return(traced->spec))
		return add_milestone(calls, thread, probe, record->time_ns);
	is_jumped_to = is_trampoline(calls, record->pid, fields.return_ip);
	r = cut_calls(calls, thread, n_alive(thread, fields.sp, is_jumped_to), record->time_ns);
	if (r < 0)
		return r;
	if (thread->n_open == PROBE_CALLS_MAX_DEPTH) {
		calls->n_too_deep++;
		return 0;
	}
	call.slot = fields.sp;
	call.return_ip = fields.return_ip;
	buffer_clear(&thread->texts[thread->n_open]);
	buffer_add_string(&thread->texts[thread->n_open], buffer_string(&calls->text));
	thread->open[thread->n_open++] = call;
	return begin_call(calls, thread, &call);
}

static int take_return(struct probe_calls *calls, struct probe_thread *thread, uint32_t probe,
		       const struct sampler_record *record)
{
	const struct probe *traced = &calls->plan->probes[probe];
	uint64_t slot;
	size_t i;
	int r;

	if (!probe_fields_read_sp_of_return(&slot, record->probe.bytes, record->probe.size_bytes))
		return 0;
	slot -= RETURN_ADDRESS_BYTES;
	for (i = thread->n_open; i > 0; i--)
		if (thread->open[i - 1].slot == slot && thread->open[i - 1].probe == probe)
			break;
	r = i ? cut_calls(calls, thread, i, record->time_ns) : 0;
	if (r < 0)
		return r;
	if (i) {
		thread->ended = thread->open[--thread->n_open];
		buffer_add_string(&calls->text, buffer_string(&thread->texts[thread->n_open]));
	} else {
		calls->n_unmatched++;
	}
	(void)probe_fields_read_return(&calls->text, traced->spec, record->probe.bytes,
				       record->probe.size_bytes);
	if (!traced->spec->is_scope)
		return add_milestone(calls, thread, probe, record->time_ns);
	return i ? end_call(calls, thread, &thread->ended, true, record->time_ns) : 0;
}

/* Other calls may be where these were: a cut stack is better than a wrong one. */
static void forget_returns(struct probe_calls *calls)
{
	for (size_t i = 0; i < calls->n_threads; i++) {
		struct probe_thread *thread = calls->threads[i];

		for (size_t j = 0; j < thread->n_open; j++)
			thread->open[j].return_ip = 0;
		thread->ended = (struct probe_call){ 0 };
	}
}

int probe_calls_take(struct probe_calls *calls, const struct sampler_record *record)
{
	const struct probe_plan *plan = calls->plan;
	struct probe_thread *thread;
	uint32_t probe;

	if (record->kind == SAMPLER_RECORD_LOST_PROBES) {
		calls->n_lost += record->n_lost;
		forget_returns(calls);
		return 0;
	}
	if (!plan || record->probe.index >= plan->n_points)
		return 0;
	thread = get_thread(calls, record->pid, record->tid);
	if (!thread || know_marks(calls, thread) < 0)
		return -ENOMEM;
	probe = plan->owners[record->probe.index];
	buffer_clear(&calls->text);
	if (plan->points[record->probe.index].is_return)
		return take_return(calls, thread, probe, record);
	calls->n_hits[probe]++;
	return take_entry(calls, thread, probe, record);
}

int probe_calls_fork(struct probe_calls *calls, const struct sampler_record *record)
{
	const struct probe_thread *parent;
	struct probe_thread *child;

	if (!calls->plan || record->pid == record->parent_pid)
		return 0;
	parent = find_thread(calls, record->parent_tid);
	if (!parent || !parent->n_open)
		return 0;
	child = get_thread(calls, record->pid, record->tid);
	if (!child)
		return -ENOMEM;
	memcpy(child->open, parent->open, sizeof(child->open));
	child->n_open = parent->n_open;
	for (size_t i = 0; i < child->n_open; i++)
		child->open[i].is_inherited = true;
	return 0;
}

static int finish_thread(struct probe_calls *calls, struct probe_thread *thread, uint64_t time_ns)
{
	const int r = thread->marks ? mark_thread_finish(thread->marks, calls->store, time_ns) : 0;

	forget_marks(thread);
	thread->n_open = 0;
	thread->ended = (struct probe_call){ 0 };
	thread->last_ip = thread->last_sp = 0;
	return r;
}

int probe_calls_end_thread(struct probe_calls *calls, uint32_t tid, uint64_t time_ns)
{
	struct probe_thread *thread = calls->plan ? find_thread(calls, tid) : NULL;

	return thread ? finish_thread(calls, thread, time_ns) : 0;
}

int probe_calls_finish(struct probe_calls *calls, uint64_t time_ns)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < calls->n_threads; i++)
		r = finish_thread(calls, calls->threads[i], time_ns);
	return r;
}

struct probe_summary probe_calls_sum_up(const struct probe_calls *calls,
					const struct profile *profile, bool has_programs)
{
	const enum probe_price_way way = has_programs ? PROBE_PRICE_PROGRAMS : PROBE_PRICE_RECORDS;
	struct probe_summary summary = { .n_lost = calls->n_lost,
					 .n_too_deep = calls->n_too_deep,
					 .n_unmatched = calls->n_unmatched };
	const struct probe *inlined = calls->plan ? probe_inlines_find(calls->plan, profile) : NULL;
	struct probe_price price = { 0 };
	double cost_ns = 0;

	summary.inlined = inlined ? inlined->name : NULL;
	for (size_t i = 0; calls->plan && i < calls->plan->n_probes; i++) {
		summary.n_hits += calls->n_hits[i];
		summary.n_never_hit += !calls->n_hits[i];
		if (!calls->n_hits[i] && !summary.never_hit)
			summary.never_hit = calls->plan->probes[i].name;
	}
	/* Measuring takes a second, so few hits some hundredths of one at most. */
	if (summary.n_hits < PRICE_MIN_HITS || probe_price_measure(&price, way, NULL) < 0)
		return summary;
	for (size_t i = 0; i < calls->plan->n_probes; i++) {
		const struct probe *probe = &calls->plan->probes[i];

		cost_ns += (double)calls->n_hits[i] *
			   ((probe_spec_has_return(probe->spec) ? price.call_ns : price.entry_ns) +
			    (probe->is_stepped ? price.stepped_ns : 0));
	}
	summary.cost_ns = (uint64_t)cost_ns;
	return summary;
}

/* Both pieces of it, one behind the other. */
static bool copy_stack(struct probe_calls *calls, struct raw_sample *mended)
{
	const size_t size = mended->stack_size_bytes;
	const size_t top_size = mended->top_bytes ? mended->top_size_bytes : 0;

	if (size > MENDED_BYTES || top_size > MENDED_BYTES - size)
		return false;
	memcpy(calls->stack_bytes, mended->stack_bytes, size);
	mended->stack_bytes = calls->stack_bytes;
	if (top_size) {
		memcpy(calls->stack_bytes + size, mended->top_bytes, top_size);
		mended->top_bytes = calls->stack_bytes + size;
	}
	return true;
}

const struct raw_sample *probe_calls_mend(struct probe_calls *calls, uint64_t trampoline,
					  const struct raw_sample *raw)
{
	const struct probe_thread *thread = calls->plan && trampoline && raw->has_registers
						    ? find_thread(calls, raw->tid)
						    : NULL;
	struct raw_sample *mended = &calls->mended;
	bool is_changed;

	if (!thread)
		return raw;
	*mended = *raw;
	is_changed = probe_mend_registers(mended, thread, trampoline,
					  is_probe(calls, registers_pc(&raw->registers) - 1));
	if (!mended->stack_bytes || !probe_mend_is_needed(mended, thread, trampoline) ||
	    !copy_stack(calls, mended))
		return is_changed ? mended : raw;
	probe_mend_stack(mended, calls->stack_bytes, thread, trampoline);
	return mended;
}
