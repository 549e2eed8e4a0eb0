/*
 * Threads come and go while they are listed.  One that a watched thread starts
 * inherits its events; one that another starts is not in the list yet.  So the
 * list is read until it has nothing new.  A thread that inherited events and was
 * listed too has them twice, until its first samples show it.
 */
#include "os/perf_attach.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/hash.h"
#include "os/proc_tasks.h"

/* A process that starts threads all the time never looks the same twice. */
enum { MAX_ROUNDS = 10 };

struct attaching {
	struct perf_sources *sources;
	struct error *err;
	pid_t pid;
	uint32_t *tids; /* seen so far, of all processes */
	size_t n_tids, capacity;
	struct hash_index index;
	size_t n_attached; /* threads of this process */
	size_t n_new;	   /* in this round */
};

static bool is_seen(const struct attaching *attaching, uint32_t tid)
{
	struct hash_cursor cursor = hash_index_cursor(&attaching->index, hash_u64(tid));
	uint32_t at;

	while ((at = hash_index_next(&attaching->index, &cursor)) != HASH_INDEX_NONE)
		if (attaching->tids[at] == tid)
			return true;
	return false;
}

static int remember(struct attaching *attaching, uint32_t tid)
{
	uint32_t *grown = array_grown(attaching->tids, &attaching->capacity, attaching->n_tids + 1,
				      sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	attaching->tids = grown;
	grown[attaching->n_tids] = tid;
	return hash_index_add(&attaching->index, hash_u64(tid), (uint32_t)attaching->n_tids++);
}

static int attach_thread(void *context, uint32_t tid)
{
	struct attaching *attaching = context;
	int r;

	if (is_seen(attaching, tid))
		return 0;
	if (remember(attaching, tid) < 0)
		return error_set_no_memory(attaching->err);
	attaching->n_new++;
	r = perf_sources_add_thread(attaching->sources, (pid_t)tid, attaching->err);
	if (r == 0)
		attaching->n_attached++;
	return r == -ESRCH ? 0 : r;
}

static int attach_process(struct attaching *attaching)
{
	int r = 0;

	attaching->n_attached = 0;
	for (int i = 0; r == 0 && i < MAX_ROUNDS; i++) {
		attaching->n_new = 0;
		r = proc_tasks_visit_threads((uint32_t)attaching->pid, attach_thread, attaching);
		if (attaching->n_new == 0)
			break;
	}
	if (r == -EMFILE)
		return error_set(attaching->err, r,
				 "process %ld: too many threads: each needs %zu descriptors (raise "
				 "ulimit -n)",
				 (long)attaching->pid, attaching->sources->n_sources);
	if (attaching->n_attached == 0 && (r == 0 || r == -ENOENT || r == -ESRCH))
		return error_set(attaching->err, -ESRCH, "process %ld has ended",
				 (long)attaching->pid);
	if (r == -EACCES || r == -EPERM)
		return error_set(attaching->err, r,
				 "process %ld belongs to another user or has more rights (run "
				 "tsprof as its user, or as root)",
				 (long)attaching->pid);
	return r == -ENOENT || r == -ESRCH ? 0 : r;
}

int perf_attach(struct perf_sources *sources, const pid_t *pids, size_t n_pids, struct error *err)
{
	struct attaching attaching = { .sources = sources, .err = err };
	int r = perf_sources_open(sources, 0, err);

	for (size_t i = 0; r == 0 && i < n_pids; i++) {
		attaching.pid = pids[i];
		r = attach_process(&attaching);
	}
	free(attaching.tids);
	hash_index_release(&attaching.index);
	return r;
}
