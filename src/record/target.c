/* A child, descriptors of processes, or nothing at all. */
#include "record/target.h"

#include <errno.h>
#include <string.h>

#include "os/proc_files.h"
#include "os/proc_tasks.h"

int target_open(struct target *target, const struct target_options *options, struct error *err)
{
	*target = TARGET_INIT;
	target->options = *options;
	if (!options->n_pids)
		return 0;
	return running_processes_open(&target->processes, options->pids, options->n_pids, err);
}

int target_watch(struct target *target, struct sampler *sampler, char *const *environment,
		 const sigset_t *mask, struct error *err)
{
	const struct target_options *options = &target->options;
	int r;

	if (!options->argv)
		return sampler_attach(sampler, target->processes.pids,
				      target->processes.n_processes, err);
	r = child_prepare(&target->child, options->argv, environment, options->output_fds, mask,
			  err);
	return r < 0 ? r : sampler_watch(sampler, target->child.pid, err);
}

struct learning {
	struct intake *intake;
	uint32_t pid;
};

static int learn_thread(void *context, uint32_t tid)
{
	const struct learning *learning = context;
	char comm[16];

	if (proc_tasks_read_comm(comm, learning->pid, tid) < 0)
		return 0;
	return process_table_comm(&learning->intake->processes, learning->pid, tid, comm, false);
}

/* The main thread first: others begin with its name. */
static int learn_process(void *context, uint32_t pid)
{
	struct learning learning = { .intake = context, .pid = pid };
	int r = learn_thread(&learning, pid);

	if (r == 0)
		r = proc_tasks_visit_threads(pid, learn_thread, &learning);
	if (r == 0)
		r = intake_read_maps(context, pid);
	/* It ended meanwhile, or its memory is not ours to see: its samples will tell. */
	return r == -ENOMEM ? r : 0;
}

static bool has_process(const struct running_processes *processes, uint32_t pid)
{
	for (size_t i = 0; i < processes->n_processes; i++)
		if ((uint32_t)processes->pids[i] == pid)
			return true;
	return false;
}

static int count_child(void *context, uint32_t pid)
{
	struct target *target = context;
	struct proc_task task;

	if (proc_tasks_read(&task, pid) == 0 && has_process(&target->processes, task.parent_pid) &&
	    !has_process(&target->processes, pid))
		target->n_children++;
	return 0;
}

int target_learn(struct target *target, struct intake *intake, struct error *err)
{
	int r = 0;

	if (target->options.argv)
		return 0;
	if (!target->processes.n_processes)
		r = proc_tasks_visit_processes(learn_process, intake);
	for (size_t i = 0; r == 0 && i < target->processes.n_processes; i++)
		r = learn_process(intake, (uint32_t)target->processes.pids[i]);
	if (r == 0 && target->processes.n_processes)
		r = proc_tasks_visit_processes(count_child, target);
	return r < 0 ? error_set_errno(err, r, "/proc") : 0;
}

int target_start(struct target *target, struct error *err)
{
	const int r = target->options.argv ? child_start(&target->child, err) : 0;

	return r < 0 ? error_prefix(err, "%s", target->options.argv[0]) : 0;
}

bool target_has_ended(struct target *target)
{
	if (target->has_ended)
		return true;
	if (target->options.argv)
		target->has_ended = child_reap(&target->child, false, &target->end);
	else if (target->processes.n_processes)
		target->has_ended = running_processes_count(&target->processes) == 0;
	return target->has_ended;
}

int target_fd(const struct target *target)
{
	return target->processes.fd;
}

void target_release(struct target *target)
{
	child_release(&target->child);
	running_processes_close(&target->processes);
}
