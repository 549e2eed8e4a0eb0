/*
 * What is typed to choose a part of a profile: five lines, --from, --to,
 * --phase, --in-scope and --category, asked of a profile whose marks are named
 * like words of that language.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "model/profile.h"
#include "tree/calltree.h"
#include "tree/view.h"
#include "tree/view_marks.h"

enum { N_TEXTS = 5, N_SAMPLES = 100 };

static void need(bool is_good)
{
	if (!is_good)
		abort();
}

static uint32_t add_site(struct profile *profile, enum mark_kind kind, const char *name,
			 const char *category)
{
	struct mark_site site = { .kind = (uint8_t)kind };
	uint32_t id;

	need(interner_add(&profile->strings, &site.name, name) == 0);
	need(interner_add(&profile->strings, &site.category, category) == 0);
	need(marks_add_site(&profile->marks, &id, &site) == 0);
	return id;
}

static void add_marks(struct profile *profile)
{
	static const char *const names[] = { "loaded", "ready", "a..b", "a", "b",	    "start",
					     "5ms",    "x#2",	"x",	"x", "milestone:a", "end" };
	static const char *const scopes[] = { "parse", "parse", "read;it", "*" };
	struct milestone milestone = { .thread = MARK_NO_THREAD };
	uint32_t node = 0;

	for (size_t i = 0; i < 3 * sizeof(names) / sizeof(names[0]); i++) {
		const char *const name = names[i % (sizeof(names) / sizeof(names[0]))];

		milestone.time_ns = i * i * 7 % 100;
		milestone.site = add_site(profile, MARK_MILESTONE, name, "");
		need(marks_add_milestone(&profile->marks, &milestone) == 0);
	}
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		need(scope_tree_get(&profile->marks.scopes, &node, node,
				    add_site(profile, MARK_SCOPE, scopes[i], i % 2 ? "io" : "")) ==
		     0);
}

static void make_profile(struct profile *profile)
{
	const struct thread thread = { .pid = 1, .tid = 1 };

	need(profile_init(profile) == 0);
	need(profile_add_thread(profile, NULL, &thread) == 0);
	profile->info.has_times = true;
	profile->info.duration_ns = N_SAMPLES;
	add_marks(profile);
	for (uint32_t i = 0; i < N_SAMPLES; i++) {
		const struct sample sample = {
			.time_ns = i,
			.weight_ns = 1 + i % 20,
			.count = 1,
			.state = i % 3 ? SAMPLE_RUNNING : SAMPLE_LOCK,
			.scope = i % (uint32_t)profile->marks.scopes.n_nodes,
		};

		need(profile_add_sample(profile, &sample) == 0);
	}
}

/* The lines of the input, NULL for those that are empty. */
static char *split(const uint8_t *data, size_t size, const char *texts[N_TEXTS])
{
	char *const copy = malloc(size + 1);
	char *rest = copy;

	need(copy != NULL);
	memcpy(copy, data, size);
	copy[size] = '\0';
	for (int i = 0; i < N_TEXTS; i++) {
		const char *const line = strsep(&rest, "\n");

		texts[i] = line && *line ? line : NULL;
	}
	return copy;
}

/* Spans are in order, and as long as they say. */
static void check_window(const struct view_window *window)
{
	for (size_t run = 0; window->first && run < window->n_runs; run++) {
		uint64_t before_ns = 0;

		for (size_t i = window->first[run]; i < window->first[run + 1]; i++) {
			const struct view_span *span = &window->spans[i];

			need(span->from_ns < span->to_ns && span->before_ns == before_ns);
			need(i == window->first[run] || span[-1].to_ns <= span->from_ns);
			before_ns += span->to_ns - span->from_ns;
		}
	}
}

/* However a view is split, it is the same time. */
static void check_weights(struct view *view, const struct profile *profile)
{
	uint64_t weights_ns[2];

	for (int i = 0; i < 2; i++) {
		struct calltree tree;

		view->by = i ? VIEW_BY_PHASE : VIEW_BY_NONE;
		need(view_resolve(view, profile, NULL) == 0);
		need(calltree_build(&tree, profile, view, NULL) == 0);
		weights_ns[i] = tree.nodes[0].total.weight_ns;
		calltree_release(&tree);
		view_release(view);
	}
	need(weights_ns[0] == weights_ns[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *texts[N_TEXTS];
	char *const copy = split(data, size, texts);
	struct error err = ERROR_INIT;
	struct view view = VIEW_INIT;
	struct profile profile;

	make_profile(&profile);
	view.states = SAMPLE_STATES_ALL;
	view.from = texts[0];
	view.to = texts[1];
	view.phase = texts[2];
	view.in_scope = texts[3];
	view.category = texts[4];
	if (view_resolve(&view, &profile, &err) < 0) {
		need(err.message[0] != '\0');
		view_release(&view);
	} else {
		check_window(&view.marks->window);
		view_release(&view);
		check_weights(&view, &profile);
	}
	profile_release(&profile);
	free(copy);
	return 0;
}
