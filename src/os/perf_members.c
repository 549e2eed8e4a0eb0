/* Events of threads that run already, and what becomes of them. */
#include <errno.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/array.h"
#include "os/perf_sources.h"

/*
 * A soft limit is there to be raised, and root may raise the hard one, up to
 * fs.nr_open.  True when that gave more; attaching starts no child that would
 * inherit it.
 */
static bool raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return false;
	if (limit.rlim_cur < limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	else
		limit.rlim_cur = limit.rlim_max = 2 * limit.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static uint64_t member_hash(uint32_t tid, size_t source)
{
	return hash_pair(tid, source);
}

static int open_member(struct perf_sources *sources, const struct perf_source *source, pid_t tid,
		       struct error *err)
{
	struct perf_layout layout;
	int fd = perf_sources_open_event(sources, tid, source->cpu, source->role, 0, &layout, err);
	int r;

	if (fd == -EMFILE && raise_descriptor_limit())
		fd = perf_sources_open_event(sources, tid, source->cpu, source->role, 0, &layout,
					     err);
	if (fd < 0)
		return fd;
	r = perf_event_share_ring(fd, source->fd);
	if (r == 0)
		return fd;
	(void)close(fd);
	return error_set_errno(err, r, "perf ring of thread %ld", (long)tid);
}

static int add_member(struct perf_sources *sources, uint32_t at, pid_t tid, struct error *err)
{
	const struct perf_source *source = &sources->sources[at];
	struct perf_member *grown = array_grown(sources->members, &sources->members_capacity,
						sources->n_members + 1, sizeof(*grown));
	struct perf_member member = { .source = at, .tid = (uint32_t)tid };

	if (!grown)
		return error_set_no_memory(err);
	sources->members = grown;
	if (hash_index_add(&sources->member_index, member_hash(member.tid, at),
			   (uint32_t)sources->n_members) < 0)
		return error_set_no_memory(err);
	member.fd = open_member(sources, source, tid, err);
	grown[sources->n_members++] = member;
	if (member.fd < 0)
		return member.fd;
	grown[sources->n_members - 1].stream_id = perf_event_stream_id(member.fd);
	return 0;
}

int perf_sources_add_thread(struct perf_sources *sources, pid_t tid, struct error *err)
{
	for (size_t i = 0; i < sources->n_sources; i++) {
		const struct perf_source *source = &sources->sources[i];
		const int r = source->role == PERF_ROLE_PROBES
				      ? perf_sources_add_probes(sources, source, tid, 0, err)
				      : add_member(sources, (uint32_t)i, tid, err);

		/* A CPU that went away since takes no new events. */
		if (r < 0 && r != -ENODEV)
			return r;
	}
	return perf_sources_watch_probes(sources, tid, err);
}

/* The event that was opened for a thread that is still alive; NULL when there is none. */
static struct perf_member *find_member(const struct perf_sources *sources, uint32_t tid,
				       size_t source)
{
	struct hash_cursor cursor = hash_index_cursor(&sources->member_index,
						      member_hash(tid, source));
	uint32_t at;

	while ((at = hash_index_next(&sources->member_index, &cursor)) != HASH_INDEX_NONE) {
		struct perf_member *member = &sources->members[at];

		if (member->tid == tid && member->source == source && member->stream_id)
			return member;
	}
	return NULL;
}

void perf_sources_forget_doubled(struct perf_sources *sources, const struct perf_source *source,
				 const struct sampler_record *sample)
{
	struct perf_member *member;

	if (!sources->n_members)
		return;
	member = find_member(sources, sample->tid, (size_t)(source - sources->sources));
	if (!member || member->stream_id == sample->stream_id)
		return;
	(void)close(member->fd);
	member->fd = -1;
	member->stream_id = 0;
}

void perf_sources_thread_ended(struct perf_sources *sources, uint32_t tid)
{
	for (size_t i = 0; sources->n_members && i < sources->n_sources; i++) {
		struct perf_member *member = find_member(sources, tid, i);

		if (member)
			member->stream_id = 0;
	}
}
