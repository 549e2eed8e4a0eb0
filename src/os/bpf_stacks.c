/*
 * A copy reaches to where the thread's outermost frame was found to be, so that it runs
 * into nothing and leaves out what lies above: arguments, environment, the thread's own
 * data.  What is known may get wrong (numbers of threads come again, coroutines have other
 * stacks); then the copy ends early or fails in the kernel, which both show, and the thread's
 * stacks are copied page by page as if nothing were known.
 */
#include "os/bpf_stacks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/units.h"
#include "os/bpf_kernel.h"
#include "os/bpf_stack_program.h"
#include "os/cpus.h"
#include "os/perf_event.h"
#include "os/stack_end.h"

/*
 * perf and the program look at the clock a microsecond after one another, unless a
 * hypervisor takes the CPU away in between.  Mixing up two of the same thread, stack pointer
 * and instruction within that time would change nothing but what they stand for.
 */
#define MAX_APART_NS ((uint64_t)10 * NS_PER_MS)

enum {
	TABLE_ENTRIES = 16384,
	ENDS_MAX = 1 << 20,
	MAX_MOVES = 4,
	MAX_DOUBTS = 16,
	MAX_UNUSED = 16,
	MAX_GAPLESS = 16,
	/* Above the outermost frame: a program's entry is known by its arguments. */
	MARGIN_BYTES = 128,
	SAME_STACK_BYTES = 4096, /* between the ends of what runs one after the other on it */
	STACKS_PER_RING = 32,
	LOOK_AHEAD_BYTES = 1024,
	CACHE_LINE_BYTES = 64,
};

/*
 * Ticks come late at times, by less than half a period; one that is left out makes two.  Only
 * where perf numbers threads as programs do can they tell whose sample it is.
 */
static uint32_t whole_ns_of(const struct bpf_stacks *stacks, uint64_t period_ns)
{
	const uint64_t whole_ns = period_ns + period_ns / 2;

	return stacks->has_tids && whole_ns <= INT32_MAX ? (uint32_t)whole_ns : 0;
}

/* Who asks for all that perf can copy wants whole stacks. */
static bool is_all(const struct bpf_stacks *stacks)
{
	return stacks->asked_bytes == PERF_EVENT_STACK_MAX_BYTES;
}

/* Some have to fit into a ring. */
static uint64_t most_bytes_of(const struct bpf_stacks *stacks)
{
	const uint64_t fitting = stacks->rings.data_bytes / STACKS_PER_RING;

	if (!is_all(stacks) || fitting < stacks->asked_bytes)
		return stacks->asked_bytes;
	return fitting < BPF_STACK_MOST_BYTES ? fitting : BPF_STACK_MOST_BYTES;
}

static int load_program(struct bpf_stacks *stacks, uint32_t whole_ns, struct error *err)
{
	const struct bpf_stack_options options = {
		.list_fd = stacks->rings.list_fd,
		.table_fd = stacks->table_fd,
		.cpus_fd = stacks->cpus_fd,
		.n_cpus = (uint32_t)cpus_power_of_two(),
		.whole_ns = whole_ns,
		.asked_bytes = (uint32_t)stacks->asked_bytes,
		.most_bytes = (uint32_t)stacks->most_bytes,
		.with_top = is_all(stacks),
		.wake_up_bytes =
			(uint32_t)(stacks->rings.data_bytes / BPF_STACKS_WAKE_UPS_PER_RING),
	};
	struct bpf_code *code = malloc(sizeof(*code));

	if (!code)
		return error_set_no_memory(err);
	bpf_stack_program_make(code, &options);
	stacks->program_fd = bpf_kernel_load(BPF_KERNEL_SAMPLE, code);
	free(code);
	return stacks->program_fd < 0 ? bpf_kernel_error(stacks->program_fd, err) : 0;
}

int bpf_stacks_open(struct bpf_stacks *stacks, const struct bpf_stacks_options *options,
		    struct error *err)
{
	uint32_t whole_ns;
	int r;

	*stacks = BPF_STACKS_INIT;
	stacks->asked_bytes = options->asked_bytes;
	stacks->has_tids = bpf_kernel_check_pids(NULL) == 0;
	whole_ns = whole_ns_of(stacks, options->period_ns);
	stacks->table_fd = bpf_kernel_new_table(TABLE_ENTRIES);
	r = stacks->table_fd < 0 ? bpf_kernel_error(stacks->table_fd, err) : 0;
	if (r == 0) {
		stacks->cpus_fd =
			bpf_kernel_new_value(cpus_power_of_two() * sizeof(struct bpf_stack_cpu));
		r = stacks->cpus_fd < 0 ? bpf_kernel_error(stacks->cpus_fd, err) : 0;
	}
	if (r == 0)
		r = bpf_rings_open(&stacks->rings, options->ring_bytes, options->ring_min_bytes,
				   err);
	stacks->most_bytes = most_bytes_of(stacks);
	if (r == 0)
		r = load_program(stacks, whole_ns, err);
	if (r < 0)
		bpf_stacks_close(stacks);
	return r;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

void bpf_stacks_close(struct bpf_stacks *stacks)
{
	bpf_rings_close(&stacks->rings);
	close_fd(stacks->table_fd);
	close_fd(stacks->cpus_fd);
	close_fd(stacks->program_fd);
	free(stacks->ends);
	hash_index_release(&stacks->end_index);
	*stacks = BPF_STACKS_INIT;
}

int bpf_stacks_poll(const struct bpf_stacks *stacks, int epoll_fd, struct error *err)
{
	return bpf_rings_poll(&stacks->rings, epoll_fd, err);
}

void bpf_stacks_begin(struct bpf_stacks *stacks, bool is_final)
{
	for (size_t i = 0; i < stacks->rings.n_rings; i++) {
		bpf_ring_refresh(&stacks->rings.rings[i]);
		if (is_final)
			bpf_ring_refresh(&stacks->rings.rings[i]);
	}
}

static struct bpf_ring *ring_of(const struct bpf_stacks *stacks, size_t cpu)
{
	return cpu < stacks->rings.n_rings ? &stacks->rings.rings[cpu] : NULL;
}

static struct bpf_stack_record record_of(const uint8_t *bytes, size_t size_bytes)
{
	struct bpf_stack_record record = { 0 };

	if (size_bytes >= sizeof(record))
		memcpy(&record, bytes, sizeof(record));
	return record;
}

/*
 * Whether perf's sample of what the ring has next was lost.  It was written before the
 * program ran again, and perf's ring is in order: so it would be perf's next record, and older
 * than what the program wrote then.  An empty ring of perf's was looked at before this one,
 * and proves it only where that was there at the batch before.
 */
static bool is_left_behind(const struct bpf_ring *ring, uint64_t perf_time_ns)
{
	const uint64_t head = perf_time_ns == UINT64_MAX ? ring->last_head : ring->head;
	size_t size_bytes;
	const uint8_t *bytes = bpf_ring_peek_behind(ring, head, &size_bytes);
	uint64_t time_ns;

	if (!bytes || size_bytes < sizeof(time_ns))
		return false;
	memcpy(&time_ns, bytes, sizeof(time_ns));
	return perf_time_ns > time_ns;
}

uint64_t bpf_stacks_next_time_ns(struct bpf_stacks *stacks, size_t cpu, uint64_t perf_time_ns)
{
	struct bpf_ring *ring = ring_of(stacks, cpu);
	struct bpf_stack_record record;
	const uint8_t *bytes;
	size_t size_bytes;

	while (ring && (bytes = bpf_ring_peek(ring, &size_bytes)) != NULL) {
		record = record_of(bytes, size_bytes);
		if (record.is_whole)
			return record.time_ns <= perf_time_ns ? record.time_ns : UINT64_MAX;
		if (size_bytes >= sizeof(record) && !is_left_behind(ring, perf_time_ns))
			return UINT64_MAX;
		bpf_ring_skip(ring);
	}
	return UINT64_MAX;
}

/* A thread without registers seldom has any at the next tick: then it goes by thread and time. */
static bool is_of(const struct bpf_stacks *stacks, const struct bpf_stack_record *record,
		  const struct raw_sample *sample)
{
	const bool is_same_place = !sample->has_registers ||
				   (record->sp == registers_sp(&sample->registers) &&
				    record->ip == registers_pc(&sample->registers));
	const uint64_t apart_ns = record->time_ns < sample->time_ns
					  ? sample->time_ns - record->time_ns
					  : record->time_ns - sample->time_ns;

	return !record->is_whole && apart_ns <= MAX_APART_NS &&
	       (!stacks->has_tids || record->tid == sample->tid) && is_same_place;
}

/*
 * The next record's beginning, which its walk will begin with.  Its header is not read yet,
 * as that would wait for it.
 */
static void look_ahead(const struct bpf_ring *ring, struct raw_sample *sample)
{
	const uint8_t *next = bpf_ring_next(ring, sizeof(struct bpf_stack_record));

	for (size_t i = 0; next && i < LOOK_AHEAD_BYTES; i += CACHE_LINE_BYTES)
		__builtin_prefetch(next + i);
	sample->next_ip = next ? (const void *)(next + offsetof(struct bpf_stack_record, ip))
			       : NULL;
}

static void take_top(struct bpf_stacks *stacks, const struct bpf_stack_record *record,
		     const uint8_t *bytes, size_t size_bytes, struct raw_sample *sample)
{
	const size_t at = bpf_stack_program_top_at((uint32_t)stacks->asked_bytes);

	stacks->has_top = false;
	if (!record->top_bytes || size_bytes < at || record->top_bytes > size_bytes - at)
		return;
	stacks->has_top = true;
	sample->top_bytes = bytes + at;
	sample->top_address = record->top;
	sample->top_size_bytes = record->top_bytes;
}

/* What is not there at its end is no part of a stack. */
static uint64_t take_pages(const struct bpf_stack_record *record, uint64_t copied,
			   struct raw_sample *sample)
{
	const uint64_t first = record->sp & ~(uint64_t)(RAW_SAMPLE_PAGE_BYTES - 1);

	memcpy(sample->absent_pages, record->absent, sizeof(sample->absent_pages));
	sample->absent_from = first;
	while (copied) {
		const uint64_t last = (record->sp + copied - 1 - first) / RAW_SAMPLE_PAGE_BYTES;

		if (!raw_sample_is_absent(record->absent, last))
			break;
		sample->absent_pages[last / RAW_SAMPLE_PAGE_BITS] &=
			~(UINT64_C(1) << last % RAW_SAMPLE_PAGE_BITS);
		copied = last ? first + last * RAW_SAMPLE_PAGE_BYTES - record->sp : 0;
	}
	return copied;
}

static void take(struct bpf_stacks *stacks, const struct bpf_stack_record *record,
		 const uint8_t *bytes, size_t size_bytes, struct raw_sample *sample)
{
	const bool is_long = record->is_limited ||
			     (record->is_paged && record->length > stacks->asked_bytes);
	const uint64_t most = is_long ? stacks->most_bytes : stacks->asked_bytes;
	uint64_t in_use = record->size_bytes;
	uint64_t copied;
	bool is_known;

	if (in_use > size_bytes - sizeof(*record))
		in_use = size_bytes - sizeof(*record);
	if (in_use > most)
		in_use = most;
	copied = take_pages(record, in_use, sample);
	/* It has no end where no page is. */
	is_known = record->is_limited && copied == in_use;
	sample->stack_bytes = bytes + sizeof(*record);
	sample->stack_size_bytes = copied;
	sample->stack_asked_bytes = copied > stacks->asked_bytes ? most : stacks->asked_bytes;
	take_top(stacks, record, bytes, size_bytes, sample);
	stacks->sp = record->sp;
	stacks->copied_bytes = copied;
	stacks->end = record->sp + in_use;
	stacks->tid = record->tid;
	stacks->is_known = is_known;
	stacks->is_gapless = record->is_paged && !raw_sample_has_absent(record->absent);
	stacks->is_limited = is_known && copied != stacks->asked_bytes;
}

void bpf_stacks_take(struct bpf_stacks *stacks, size_t cpu, struct sampler_record *record)
{
	struct bpf_ring *ring = ring_of(stacks, cpu);
	struct raw_sample *sample = &record->sample;
	size_t size_bytes = 0;
	const uint8_t *bytes = bpf_ring_peek(ring, &size_bytes);
	const struct bpf_stack_record written = record_of(bytes, size_bytes);

	sampler_record_clear(record);
	stacks->current = ring;
	stacks->tid = 0;
	if (!written.is_whole)
		return;
	record->kind = SAMPLER_RECORD_SAMPLE;
	record->time_ns = sample->time_ns = written.time_ns;
	record->pid = sample->pid = written.pid;
	record->tid = sample->tid = written.tid;
	sample->cpu = (uint32_t)cpu;
	sample->has_registers = true;
	sample->registers.arch = ARCH_NATIVE;
	memcpy(sample->registers.values, written.registers, sizeof(written.registers));
	take(stacks, &written, bytes, size_bytes, sample);
	bpf_ring_skip(ring);
	look_ahead(ring, sample);
}

bool bpf_stacks_match(struct bpf_stacks *stacks, size_t cpu, struct raw_sample *sample)
{
	struct bpf_ring *ring = ring_of(stacks, cpu);
	struct bpf_stack_record record;
	const uint8_t *bytes;
	size_t size_bytes;

	stacks->tid = 0;
	stacks->current = ring;
	while (ring && (bytes = bpf_ring_peek(ring, &size_bytes)) != NULL) {
		record = record_of(bytes, size_bytes);
		if (is_of(stacks, &record, sample)) {
			if (sample->has_registers)
				take(stacks, &record, bytes, size_bytes, sample);
			bpf_ring_skip(ring);
			look_ahead(ring, sample);
			return true;
		}
		/* It belongs to a sample that comes later, or to one that was lost. */
		if (record.is_whole || record.time_ns > sample->time_ns)
			break;
		bpf_ring_skip(ring);
	}
	/* Threads of the kernel have no user stack, nor have programs of 32 bits one for us. */
	return !sample->has_registers;
}

static struct bpf_stack_end *find_end(struct bpf_stacks *stacks, uint32_t tid)
{
	const uint64_t hash = hash_u64(tid);
	struct hash_cursor cursor = hash_index_cursor(&stacks->end_index, hash);
	struct bpf_stack_end *grown;
	uint32_t at;

	while ((at = hash_index_next(&stacks->end_index, &cursor)) != HASH_INDEX_NONE)
		if (stacks->ends[at].tid == tid)
			return &stacks->ends[at];
	if (stacks->n_ends == ENDS_MAX)
		return NULL;
	grown = array_grown(stacks->ends, &stacks->ends_capacity, stacks->n_ends + 1,
			    sizeof(*grown));
	if (!grown)
		return NULL;
	stacks->ends = grown;
	if (hash_index_add(&stacks->end_index, hash, (uint32_t)stacks->n_ends) < 0)
		return NULL;
	grown[stacks->n_ends] = (struct bpf_stack_end){ .tid = tid, .told = BPF_STACKS_NEVER_TOLD };
	return &grown[stacks->n_ends++];
}

/*
 * When the kernel refuses it goes on as before.  What has been told and is not used was written
 * before that, or the table has forgotten it, where there are more threads than it has room for.
 */
static void tell(const struct bpf_stacks *stacks, struct bpf_stack_end *end, uint64_t address)
{
	if (end->told == address && (!address || ++end->n_unused < MAX_UNUSED))
		return;
	(void)bpf_kernel_set_number(stacks->table_fd, end->tid, address & ~BPF_STACK_IS_PAGED);
	end->told = address;
	end->n_unused = 0;
}

/* With the margin, as far as there was anything: the copy of a byte too much fails as a whole. */
static uint64_t end_of_walk(const struct bpf_stacks *stacks, uint64_t needed_bytes)
{
	const uint64_t wanted = ((needed_bytes + 7) & ~UINT64_C(7)) + MARGIN_BYTES;

	return stacks->sp + (wanted < stacks->copied_bytes ? wanted : stacks->copied_bytes);
}

static void take_end(struct bpf_stack_end *end, uint64_t address)
{
	const bool is_higher = address > end->address;
	const uint64_t apart = is_higher ? address - end->address : end->address - address;

	if (end->address && apart > SAME_STACK_BYTES && end->n_moves < MAX_MOVES)
		end->n_moves++;
	if (is_higher || apart > SAME_STACK_BYTES)
		end->address = address;
}

void bpf_stacks_expect(struct bpf_stacks *stacks, uint32_t pid)
{
	struct bpf_stack_end *end = stacks->has_tids ? find_end(stacks, pid) : NULL;

	if (!end)
		return;
	end->address = stack_end_of_program(pid);
	if (end->address)
		tell(stacks, end, end->address);
}

/* Whether the walk shows anything about where the stack ends. */
static bool is_news(const struct bpf_stacks *stacks, bool is_complete, uint64_t needed_bytes)
{
	const bool is_deeper = needed_bytes > stacks->copied_bytes;

	if (is_deeper && stacks->has_top)
		return false;
	return is_complete ? !stacks->is_known : is_deeper;
}

/*
 * Deep from its first walk on, and never complete; or it was doubted, and without it less is
 * copied than the walk needs.
 */
static void look_for_end(const struct bpf_stacks *stacks, struct bpf_stack_end *end,
			 uint64_t needed_bytes)
{
	if (end->address && end->n_moves < MAX_MOVES && stacks->sp + needed_bytes <= end->address)
		tell(stacks, end, end->address);
	if (end->has_looked || end->address || !stacks->has_tids)
		return;
	end->has_looked = true;
	end->address = stack_end_find(stacks->tid, stacks->sp);
	/* Even if it is not known: else the program takes the thread for a new one at each tick. */
	tell(stacks, end, end->address);
}

/* All of it is there by now, and may be copied at once again. */
static void learn_gapless(struct bpf_stacks *stacks)
{
	struct bpf_stack_end *end = find_end(stacks, stacks->tid);

	if (!end || end->told == BPF_STACKS_NEVER_TOLD || end->n_gapless == MAX_GAPLESS)
		return;
	end->n_gapless++;
	(void)bpf_kernel_set_number(stacks->table_fd, end->tid, end->told & ~BPF_STACK_IS_PAGED);
}

/*
 * A walk that needed more than was copied makes the end doubtful: the next copy, which is not
 * limited, tells.  Unless this one was made before that end was told, or by one that the program
 * has found itself.  Without memory for it nothing is learnt, and it is copied page by page as
 * before.
 */
void bpf_stacks_learn(struct bpf_stacks *stacks, bool is_complete, uint64_t needed_bytes)
{
	struct bpf_stack_end *end;

	if (stacks->tid && stacks->is_known && stacks->is_gapless)
		learn_gapless(stacks);
	if (!stacks->tid || !needed_bytes || !is_news(stacks, is_complete, needed_bytes))
		return;
	end = find_end(stacks, stacks->tid);
	if (!end)
		return;
	if (is_complete) {
		take_end(end, end_of_walk(stacks, needed_bytes));
		tell(stacks, end, end->n_moves < MAX_MOVES ? end->address : 0);
	} else if (!stacks->is_limited || end->told == BPF_STACKS_NEVER_TOLD) {
		look_for_end(stacks, end, needed_bytes);
	} else if (stacks->end == end->told && end->n_doubts < MAX_DOUBTS) {
		end->n_doubts++;
		tell(stacks, end, 0);
	}
}

void bpf_stacks_finish(struct bpf_stacks *stacks)
{
	struct bpf_ring *ring = stacks->current;

	stacks->current = NULL;
	if (ring)
		bpf_ring_publish_much(ring);
}

void bpf_stacks_publish(struct bpf_stacks *stacks)
{
	bpf_rings_publish(&stacks->rings);
}
