/* Arrays of pointers, so that entries stay where they are, and an index by number for each. */
#include "record/process_table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void process_table_init(struct process_table *table, struct profile *profile)
{
	*table = (struct process_table){ .profile = profile };
}

void process_table_release(struct process_table *table)
{
	for (size_t i = 0; i < table->n_threads; i++) {
		stack_path_release(&table->threads[i]->path);
		free(table->threads[i]);
	}
	for (size_t i = 0; i < table->n_processes; i++) {
		unwind_process_release(&table->processes[i]->unwind);
		free(table->processes[i]);
	}
	free(table->threads);
	free(table->processes);
	hash_index_release(&table->process_index);
	hash_index_release(&table->thread_index);
	hash_index_release(&table->entry_index);
	*table = (struct process_table){ 0 };
}

static int add_process(struct process_table *table, struct live_process *process)
{
	struct live_process **grown = array_grown(table->processes, &table->processes_capacity,
						  table->n_processes + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	table->processes = grown;
	if (hash_index_add(&table->process_index, hash_u64(process->pid),
			   (uint32_t)table->n_processes) < 0)
		return -ENOMEM;
	grown[table->n_processes++] = process;
	return 0;
}

struct live_process *process_table_process(struct process_table *table, uint32_t pid)
{
	struct hash_cursor cursor = hash_index_cursor(&table->process_index, hash_u64(pid));
	struct live_process *process;
	uint32_t at;

	while ((at = hash_index_next(&table->process_index, &cursor)) != HASH_INDEX_NONE)
		if (table->processes[at]->pid == pid)
			return table->processes[at];
	process = calloc(1, sizeof(*process));
	if (!process)
		return NULL;
	process->pid = pid;
	process->unwind.pid = pid;
	process->owner = ++table->n_owners;
	if (add_process(table, process) < 0) {
		free(process);
		return NULL;
	}
	return process;
}

static int add_thread(struct process_table *table, struct live_thread *thread)
{
	struct live_thread **grown = array_grown(table->threads, &table->threads_capacity,
						 table->n_threads + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	table->threads = grown;
	if (hash_index_add(&table->thread_index, hash_u64(thread->tid),
			   (uint32_t)table->n_threads) < 0)
		return -ENOMEM;
	grown[table->n_threads++] = thread;
	return 0;
}

const struct live_thread *process_table_find(const struct process_table *table, uint32_t tid)
{
	struct hash_cursor cursor = hash_index_cursor(&table->thread_index, hash_u64(tid));
	uint32_t at;

	while ((at = hash_index_next(&table->thread_index, &cursor)) != HASH_INDEX_NONE)
		if (table->threads[at]->tid == tid)
			return table->threads[at];
	return NULL;
}

/* A thread that takes up, or takes over, its number. */
static void start_thread(struct live_thread *thread, struct live_process *process,
			 uint64_t start_ns)
{
	thread->process = process;
	thread->comm = process->comm;
	thread->start_ns = start_ns;
	thread->end_ns = 0;
	thread->has_entry = false;
	thread->is_alive = true;
	thread->inherited_scope = 0;
	process->n_threads++;
	stack_path_clear(&thread->path);
	thread->wait.is_seen = thread->wait.is_waiting = thread->wait.is_leaving = false;
}

struct live_thread *process_table_thread(struct process_table *table, uint32_t pid, uint32_t tid)
{
	struct hash_cursor cursor = hash_index_cursor(&table->thread_index, hash_u64(tid));
	struct live_process *process;
	struct live_thread *thread;
	uint32_t at;

	while ((at = hash_index_next(&table->thread_index, &cursor)) != HASH_INDEX_NONE) {
		thread = table->threads[at];
		if (thread->tid == tid && thread->process->pid == pid)
			return thread;
		if (thread->tid == tid)
			goto reused;
	}
	thread = calloc(1, sizeof(*thread));
	if (!thread)
		return NULL;
	thread->tid = tid;
	process = process_table_process(table, pid);
	if (!process || add_thread(table, thread) < 0) {
		free(thread);
		return NULL;
	}
	start_thread(thread, process, 0);
	return thread;
reused:
	process = process_table_process(table, pid);
	if (process)
		start_thread(thread, process, 0);
	return process ? thread : NULL;
}

int process_table_fork(struct process_table *table, uint32_t pid, uint32_t tid, uint32_t parent_pid,
		       uint32_t parent_tid, uint64_t time_ns)
{
	const struct live_thread *parent = process_table_thread(table, parent_pid, parent_tid);
	struct live_process *process = process_table_process(table, pid);
	struct live_thread *thread;
	uint32_t comm;

	if (!parent || !process)
		return -ENOMEM;
	comm = parent->comm;
	if (pid != parent_pid) {
		const struct live_process *from = parent->process;

		unwind_process_release(&process->unwind);
		process->unwind = (struct unwind_process){ .pid = pid };
		process->n_threads = 0;
		process->comm = comm;
		process->parent_pid = parent_pid;
		process->owner = ++table->n_owners;
		process->is_known = from->is_known;
		if (address_space_copy(&process->unwind.space, &from->unwind.space) < 0)
			return -ENOMEM;
	}
	thread = process_table_thread(table, pid, tid);
	if (!thread)
		return -ENOMEM;
	if (thread->is_alive && process->n_threads)
		process->n_threads--;
	start_thread(thread, process, time_ns);
	if (pid != parent_pid)
		process->n_threads = 1;
	thread->comm = comm;
	return 0;
}

/* Its entry is history: the thread ended, or goes on under another name. */
static void end_entry(const struct process_table *table, const struct live_thread *thread,
		      uint64_t time_ns)
{
	if (thread->has_entry && time_ns)
		table->profile->threads[thread->entry].end_ns = time_ns;
}

int process_table_comm(struct process_table *table, uint32_t pid, uint32_t tid, const char *comm,
		       bool is_exec)
{
	struct live_thread *thread = process_table_thread(table, pid, tid);
	uint32_t id;

	if (!thread || interner_add(&table->profile->strings, &id, comm) < 0)
		return -ENOMEM;
	if (is_exec || thread->comm != id)
		end_entry(table, thread, table->now_ns);
	thread->comm = id;
	if (pid == tid) {
		thread->process->comm = id;
		thread->process->renamed_ns = table->now_ns;
	}
	if (is_exec) {
		/* exec leaves one thread, and nothing of the old program. */
		if (table->now_ns)
			thread->start_ns = table->now_ns;
		thread->has_entry = false;
		thread->inherited_scope = 0;
		thread->process->n_threads = 1;
		thread->process->owner = ++table->n_owners;
		thread->process->is_known = true;
		address_space_reset(&thread->process->unwind.space);
		stack_path_clear(&thread->path);
	}
	return 0;
}

int process_table_exit(struct process_table *table, uint32_t pid, uint32_t tid, uint64_t time_ns)
{
	struct live_thread *thread = process_table_thread(table, pid, tid);

	if (!thread)
		return -ENOMEM;
	if (!thread->is_alive)
		return 0;
	thread->is_alive = false;
	thread->end_ns = time_ns;
	stack_path_release(&thread->path);
	end_entry(table, thread, time_ns);
	if (thread->process->n_threads && --thread->process->n_threads == 0) {
		/* A cache is some hundred KiB, and builds start thousands of processes. */
		unwind_process_release(&thread->process->unwind);
		thread->process->unwind = (struct unwind_process){ .pid = pid };
		thread->process->is_known = false;
	}
	return 0;
}

static int add_entry(struct process_table *table, struct live_thread *thread, uint64_t hash)
{
	const struct thread entry = {
		.pid = thread->process->pid,
		.tid = thread->tid,
		.name = thread->comm,
		.process_name = thread->process->comm,
		.start_ns = thread->start_ns,
		.end_ns = thread->end_ns,
		.parent_pid = thread->process->parent_pid,
	};
	int r = profile_add_thread(table->profile, &thread->entry, &entry);

	if (r < 0)
		return r;
	return hash_index_add(&table->entry_index, hash, thread->entry);
}

static bool find_entry(const struct process_table *table, struct live_thread *thread, uint64_t hash)
{
	struct hash_cursor cursor = hash_index_cursor(&table->entry_index, hash);
	uint32_t at;

	while ((at = hash_index_next(&table->entry_index, &cursor)) != HASH_INDEX_NONE) {
		const struct thread *entry = &table->profile->threads[at];

		if (entry->tid == thread->tid && entry->pid == thread->process->pid &&
		    entry->name == thread->comm && entry->process_name == thread->process->comm &&
		    entry->start_ns == thread->start_ns) {
			thread->entry = at;
			table->profile->threads[at].end_ns = thread->end_ns;
			return true;
		}
	}
	return false;
}

int process_table_entry(struct process_table *table, struct live_thread *thread,
			uint32_t *ret_entry)
{
	const uint32_t process_comm = thread->process->comm;
	uint64_t hash;
	int r = 0;

	if (!thread->has_entry || thread->entry_comm != thread->comm ||
	    thread->entry_process_comm != process_comm) {
		if (thread->has_entry && thread->entry_process_comm != process_comm)
			end_entry(table, thread, thread->process->renamed_ns);
		hash = hash_pair(hash_pair(thread->tid, thread->comm),
				 hash_pair(process_comm, thread->start_ns));
		if (!find_entry(table, thread, hash))
			r = add_entry(table, thread, hash);
		if (r < 0)
			return r;
		thread->has_entry = true;
		thread->entry_comm = thread->comm;
		thread->entry_process_comm = process_comm;
	}
	*ret_entry = thread->entry;
	return 0;
}
