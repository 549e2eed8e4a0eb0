/* Texts are the keeper's until the end: a call that is displaced takes its own along. */
#include "record/mark_calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

struct kept_call {
	struct scope_call call;
	char *arguments;
	char *error;
};

void mark_calls_init(struct mark_calls *calls, struct profile *profile, bool keeps_all)
{
	*calls = (struct mark_calls){ .profile = profile, .keeps_all = keeps_all };
}

static void text_free(struct mark_calls *calls, char *text)
{
	if (text)
		calls->text_bytes -= strlen(text) + 1;
	free(text);
}

static void kept_call_release(struct mark_calls *calls, struct kept_call *kept)
{
	text_free(calls, kept->arguments);
	text_free(calls, kept->error);
}

void mark_calls_release(struct mark_calls *calls)
{
	for (size_t i = 0; i < calls->n_sites; i++) {
		for (uint32_t j = 0; j < calls->sites[i].n_slowest; j++)
			kept_call_release(calls, &calls->sites[i].slowest[j]);
		free(calls->sites[i].slowest);
	}
	for (size_t i = 0; i < calls->n_others; i++)
		kept_call_release(calls, &calls->others[i]);
	free(calls->sites);
	free(calls->others);
	*calls = (struct mark_calls){ 0 };
}

/* NULL for an empty one, and for one that there is no more room for. */
static int text_copy(struct mark_calls *calls, char **ret_text, struct mark_text text)
{
	*ret_text = NULL;
	if (!text.size_bytes || calls->text_bytes >= MARK_CALLS_TEXT_BYTES)
		return 0;
	*ret_text = strndup(text.bytes, text.size_bytes);
	if (!*ret_text)
		return -ENOMEM;
	calls->text_bytes += strlen(*ret_text) + 1;
	return 0;
}

static int kept_call_init(struct mark_calls *calls, struct kept_call *kept,
			  const struct scope_call *call, struct mark_text arguments,
			  struct mark_text error)
{
	int r;

	*kept = (struct kept_call){ .call = *call };
	r = text_copy(calls, &kept->arguments, arguments);
	if (r == 0)
		r = text_copy(calls, &kept->error, error);
	if (r < 0)
		kept_call_release(calls, kept);
	return r;
}

static int sites_reach(struct mark_calls *calls, uint32_t site)
{
	struct site_calls *grown = array_grown(calls->sites, &calls->sites_capacity,
					       (size_t)site + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	calls->sites = grown;
	while (calls->n_sites <= site)
		grown[calls->n_sites++] = (struct site_calls){ 0 };
	return 0;
}

static int add_other(struct mark_calls *calls, const struct scope_call *call,
		     struct mark_text arguments, struct mark_text error)
{
	struct kept_call *grown = array_grown(calls->others, &calls->others_capacity,
					      calls->n_others + 1, sizeof(*grown));
	int r;

	if (!grown)
		return -ENOMEM;
	calls->others = grown;
	r = kept_call_init(calls, &grown[calls->n_others], call, arguments, error);
	calls->n_others += r == 0;
	return r;
}

static uint32_t fastest_of(const struct site_calls *site)
{
	uint32_t fastest = 0;

	for (uint32_t i = 1; i < site->n_slowest; i++)
		if (site->slowest[i].call.duration_ns < site->slowest[fastest].call.duration_ns)
			fastest = i;
	return fastest;
}

static int add_slowest(struct mark_calls *calls, struct site_calls *site,
		       const struct scope_call *call, struct mark_text arguments,
		       struct mark_text error)
{
	struct kept_call kept;
	uint32_t at = site->n_slowest;
	int r;

	if (!site->slowest)
		site->slowest = calloc(MARK_CALLS_SLOWEST, sizeof(*site->slowest));
	if (!site->slowest)
		return -ENOMEM;
	r = kept_call_init(calls, &kept, call, arguments, error);
	if (r < 0)
		return r;
	if (at == MARK_CALLS_SLOWEST) {
		at = fastest_of(site);
		kept_call_release(calls, &site->slowest[at]);
	} else {
		site->n_slowest++;
	}
	site->slowest[at] = kept;
	if (site->n_slowest == MARK_CALLS_SLOWEST)
		site->threshold_ns = site->slowest[fastest_of(site)].call.duration_ns;
	return 0;
}

static int intern(struct profile *profile, uint32_t *ret_id, struct mark_text text)
{
	*ret_id = 0;
	return text.size_bytes
		       ? interner_add_sized(&profile->strings, ret_id, text.bytes, text.size_bytes)
		       : 0;
}

static int publish(struct mark_calls *calls, const struct scope_call *call,
		   struct mark_text arguments, struct mark_text error)
{
	struct scope_call published = *call;
	int r = intern(calls->profile, &published.arguments, arguments);

	if (r == 0)
		r = intern(calls->profile, &published.error, error);
	return r < 0 ? r : marks_add_call(&calls->profile->marks, &published);
}

int mark_calls_add(struct mark_calls *calls, uint32_t site_id, const struct scope_call *call,
		   struct mark_text arguments, struct mark_text error)
{
	struct marks_quality *quality = &calls->profile->marks.quality;
	struct site_calls *site;

	if (calls->keeps_all)
		return publish(calls, call, arguments, error);
	if (site_id >= calls->n_sites && sites_reach(calls, site_id) < 0)
		return -ENOMEM;
	site = &calls->sites[site_id];
	if (call->flags & SCOPE_CALL_OPEN && calls->n_open < MARK_CALLS_MAX_OPEN) {
		calls->n_open++;
		return add_other(calls, call, arguments, error);
	}
	if (call->flags & SCOPE_CALL_ERROR && calls->n_errors < MARK_CALLS_MAX_ERRORS &&
	    site->n_errors < MARK_CALLS_SITE_ERRORS) {
		calls->n_errors++;
		site->n_errors++;
		return add_other(calls, call, arguments, error);
	}
	if (call->flags & (SCOPE_CALL_ERROR | SCOPE_CALL_OPEN))
		quality->n_calls_dropped++;
	if (call->flags & SCOPE_CALL_OPEN || !mark_calls_wants(calls, site_id, call->duration_ns))
		return 0;
	return add_slowest(calls, site, call, arguments, error);
}

static struct mark_text text_of(const char *text)
{
	return (struct mark_text){ .bytes = text, .size_bytes = text ? strlen(text) : 0 };
}

static int publish_kept(struct mark_calls *calls, const struct kept_call *kept)
{
	return publish(calls, &kept->call, text_of(kept->arguments), text_of(kept->error));
}

int mark_calls_finish(struct mark_calls *calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < calls->n_sites; i++)
		for (uint32_t j = 0; r == 0 && j < calls->sites[i].n_slowest; j++)
			r = publish_kept(calls, &calls->sites[i].slowest[j]);
	for (size_t i = 0; r == 0 && i < calls->n_others; i++)
		r = publish_kept(calls, &calls->others[i]);
	return r;
}
