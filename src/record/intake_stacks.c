/*
 * Samples and the stacks of switches: unwound, put together from user and kernel
 * frames, counted.
 */
#include "record/intake_stacks.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

static int add_location(struct intake *intake, uint32_t module, uint64_t vaddr)
{
	return location_table_add(&intake->profile->locations,
				  &intake->locations[intake->n_locations++], module, vaddr);
}

static int add_user_frames(struct intake *intake, const struct raw_sample *sample)
{
	const struct stack *stack = intake->stack;
	int r = 0;

	if (stack->end != STACK_COMPLETE && stack->end != STACK_KERNEL_ONLY)
		r = profile_add_truncation(intake->profile,
					   &intake->locations[intake->n_locations++], stack->end,
					   stack->end_module);
	if (stack->n_outer)
		memcpy(intake->locations + intake->n_locations, stack->outer_locations,
		       stack->n_outer * sizeof(*stack->outer_locations));
	intake->n_locations += stack->n_outer;
	for (uint32_t i = stack->n_frames; i > 0; i--)
		intake->locations[intake->n_locations++] = stack->locations[i - 1];
	if (r == 0 && !stack->n_frames && sample->has_registers && stack->end != STACK_KERNEL_ONLY)
		r = add_location(intake, intake->modules.unmapped,
				 registers_pc(&sample->registers));
	return r;
}

/*
 * All but the innermost are return addresses; that one is, too, unless the
 * thread was interrupted in it.  The `n_left_out` innermost are left out.
 */
static int add_kernel_frames(struct intake *intake, const struct raw_sample *sample,
			     size_t n_left_out, bool is_interrupted)
{
	for (size_t i = sample->n_kernel_ips; i > n_left_out; i--) {
		const bool is_return = i > 1 || !is_interrupted;
		const uint64_t ip = sample->kernel_ips[i - 1] - is_return;
		uint32_t module;
		int r;

		if (intake->n_locations >= INTAKE_MAX_LOCATIONS)
			break;
		r = kernel_map_find(&intake->kernel, ip, sample->time_ns, &module);
		if (r == 0)
			r = add_location(intake, module, ip);
		if (r < 0)
			return r;
	}
	/* Kernel stacks were not asked for: its time has a name nevertheless. */
	if (!intake->n_locations && sample->is_in_kernel)
		return add_location(intake, intake->modules.kernel, 0);
	return 0;
}

static int walk(struct intake *intake, struct live_thread *thread, const struct raw_sample *sample)
{
	const struct unwind_images images = module_table_images(&intake->modules);
	struct stack *stack = intake->stack;
	int r;

	sample = probe_calls_mend(&intake->probes, thread->process->trampoline, sample);
	stack_clear(stack, STACK_NO_REGISTERS);
	/*
	 * While a process execs or exits there are user registers, but no user
	 * stack that they belong to: such time is the kernel's alone.
	 */
	if (sample->is_in_kernel && (!sample->has_registers || !sample->stack_size_bytes)) {
		stack->end = STACK_KERNEL_ONLY;
		return 0;
	}
	if (!sample->has_registers)
		return 0;
	r = intake->backend->walk(intake->unwinder, &thread->process->unwind, &images, sample,
				  stack);
	/*
	 * The kernel's copy ends at the first page that is not there, such as one
	 * in the middle of a large buffer that nothing was written to so far.
	 */
	if (stack->end == STACK_BAD_MEMORY &&
	    stack->needed_stack_bytes > sample->stack_size_bytes &&
	    stack->needed_stack_bytes <= sample->stack_asked_bytes)
		stack->end = STACK_TRUNCATED_DUMP;
	return r;
}

static int count_leaf(struct intake *intake)
{
	const uint32_t leaf = intake->locations[intake->n_locations - 1];
	uint64_t *grown = array_grown(intake->n_by_leaf, &intake->leaves_capacity, (size_t)leaf + 1,
				      sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	intake->n_by_leaf = grown;
	while (intake->n_leaves <= leaf)
		grown[intake->n_leaves++] = 0;
	grown[leaf]++;
	return 0;
}

static bool is_cut_in_made_code(const struct intake *intake)
{
	const struct profile *profile = intake->profile;
	const uint32_t module = intake->stack->end_module;

	return intake->stack->end == STACK_NO_CFI && module < profile->n_modules &&
	       profile->modules[module].kind == MODULE_KIND_ANONYMOUS;
}

static void count_sample(struct intake *intake, const struct raw_sample *sample)
{
	struct quality *quality = &intake->profile->quality;
	size_t need = intake->stack->needed_stack_bytes / INTAKE_NEED_STEP_BYTES;

	intake->n_cut_in_made_code += is_cut_in_made_code(intake);
	if (need >= INTAKE_NEED_STEPS || intake->stack->end == STACK_TRUNCATED_DUMP)
		need = INTAKE_NEED_STEPS - 1;
	intake->n_by_need[need]++;
	quality->n_samples++;
	quality->sampled_ns += sample->weight_ns;
	quality->n_by_end[intake->stack->end]++;
}

static int walk_known(struct intake *intake, struct live_thread *thread,
		      const struct raw_sample *raw)
{
	const int r = intake_learn(intake, thread, raw->time_ns);

	return r < 0 ? r : walk(intake, thread, raw);
}

uint32_t intake_scope(struct intake *intake, struct live_thread *thread, uint64_t time_ns)
{
	const bool is_marking = intake->marks && (intake->marks->first || thread->marks);

	return is_marking ? marks_intake_scope(intake->marks, thread, time_ns)
			  : thread->inherited_scope;
}

int intake_take_probe(struct intake *intake, const struct sampler_record *record)
{
	struct live_thread *thread;

	/* The function may have been called in a scope of its program's. */
	if (intake->marks && intake->marks->first) {
		thread = process_table_thread(&intake->processes, record->pid, record->tid);
		if (!thread)
			return -ENOMEM;
		marks_intake_advance(intake->marks, thread, record->time_ns);
	}
	return probe_calls_take(&intake->probes, record);
}

int intake_take_sample(struct intake *intake, const struct raw_sample *raw)
{
	struct live_thread *thread = process_table_thread(&intake->processes, raw->pid, raw->tid);
	const uint64_t n_ticks = (raw->weight_ns + intake->period_ns / 2) / intake->period_ns;
	struct sample sample = {
		.time_ns = raw->time_ns,
		.weight_ns = raw->weight_ns,
		.count = n_ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)n_ticks,
		.cpu = (uint16_t)raw->cpu,
		.state = (uint8_t)raw->state,
	};
	int r = thread ? walk_known(intake, thread, raw) : -ENOMEM;

	if (r == 0)
		r = waits_see_running(&intake->waits, thread, raw->time_ns);
	if (r < 0)
		return r;
	intake->n_locations = 0;
	r = add_user_frames(intake, raw);
	if (r == 0)
		r = add_kernel_frames(intake, raw, 0, true);
	if (r == 0)
		r = stack_path_follow(&thread->path, &intake->profile->stacks, intake->locations,
				      intake->n_locations, &sample.node);
	if (r == 0 && intake->n_locations)
		r = count_leaf(intake);
	if (r == 0)
		r = process_table_entry(&intake->processes, thread, &sample.thread);
	if (r < 0)
		return r;
	count_sample(intake, raw);
	sample.scope = intake_scope(intake, thread, raw->time_ns);
	sample.count = sample.count ? sample.count : 1;
	sample.end = (uint16_t)intake->stack->end;
	return profile_add_sample(intake->profile, &sample);
}

/* Where a thread is as it leaves its CPU; how long it waits there comes later. */
int intake_take_switch_stack(struct intake *intake, const struct raw_sample *raw)
{
	struct live_thread *thread = process_table_thread(&intake->processes, raw->pid, raw->tid);
	enum sample_state reason;
	size_t n_left_out;
	uint32_t node;
	int r = thread ? walk_known(intake, thread, raw) : -ENOMEM;

	if (r < 0)
		return r;
	/* The engine may know it; else the kernel's functions say it. */
	reason = wait_reasons_find(&intake->reasons, raw->kernel_ips, raw->n_kernel_ips,
				   &n_left_out);
	if (raw->state != SAMPLE_RUNNING)
		reason = raw->state;
	if (intake->without_kernel)
		n_left_out = raw->n_kernel_ips;
	intake->n_locations = 0;
	r = add_user_frames(intake, raw);
	if (r == 0)
		r = add_kernel_frames(intake, raw, n_left_out, false);
	if (r == 0)
		r = stack_path_follow(&thread->path, &intake->profile->stacks, intake->locations,
				      intake->n_locations, &node);
	if (r == 0)
		waits_take_stack(thread, node, intake->stack->end, reason);
	return r;
}
