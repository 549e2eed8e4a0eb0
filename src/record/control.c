/* Two instants, and whether samples are taken now. */
#include "record/control.h"

#include "base/units.h"

static void resume(struct control *control, uint64_t now_ns)
{
	control->is_paused = false;
	control->has_resumed = true;
	control->resume_at_ns = UINT64_MAX;
	if (control->options.duration_ns && control->end_at_ns == UINT64_MAX)
		control->end_at_ns = now_ns + control->options.duration_ns;
}

void control_start(struct control *control, const struct control_options *options, uint64_t now_ns)
{
	*control = (struct control){
		.options = *options,
		.resume_at_ns = UINT64_MAX,
		.end_at_ns = UINT64_MAX,
		.is_paused = options->is_paused || options->delay_ns,
	};
	control->was_paused = control->is_paused;
	if (!control->is_paused)
		resume(control, now_ns);
	else if (!options->is_paused)
		control->resume_at_ns = now_ns + options->delay_ns;
}

void control_toggle(struct control *control, uint64_t now_ns)
{
	if (control->is_paused)
		resume(control, now_ns);
	else
		control->is_paused = control->was_paused = true;
}

bool control_resume_if_due(struct control *control, uint64_t now_ns)
{
	if (!control->is_paused || now_ns < control->resume_at_ns)
		return false;
	resume(control, now_ns);
	return true;
}

bool control_is_over(const struct control *control, uint64_t now_ns)
{
	return now_ns >= control->end_at_ns;
}

int control_timeout_ms(const struct control *control, uint64_t now_ns, int limit_ms)
{
	const uint64_t due_ns = control->resume_at_ns < control->end_at_ns ? control->resume_at_ns
									   : control->end_at_ns;

	if (due_ns <= now_ns)
		return 0;
	if (due_ns - now_ns >= (uint64_t)limit_ms * NS_PER_MS)
		return limit_ms;
	return (int)((due_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS);
}
