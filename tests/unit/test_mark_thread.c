/* What a thread did, told at once or one by one, is the same. */
#include "unit.h"

#include "record/mark_thread.h"
#include "record/marks_store.h"

enum { N_STEPS = 20000, MOST_AT_ONCE = 300, TID = 42 };

static const struct mark_text text = { "a text", 6 };

struct fixture {
	struct profile profile;
	struct process_table processes;
	struct marks_store store;
	struct mark_thread *thread;
	uint32_t sites[3];
	uint64_t random;
	uint64_t time_ns;
};

static void open_fixture(struct fixture *f, bool keeps_all_calls)
{
	static const char *const names[] = { "outer", "inner", "loaded" };

	*f = (struct fixture){ .random = 1, .time_ns = 1000 };
	assert_int_equal(profile_init(&f->profile), 0);
	process_table_init(&f->processes, &f->profile);
	marks_store_init(&f->store, &f->profile, &f->processes,
			 &(struct marks_store_options){ .keeps_all_calls = keeps_all_calls });
	for (size_t i = 0; i < N_ITEMS(names); i++) {
		const struct mark_site_text site = {
			.name = names[i],
			.name_bytes = strlen(names[i]),
			.kind = i == 2 ? MARK_MILESTONE : MARK_SCOPE,
		};

		assert_int_equal(mark_sites_get(&f->store.sites, &f->sites[i], &site), 0);
	}
	f->thread = mark_thread_get(process_table_thread(&f->processes, TID, TID), f);
	assert_non_null(f->thread);
}

static void close_fixture(struct fixture *f)
{
	mark_thread_free(f->thread);
	marks_store_release(&f->store);
	process_table_release(&f->processes);
	profile_release(&f->profile);
}

static struct mark_step next_step(struct fixture *f)
{
	f->random = f->random * UINT64_C(6364136223846793005) + 1442695040888963407U;
	/* Mostly durations like those before. */
	f->time_ns += f->random >> 40 & (f->random >> 61 ? 15 : 1023);
	return (struct mark_step){ .time_ns = f->time_ns,
				   .site = f->sites[f->random >> 50 & 1],
				   .is_end = f->random >> 55 & 1 };
}

static void one(struct fixture *f, const struct mark_step *step)
{
	const int r = step->is_end
			      ? mark_thread_end(f->thread, &f->store, step->site, step->time_ns)
			      : mark_thread_begin(f->thread, &f->store, step->site, step->time_ns);

	assert_int_equal(r, 0);
}

/* Between two runs of steps. */
static void do_something_else(struct fixture *f)
{
	switch (f->random >> 33 & 7) {
	case 0:
		assert_int_equal(mark_thread_arguments(f->thread, text), 0);
		break;
	case 1:
		assert_int_equal(mark_thread_error(f->thread, text), 0);
		break;
	case 2:
		assert_int_equal(
			mark_thread_milestone(f->thread, &f->store, f->sites[2], f->time_ns), 0);
		break;
	case 3:
		f->store.horizon_ns = f->time_ns - (f->random >> 44 & 8191);
		break;
	case 4:
		marks_store_set_paused(&f->store, !f->store.is_paused, f->time_ns);
		break;
	default:
		break;
	}
}

static void run(struct fixture *f, bool is_at_once)
{
	struct mark_step steps[MOST_AT_ONCE];
	size_t n;

	for (size_t done = 0; done < N_STEPS; done += n) {
		n = 1 + (f->random >> 20) % MOST_AT_ONCE;
		for (size_t i = 0; i < n; i++) {
			steps[i] = next_step(f);
			if (!is_at_once)
				one(f, &steps[i]);
		}
		if (is_at_once)
			assert_int_equal(mark_thread_steps(f->thread, &f->store, steps, n), 0);
		do_something_else(f);
	}
}

static void assert_same_scopes(const struct scope_tree *a, const struct scope_tree *b)
{
	assert_int_equal(a->n_nodes, b->n_nodes);
	assert_int_equal(a->n_unmatched_ends, b->n_unmatched_ends);
	for (size_t i = 0; i < a->n_nodes; i++) {
		struct scope_node left = a->nodes[i];
		const struct scope_node *right = &b->nodes[i];

		if (left.durations_ns.n_buckets)
			assert_memory_equal(left.durations_ns.counts, right->durations_ns.counts,
					    left.durations_ns.n_buckets * sizeof(uint64_t));
		left.durations_ns.counts = right->durations_ns.counts;
		assert_memory_equal(&left, right, sizeof(left));
	}
}

static void assert_same_marks(const struct marks *a, const struct marks *b)
{
	assert_same_scopes(&a->scopes, &b->scopes);
	assert_int_equal(a->n_calls, b->n_calls);
	for (size_t i = 0; i < a->n_calls; i++) {
		assert_int_equal(a->calls[i].start_ns, b->calls[i].start_ns);
		assert_int_equal(a->calls[i].duration_ns, b->calls[i].duration_ns);
		assert_int_equal(a->calls[i].node, b->calls[i].node);
		assert_int_equal(a->calls[i].flags, b->calls[i].flags);
		assert_int_equal(a->calls[i].arguments, b->calls[i].arguments);
		assert_int_equal(a->calls[i].error, b->calls[i].error);
	}
	assert_int_equal(a->n_milestones, b->n_milestones);
}

static void assert_same_past(const struct fixture *a, const struct fixture *b)
{
	assert_true(a->thread->history.n_changes > 0);
	for (uint64_t ago_ns = 0; ago_ns < 10000; ago_ns++) {
		uint32_t left;
		uint32_t right;

		assert_int_equal(mark_thread_scope(a->thread, a->time_ns - ago_ns, &left),
				 mark_thread_scope(b->thread, b->time_ns - ago_ns, &right));
		assert_int_equal(left, right);
	}
}

static void compare(bool keeps_all_calls)
{
	static struct fixture a;
	static struct fixture b;

	open_fixture(&a, keeps_all_calls);
	open_fixture(&b, keeps_all_calls);
	run(&a, false);
	run(&b, true);
	assert_same_past(&a, &b);
	assert_int_equal(marks_store_finish(&a.store), 0);
	assert_int_equal(marks_store_finish(&b.store), 0);
	assert_in_range(a.profile.marks.scopes.n_nodes, 4, N_STEPS);
	assert_true(a.profile.marks.n_calls > 20);
	assert_same_marks(&a.profile.marks, &b.profile.marks);
	close_fixture(&a);
	close_fixture(&b);
}

static void steps__are_as_if_taken_one_by_one(void **state)
{
	(void)state;
	compare(false);
}

static void steps__are_as_if_taken_one_by_one_when_all_calls_are_kept(void **state)
{
	(void)state;
	compare(true);
}

/* Data belongs to the mark before. */
static void steps__leave_no_milestone_that_waits_for_data(void **state)
{
	static struct fixture f;
	struct mark_step begin;

	(void)state;
	open_fixture(&f, false);
	begin = (struct mark_step){ .time_ns = 2000, .site = f.sites[0] };
	assert_int_equal(mark_thread_milestone(f.thread, &f.store, f.sites[2], 1000), 0);
	assert_int_equal(mark_thread_steps(f.thread, &f.store, &begin, 1), 0);
	assert_int_equal(mark_thread_data(f.thread, &f.store, text), 0);
	assert_int_equal(f.profile.marks.n_milestones, 1);
	assert_int_equal(f.profile.marks.milestones[0].data, 0);
	close_fixture(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps__are_as_if_taken_one_by_one),
		cmocka_unit_test(steps__are_as_if_taken_one_by_one_when_all_calls_are_kept),
		cmocka_unit_test(steps__leave_no_milestone_that_waits_for_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
