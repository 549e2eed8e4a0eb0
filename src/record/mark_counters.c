/* Strides double, so that what was taken before stays an even choice of all. */
#include "record/mark_counters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"

void mark_counters_init(struct mark_counters *counters, struct profile *profile)
{
	*counters = (struct mark_counters){ .profile = profile };
}

void mark_counters_release(struct mark_counters *counters)
{
	for (size_t i = 0; i < counters->n_sites; i++)
		free(counters->sites[i].values);
	free(counters->sites);
	*counters = (struct mark_counters){ 0 };
}

static struct site_counter *site_get(struct mark_counters *counters, uint32_t site)
{
	struct site_counter *grown = array_grown(counters->sites, &counters->sites_capacity,
						 (size_t)site + 1, sizeof(*grown));

	if (!grown)
		return NULL;
	counters->sites = grown;
	while (counters->n_sites <= site)
		grown[counters->n_sites++] = (struct site_counter){ 0 };
	if (!grown[site].stride) {
		grown[site].stride = 1;
		counters->n_used++;
	}
	return &grown[site];
}

static size_t limit_of_site(const struct mark_counters *counters)
{
	const size_t share = MARK_COUNTERS_MAX_VALUES / counters->n_used;

	if (share < MARK_COUNTERS_SITE_MIN_VALUES)
		return MARK_COUNTERS_SITE_MIN_VALUES;
	return share < MARK_COUNTERS_SITE_VALUES ? share : MARK_COUNTERS_SITE_VALUES;
}

static void thin_out(struct site_counter *site)
{
	size_t n_left = 0;

	for (size_t i = 0; i < site->n_values; i += 2)
		site->values[n_left++] = site->values[i];
	site->n_values = n_left;
	site->stride *= 2;
}

int mark_counters_add(struct mark_counters *counters, const struct counter_value *value)
{
	struct site_counter *site = site_get(counters, value->site);
	struct counter_value *grown;

	if (!site)
		return -ENOMEM;
	site->last = *value;
	while (site->n_values >= limit_of_site(counters))
		thin_out(site);
	if (site->n_seen++ % site->stride)
		return 0;
	grown = array_grown(site->values, &site->capacity, site->n_values + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	site->values = grown;
	grown[site->n_values++] = *value;
	return 0;
}

static int finish_site(struct marks *marks, const struct site_counter *site)
{
	const bool has_last = (site->n_seen - 1) % site->stride == 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < site->n_values; i++)
		r = marks_add_counter(marks, &site->values[i]);
	if (r == 0 && !has_last)
		r = marks_add_counter(marks, &site->last);
	marks->quality.n_counters_dropped += site->n_seen - site->n_values - !has_last;
	return r;
}

int mark_counters_finish(struct mark_counters *counters)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < counters->n_sites; i++)
		if (counters->sites[i].n_seen)
			r = finish_site(&counters->profile->marks, &counters->sites[i]);
	return r;
}
