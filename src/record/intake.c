/* One record after the other; see intake.h. */
#include "record/intake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "model/frame_names.h"
#include "os/proc_files.h"
#include "os/proc_tasks.h"
#include "record/intake_stacks.h"
#include "symbol/jitdump.h"

/* How the kernel calls the page that it maps where probes are hit. */
#define UPROBES_NAME "[uprobes]"

int intake_init(struct intake *intake, struct profile *profile,
		const struct unwind_backend *backend, uint64_t period_ns, struct error *err)
{
	*intake = (struct intake){ .profile = profile,
				   .backend = backend,
				   .period_ns = period_ns ? period_ns : 1 };
	process_table_init(&intake->processes, profile);
	jit_table_init(&intake->jit);
	waits_init(&intake->waits, profile, &intake->processes, intake->period_ns);
	intake->stack = malloc(sizeof(*intake->stack));
	intake->locations = malloc(INTAKE_MAX_LOCATIONS * sizeof(*intake->locations));
	if (!intake->stack || !intake->locations ||
	    module_table_init(&intake->modules, profile) < 0 ||
	    kernel_map_init(&intake->kernel, &intake->modules) < 0)
		return error_set_no_memory(err);
	return backend->new (&intake->unwinder, &profile->locations, err);
}

void intake_release(struct intake *intake)
{
	probe_calls_release(&intake->probes);
	process_table_release(&intake->processes);
	jit_table_release(&intake->jit);
	kernel_map_release(&intake->kernel);
	waits_release(&intake->waits);
	wait_reasons_release(&intake->reasons);
	if (intake->unwinder)
		intake->backend->free(intake->unwinder);
	if (intake->modules.profile)
		module_table_release(&intake->modules);
	free(intake->stack);
	free(intake->locations);
	free(intake->n_by_leaf);
	*intake = (struct intake){ 0 };
}

char *intake_statement(const struct intake *intake)
{
	const char *statement = intake->backend->statement
					? intake->backend->statement(intake->unwinder)
					: NULL;

	return statement ? strdup(statement) : NULL;
}

static struct module_owner owner_of(const struct live_process *process)
{
	return (struct module_owner){ .pid = process->pid, .owner = process->owner };
}

/* A jitdump is mapped for its name to be seen: nothing is executed there. */
static int map_memory(struct intake *intake, struct live_process *process,
		      const struct sampler_mapping *map)
{
	const struct module_owner owner = owner_of(process);
	const struct mapping *mapping;
	int r;

	if (strcmp(map->path, UPROBES_NAME) == 0)
		process->trampoline = map->start;
	if (jitdump_is_path(map->path))
		return jit_table_add_dump(&intake->jit, process->owner, process->pid, map);
	r = module_table_map(&intake->modules, &process->unwind.space, &owner, map);
	if (r < 0)
		return r;
	mapping = address_space_find(&process->unwind.space, map->start);
	if (mapping && module_table_owner(&intake->modules, mapping->module))
		r = jit_table_add(&intake->jit, process->owner, process->pid);
	return r;
}

struct maps_reading {
	struct intake *intake;
	struct live_process *process;
};

static int read_mapping(void *context, const struct sampler_mapping *map)
{
	const struct maps_reading *reading = context;

	return map_memory(reading->intake, reading->process, map);
}

/* What the side-band did not tell, /proc still may: the process can be gone already. */
static int read_maps(struct intake *intake, struct live_process *process)
{
	struct maps_reading reading = { .intake = intake, .process = process };
	int r = proc_files_visit_maps(process->pid, read_mapping, &reading);

	process->is_known = true;
	return r == -ENOMEM ? r : 0;
}

int intake_read_maps(struct intake *intake, uint32_t pid)
{
	struct live_process *process = process_table_process(&intake->processes, pid);

	return process ? read_maps(intake, process) : -ENOMEM;
}

static int take_lost_sideband(struct intake *intake, uint64_t n_lost)
{
	struct process_table *processes = &intake->processes;

	intake->profile->quality.n_lost_events += n_lost;
	for (size_t i = 0; i < processes->n_processes; i++) {
		int r = 0;

		if (processes->processes[i]->n_threads)
			r = read_maps(intake, processes->processes[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int learn_process(struct intake *intake, struct live_thread *thread)
{
	char comm[16];
	int r = read_maps(intake, thread->process);

	if (r == 0 && !thread->comm && proc_files_read_comm(comm, thread->process->pid) == 0)
		r = process_table_comm(&intake->processes, thread->process->pid, thread->tid, comm,
				       false);
	return r;
}

static int take_mapping(struct intake *intake, const struct sampler_record *record)
{
	struct live_process *process;

	if (!record->map.is_executable)
		return 0;
	process = process_table_process(&intake->processes, record->pid);
	if (!process)
		return -ENOMEM;
	return map_memory(intake, process, &record->map);
}

/* Where code was replaced, what is mapped there is another place from now on. */
static int follow_jit(struct intake *intake, struct live_process *process, uint64_t time_ns)
{
	const uint32_t old = process->owner;
	struct module_owner owner;
	enum jit_change change;
	int r = jit_table_poll(&intake->jit, old, time_ns, &change);

	if (r < 0 || change == JIT_SAME)
		return r;
	if (change == JIT_REPLACED) {
		process->owner = ++intake->processes.n_owners;
		r = jit_table_continue(&intake->jit, old, process->owner);
	}
	owner = owner_of(process);
	return r < 0 ? r : module_table_hand_over(&intake->modules, &process->unwind.space, &owner);
}

/* What has to be known about a thread's process before it is walked. */
int intake_learn(struct intake *intake, struct live_thread *thread, uint64_t time_ns)
{
	int r = 0;

	if (!thread->process->is_known)
		r = learn_process(intake, thread);
	return r < 0 ? r : follow_jit(intake, thread->process, time_ns);
}

/* The program of a process that execs or exits is at its end; forked children go on. */
static int end_program(struct intake *intake, uint32_t pid, bool is_exec)
{
	const struct live_process *process = process_table_process(&intake->processes, pid);

	if (!process)
		return -ENOMEM;
	return is_exec || !process->n_threads ? jit_table_end(&intake->jit, process->owner) : 0;
}

static int take_comm(struct intake *intake, const struct sampler_record *record)
{
	int r = record->is_exec ? end_program(intake, record->pid, true) : 0;

	if (record->is_exec && intake->marks)
		marks_intake_exec(intake->marks, record->pid, record->time_ns);
	if (r == 0 && record->is_exec)
		r = probe_calls_end_thread(&intake->probes, record->tid, record->time_ns);

	return r < 0 ? r
		     : process_table_comm(&intake->processes, record->pid, record->tid,
					  record->comm, record->is_exec);
}

static int take_switch(struct intake *intake, const struct sampler_record *record)
{
	struct live_thread *thread;

	/* The idle thread has nothing to tell. */
	if (!record->tid)
		return 0;
	if (record->kind == SAMPLER_RECORD_SWITCH_STACK)
		return intake_take_switch_stack(intake, &record->sample);
	thread = process_table_thread(&intake->processes, record->pid, record->tid);
	if (!thread)
		return -ENOMEM;
	if (record->kind == SAMPLER_RECORD_SWITCH_OUT)
		thread->wait.place.scope = intake_scope(intake, thread, record->time_ns);
	return record->kind == SAMPLER_RECORD_SWITCH_OUT
		       ? waits_leave(&intake->waits, thread, record->time_ns, record->is_preempted)
		       : waits_return(&intake->waits, thread, record->time_ns);
}

/* Threads begin outside of all scopes, forked processes where their parents are. */
static int inherit_scope(struct intake *intake, const struct sampler_record *record)
{
	struct process_table *processes = &intake->processes;
	struct live_thread *parent = process_table_thread(processes, record->parent_pid,
							  record->parent_tid);
	struct live_thread *child = process_table_thread(processes, record->pid, record->tid);

	if (!parent || !child)
		return -ENOMEM;
	child->inherited_scope = intake_scope(intake, parent, record->time_ns);
	return 0;
}

static int inherit_jit(struct intake *intake, const struct sampler_record *record)
{
	struct process_table *processes = &intake->processes;
	const struct live_process *parent = process_table_process(processes, record->parent_pid);
	const struct live_process *child = process_table_process(processes, record->pid);

	if (!parent || !child)
		return -ENOMEM;
	return jit_table_fork(&intake->jit, parent->owner, child->owner, child->pid,
			      record->time_ns);
}

static int take_fork(struct intake *intake, const struct sampler_record *record)
{
	struct process_table *processes = &intake->processes;
	struct live_thread *thread;
	int r = process_table_fork(processes, record->pid, record->tid, record->parent_pid,
				   record->parent_tid, record->time_ns);

	if (r == 0 && record->pid != record->parent_pid)
		r = inherit_jit(intake, record);
	if (r == 0 && record->pid != record->parent_pid)
		r = inherit_scope(intake, record);
	if (r == 0)
		r = probe_calls_fork(&intake->probes, record);
	if (r < 0 || !intake->waits.is_on)
		return r;
	thread = process_table_thread(processes, record->pid, record->tid);
	return thread ? waits_start_thread(&intake->waits, thread, record->time_ns) : -ENOMEM;
}

static int take_exit(struct intake *intake, const struct sampler_record *record)
{
	struct process_table *processes = &intake->processes;
	struct live_thread *thread;
	int r = 0;

	if (intake->waits.is_on) {
		thread = process_table_thread(processes, record->pid, record->tid);
		r = thread ? waits_end_thread(&intake->waits, thread) : -ENOMEM;
	}
	if (r == 0)
		r = probe_calls_end_thread(&intake->probes, record->tid, record->time_ns);
	if (r == 0)
		r = process_table_exit(processes, record->pid, record->tid, record->time_ns);
	return r < 0 ? r : end_program(intake, record->pid, false);
}

static int take_record(struct intake *intake, const struct sampler_record *record)
{
	intake->processes.now_ns = record->time_ns;
	switch (record->kind) {
	case SAMPLER_RECORD_SAMPLE:
		return intake_take_sample(intake, &record->sample);
	case SAMPLER_RECORD_MAP:
		return take_mapping(intake, record);
	case SAMPLER_RECORD_COMM:
		return take_comm(intake, record);
	case SAMPLER_RECORD_FORK:
		return take_fork(intake, record);
	case SAMPLER_RECORD_EXIT:
		return take_exit(intake, record);
	case SAMPLER_RECORD_SWITCH_STACK:
	case SAMPLER_RECORD_SWITCH_OUT:
	case SAMPLER_RECORD_SWITCH_IN:
		return take_switch(intake, record);
	case SAMPLER_RECORD_PROBE:
		return intake_take_probe(intake, record);
	case SAMPLER_RECORD_LOST_PROBES:
		return probe_calls_take(&intake->probes, record);
	case SAMPLER_RECORD_LOST_SWITCHES:
		intake->profile->quality.n_lost_switches += record->n_lost;
		return 0;
	case SAMPLER_RECORD_LOST:
		/* The sampler counts lost samples. */
		return record->is_from_sampler ? 0 : take_lost_sideband(intake, record->n_lost);
	case SAMPLER_RECORD_THROTTLE:
		intake->profile->quality.n_throttled++;
		return 0;
	case SAMPLER_RECORD_BAD:
		intake->n_bad_records++;
		return 0;
	case SAMPLER_RECORD_LOST_SAMPLES:
	case SAMPLER_RECORD_UNTHROTTLE:
	case SAMPLER_RECORD_OTHER:
		break;
	}
	return 0;
}

int intake_record(struct intake *intake, const struct sampler_record *record, struct error *err)
{
	const int r = take_record(intake, record);

	return r < 0 ? error_set_errno(err, r, "recording") : 0;
}

int intake_expect_switches(struct intake *intake, bool with_kernel, struct error *err)
{
	intake->without_kernel = !with_kernel;
	intake->waits.is_on = true;
	return wait_reasons_init(&intake->reasons) < 0 ? error_set_no_memory(err) : 0;
}

int intake_expect_probes(struct intake *intake, const struct probe_plan *plan, struct error *err)
{
	struct marks_store *store = intake->marks ? &intake->marks->store : NULL;

	return probe_calls_init(&intake->probes, plan, store, &intake->processes) < 0
		       ? error_set_no_memory(err)
		       : 0;
}

int intake_finish_probes(struct intake *intake, uint64_t time_ns, struct error *err)
{
	return probe_calls_finish(&intake->probes, time_ns) < 0 ? error_set_no_memory(err) : 0;
}

void intake_look_at_waits(struct intake *intake)
{
	const struct process_table *processes = &intake->processes;
	char function[PROC_TASKS_FUNCTION_BYTES];

	for (size_t i = 0; intake->waits.is_on && i < processes->n_threads; i++) {
		struct live_thread *thread = processes->threads[i];

		if (proc_tasks_read_wait(function, thread->process->pid, thread->tid) == 0)
			thread->wait.first_reason =
				(uint8_t)wait_reasons_clue(function, strlen(function)).state;
	}
}

void intake_set_paused(struct intake *intake, bool is_paused, uint64_t time_ns)
{
	if (is_paused)
		waits_pause(&intake->waits, time_ns);
	else
		waits_resume(&intake->waits, time_ns);
}

int intake_finish_waits(struct intake *intake, uint64_t time_ns, struct error *err)
{
	return waits_finish(&intake->waits, time_ns) < 0 ? error_set_no_memory(err) : 0;
}

static int not_sampled_thread(struct intake *intake, uint32_t pid, uint32_t *ret_thread)
{
	struct thread all = { 0 };
	struct live_thread *thread;

	if (intake->processes.n_processes == 1 && intake->processes.processes[0]->pid == pid) {
		thread = process_table_thread(&intake->processes, pid, pid);
		return thread ? process_table_entry(&intake->processes, thread, ret_thread)
			      : -ENOMEM;
	}
	if (interner_add(&intake->profile->strings, &all.name, "[all processes]") < 0)
		return -ENOMEM;
	all.process_name = all.name;
	return profile_add_thread(intake->profile, ret_thread, &all);
}

int intake_add_not_sampled(struct intake *intake, uint32_t pid, uint64_t cpu_ns, struct error *err)
{
	struct profile *profile = intake->profile;
	struct sample sample = { .time_ns = profile->info.start_ns, .end = STACK_NOT_SAMPLED };
	uint32_t location;
	int r;

	if (cpu_ns <= profile->quality.sampled_ns)
		return 0;
	sample.weight_ns = cpu_ns - profile->quality.sampled_ns;
	r = not_sampled_thread(intake, pid, &sample.thread);
	if (r == 0)
		r = profile_add_truncation(profile, &location, STACK_NOT_SAMPLED, MODULE_PSEUDO);
	if (r == 0)
		r = stack_trie_add(&profile->stacks, &sample.node, 0, location);
	if (r == 0)
		r = profile_add_sample(profile, &sample);
	if (r < 0)
		return error_set_no_memory(err);
	profile->quality.not_sampled_ns = sample.weight_ns;
	return 0;
}

int intake_end(struct intake *intake, struct error *err)
{
	return jit_table_end_all(&intake->jit) < 0 ? error_set_no_memory(err) : 0;
}

struct symbolizer_jit *intake_jit(const struct intake *intake)
{
	const size_t n_modules = intake->profile->n_modules;
	struct symbolizer_jit *jit = calloc(n_modules, sizeof(*jit));

	for (uint32_t i = 0; jit && i < n_modules; i++) {
		const uint32_t owner = module_table_owner(&intake->modules, i);

		if (owner)
			jit[i] = jit_table_find(&intake->jit, owner);
	}
	return jit;
}

void intake_forget_sample(struct intake *intake, const struct sample *sample)
{
	struct quality *quality = &intake->profile->quality;
	const uint32_t leaf = intake->profile->stacks.nodes[sample->node].location;
	const bool is_whole = sample->end == STACK_COMPLETE || sample->end == STACK_KERNEL_ONLY;

	if (sample->end == STACK_NOT_SAMPLED) {
		quality->not_sampled_ns -= sample->weight_ns;
		return;
	}
	quality->n_dropped++;
	if (sample->time_ns > intake->forgotten_until_ns)
		intake->forgotten_until_ns = sample->time_ns;
	if (sample_is_wait(sample)) {
		quality->n_waits--;
		quality->waited_ns -= sample->weight_ns;
		quality->n_waits_bare -= !is_whole;
		quality->waited_bare_ns -= is_whole ? 0 : sample->weight_ns;
		return;
	}
	quality->n_samples--;
	quality->sampled_ns -= sample->weight_ns;
	quality->n_by_end[sample->end]--;
	if (sample->node && leaf < intake->n_leaves && intake->n_by_leaf[leaf])
		intake->n_by_leaf[leaf]--;
}

static uint64_t needed_bytes_p999(const struct intake *intake)
{
	uint64_t n_left = intake->profile->quality.n_samples / 1000;

	for (size_t i = INTAKE_NEED_STEPS; i > 0; i--) {
		if (intake->n_by_need[i - 1] > n_left)
			return i * INTAKE_NEED_STEP_BYTES;
		n_left -= intake->n_by_need[i - 1];
	}
	return 0;
}

void intake_finish_quality(struct intake *intake)
{
	const struct profile *profile = intake->profile;
	struct quality *quality = &intake->profile->quality;

	quality->needed_stack_bytes_p999 = needed_bytes_p999(intake);
	quality->n_unresolved = 0;
	for (size_t i = 0; i < intake->n_leaves; i++)
		if (frame_names_is_unresolved(profile, (uint32_t)i))
			quality->n_unresolved += intake->n_by_leaf[i];
}
