/*
 * bench_profile FILE: what the figures of a recording are made of, one
 * "name value" a line, for bench/run.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "profile/profile_reader.h"

/* Of all samples together; a parent's id is smaller than its children's. */
static int count_frames(const struct profile *profile, uint64_t *ret_n_frames)
{
	const struct stack_trie *stacks = &profile->stacks;
	uint32_t *depths = calloc(stacks->n_nodes, sizeof(*depths));
	uint64_t n_frames = 0;

	if (!depths)
		return -1;
	for (size_t i = 1; i < stacks->n_nodes; i++)
		depths[i] = depths[stacks->nodes[i].parent] + 1;
	for (size_t i = 0; i < profile->n_samples; i++)
		n_frames += depths[profile->samples[i].node];
	free(depths);
	*ret_n_frames = n_frames;
	return 0;
}

static void print_number(const char *name, uint64_t value)
{
	(void)printf("%s %" PRIu64 "\n", name, value);
}

int main(int argc, char **argv)
{
	struct error err = ERROR_INIT;
	struct profile profile;
	struct stat status;
	uint64_t n_frames;

	if (argc != 2 || stat(argv[1], &status) < 0 || profile_read(&profile, argv[1], &err) < 0) {
		(void)fprintf(stderr, "bench_profile: %s\n",
			      argc == 2 ? err.message : "usage: bench_profile FILE");
		return 2;
	}
	if (count_frames(&profile, &n_frames) < 0)
		return 1;
	print_number("samples", profile.quality.n_samples);
	print_number("lost", profile.quality.n_lost + profile.quality.n_lost_events);
	print_number("frames", n_frames);
	print_number("nodes", profile.stacks.n_nodes - 1);
	print_number("recorder_cpu_ns", profile.quality.recorder_cpu_ns);
	print_number("target_cpu_ns", profile.quality.target_cpu_ns);
	print_number("duration_ns", profile.info.duration_ns);
	print_number("file_bytes", (uint64_t)status.st_size);
	profile_release(&profile);
	return 0;
}
